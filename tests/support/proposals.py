"""Proposals in Situations: Opportunities that require approval, and the steps of Broker and Seller."""

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from openbooking.booking.command import Command, Decision
from openbooking.booking.commands.orders.book_proposal import BookProposal
from openbooking.booking.commands.orders.proposal_decisions import AmendProposal, DecideProposal
from openbooking.booking.commands.orders.update_proposal import UpdateProposal
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import Caller, Order, OrderKey, Proposal
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import Record
from openbooking.booking.model.situation import Situation
from openbooking.openactive.terms import FlowRequirement, OrderProposalStatus
from support.builders import UUID, VERSION, after, item, propose, request, session, situation
from support.parties import ALICE, MANAGER

APPROVAL = (FlowRequirement.APPROVAL,)
NEGOTIATED = (FlowRequirement.APPROVAL, FlowRequirement.NEGOTIATION, FlowRequirement.MESSAGE_EXCHANGE)
YOGA = session("yoga")
PILATES = session("pilates", offered={"flow": APPROVAL})
TRIP = session("trip", offered={"flow": NEGOTIATED})
FREE = session("free", price=Decimal(0), offered={"flow": NEGOTIATED})
PATH = TRIP[-1].path
KEY = OrderKey("alice", UUID)
LATER_VERSION = "9a1c2f60-2f0b-4f43-8f2e-6d4f3d1f0a57"
POLICY = Policy()
HELD = POLICY.lease_duration

AWAITING, ACCEPTED = OrderProposalStatus.AWAITING, OrderProposalStatus.ACCEPTED
SELLER_REJECTED, CUSTOMER_REJECTED = OrderProposalStatus.SELLER_REJECTED, OrderProposalStatus.CUSTOMER_REJECTED

ACCEPT = DecideProposal(order=KEY, accept=True, actor=MANAGER)
REJECT = DecideProposal(order=KEY, accept=False, actor=MANAGER)
ABORT = UpdateProposal(caller=ALICE, uuid=UUID, reject=True)


def amend(**changes: Any) -> AmendProposal:
    return AmendProposal(**{"actor": MANAGER, "order": KEY, "version": LATER_VERSION, **changes})


def b(version: str | None = VERSION, caller: Caller = ALICE, **changes: Any) -> BookProposal:
    return BookProposal(caller=caller, uuid=UUID, version=version, nonce="nonce", **changes)


def places(*families: list[Opportunity]) -> OrderRequest:
    """Return a request for one space at each of these, in this order."""
    items = [item(family, position) for position, family in enumerate(families)]
    prices = [offer.price for family in families for opportunity in family for offer in opportunity.offers]
    return request(*items, total_payment_due=sum(prices, Decimal(0)))


def proposed(*families: list[Opportunity], **changes: Any) -> Situation:
    """Return the situation after P of one space at each of these; by default two spaces on the trip."""
    families = families or (TRIP, TRIP)
    return after(situation(*families, policy=POLICY), propose(replace(places(*families), **changes)))


def record_in(where: Situation) -> Record:
    return where.records[KEY]


def standing(where: Situation) -> Proposal:
    proposal = record_in(where).proposal
    assert proposal is not None
    return proposal


def order_of(decision: Decision[Any]) -> Order:
    assert isinstance(decision.reply, Order)
    return decision.reply


def having(where: Situation, *commands: Command[Any]) -> Situation:
    """Return the situation after all of these commands."""
    for command in commands:
        where = after(where, command)
    return where
