"""The approval flow: P, what Seller and Customer make of a proposal, and B after it (OB 5.5)."""

import hashlib
from datetime import timedelta

from msgspec.structs import replace

from openbooking.booking import lifecycle
from openbooking.booking.access import grant_access
from openbooking.booking.capacity import has_room
from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.dry_run import Checkpoint, dry_run, order_needs
from openbooking.booking.order import ItemState, Order, OrderKey, OrderRequest, Payment, Proposal, Record, RecordKind
from openbooking.booking.payment import check_details, check_payment, check_total, reflected_payment
from openbooking.booking.policy import Policy
from openbooking.booking.situation import Needs, Places, RecordSet, Situation
from openbooking.spec.errors import (
    InvalidPaymentDetailsError,
    OpenBookingError,
    OpportunityHasInsufficientCapacityError,
    OrderCreationFailedError,
    OrderProposalVersionOutdatedError,
    PatchNotAllowedOnPropertyError,
)
from openbooking.spec.terms import FlowRequirement, OrderProposalStatus, OrderType

SELLER_NOTES_EVERY = timedelta(minutes=5)
_NO_PLACES = "The places are no longer available."


class Propose(OrderCommand, frozen=True, kw_only=True):
    """P: an Order is put before the Seller; its places are held meanwhile. `version` is a fresh UUID."""

    request: OrderRequest
    version: str

    def needs(self, policy: Policy) -> Needs:
        """The record behind the UUID, and what the items name."""
        return order_needs(super().needs(policy), self.request)

    def decide(self, situation: Situation) -> Decision:
        """Answer a repeat from the record (OB-APP-16), else propose what the dry run finds bookable."""
        record = situation.records.get(self.key)
        fingerprint = self.request.fingerprint()
        if record and record.kind is RecordKind.PROPOSAL and record.fingerprint == fingerprint:
            self.caller.check_may_act_for(record.seller)
            return Decision(reply=record.order)
        lifecycle.after(record, lifecycle.Event.PROPOSE)
        order = dry_run(situation, Checkpoint.P, self.caller, self.uuid, self.request)
        if order.has_errors:
            return Decision(reply=order)
        if not order.requires_approval:
            raise OrderCreationFailedError("This Order needs no approval: book it.")
        check_payment(self.request.payment, order.offers)
        check_total(self.request, order)
        exchange = any(FlowRequirement.MESSAGE_EXCHANGE in offer.flow for offer in order.offers)
        proposal = Proposal(version=self.version, customer_note=self.request.customer_note if exchange else None)
        expires = situation.now + situation.policy.proposal_duration
        items = tuple(replace(item, remaining=None) for item in order.items)
        order = replace(order, items=items, proposal=proposal, lease_expires=expires)
        proposed = Record(
            partner=self.caller.partner,
            uuid=self.uuid,
            kind=RecordKind.PROPOSAL,
            seller=order.seller.key,
            order=order,
            fingerprint=fingerprint,
            lease_expires=expires,
            proposal=proposal,
        )
        return Decision(reply=order, changes=(RecordSet(self.key, proposed),))


class UpdateProposal(OrderCommand, frozen=True, kw_only=True):
    """The Customer withdraws, writes to the Seller, or both (OB 9.2.5)."""

    reject: bool = False
    note: str | None = None

    def decide(self, situation: Situation) -> Decision:
        """Reject, and store the note; what is said already changes nothing."""
        record, proposal = open_proposal(situation, self.key)
        self.caller.check_may_act_for(record.seller)
        if self.reject and proposal.status is not OrderProposalStatus.CUSTOMER_REJECTED:
            if OrderProposalStatus.CUSTOMER_REJECTED not in lifecycle.PROPOSAL_TRANSITIONS[proposal.status]:
                raise PatchNotAllowedOnPropertyError("The OrderProposal has been rejected already.")
            proposal = replace(proposal, status=OrderProposalStatus.CUSTOMER_REJECTED, updated=True)
        if self.note is not None:
            proposal = replace(proposal, customer_note=self.note)
        unchanged = proposal == record.proposal
        return Decision(changes=() if unchanged else (RecordSet(self.key, replace(record, proposal=proposal)),))


class BookProposal(OrderCommand, frozen=True, kw_only=True):
    """B after P: an approved proposal becomes an Order, in the version the Customer agreed to (OB 9.2.6)."""

    version: str | None
    payment: Payment | None = None
    nonce: str = ""

    def decide(self, situation: Situation) -> Decision:
        """Answer a repeat from the record, else book; a proposal whose places are gone is rejected (OB-APP-33)."""
        record = situation.records.get(self.key)
        fingerprint = hashlib.sha256(f"{self.version}/{self.payment}".encode()).hexdigest()
        if record and record.kind is RecordKind.ORDER and record.fingerprint == fingerprint:
            self.caller.check_may_act_for(record.seller)
            return Decision(reply=record.order)
        record = lifecycle.existing(record, lifecycle.Event.BOOK_PROPOSAL)
        self.caller.check_may_act_for(record.seller)
        proposal, order = record.proposal, record.order
        assert proposal is not None  # noqa: S101 - every proposal's record has both
        assert order is not None  # noqa: S101
        if self.version != proposal.version:
            raise OrderProposalVersionOutdatedError
        if proposal.status is not OrderProposalStatus.ACCEPTED:
            raise OrderCreationFailedError(f"The OrderProposal is {proposal.status.rpartition('/')[2]}.")
        payment = self._payment(situation.policy, order)
        if not _places_remain(situation, record):
            rejected = RecordSet(self.key, with_status(record, OrderProposalStatus.SELLER_REJECTED, _NO_PLACES))
            return Decision(reply=OpportunityHasInsufficientCapacityError(), changes=(rejected,))
        booked = self._booked(order, payment)
        became = replace(
            record,
            kind=RecordKind.ORDER,
            order=booked,
            fingerprint=fingerprint,
            lease_expires=None,
            states=tuple(ItemState() for _ in booked.items),
        )
        return Decision(reply=booked, changes=(RecordSet(self.key, became),))

    def _payment(self, policy: Policy, order: Order) -> Payment | None:
        """The payment as it was proposed, or as it has been authorised anew (OB-APP-29)."""
        check_details(self.payment, policy)
        if self.payment and self.payment.dynamic != order.dynamic:
            raise InvalidPaymentDetailsError("The OrderProposal was made for another kind of payment.")
        payment = self.payment or reflected_payment(order.payment, order.offers, policy)
        check_payment(payment, order.offers)
        return reflected_payment(payment, order.offers, policy)

    def _booked(self, order: Order, payment: Payment | None) -> Order:
        items = tuple(
            replace(
                item,
                position=None,
                access=grant_access(item.opportunity.access if item.opportunity else None, self.nonce, item.number),
            )
            for item in order.items
        )
        return replace(order, type=OrderType.ORDER, items=items, payment=payment, proposal=None, lease_expires=None)


def open_proposal(situation: Situation, key: OrderKey) -> tuple[Record, Proposal]:
    """The record and the proposal behind the key, or raise UnknownOrderError or GoneError."""
    record = lifecycle.existing(situation.records.get(key), lifecycle.Event.UPDATE_PROPOSAL)
    assert record.proposal is not None  # noqa: S101 - every proposal's record has one
    return record, record.proposal


def with_status(record: Record, status: OrderProposalStatus, note: str | None = None) -> Record:
    """The record with the proposal in this status, and with that in its feed."""
    proposal = record.proposal
    assert proposal is not None  # noqa: S101 - asked for only of proposals
    if status not in lifecycle.PROPOSAL_TRANSITIONS[proposal.status]:
        raise OpenBookingError(f"The OrderProposal is {proposal.status.rpartition('/')[2]} for good.")
    changed = replace(proposal, status=status, seller_note=note or proposal.seller_note, updated=True)
    return replace(record, proposal=changed)


def _places_remain(situation: Situation, record: Record) -> bool:
    """Whether each Opportunity still has the places that the proposal wants, those it holds itself included."""
    live = situation.live(record)
    for claim in replace(record, lease_expires=situation.now).claims():
        opportunity = situation.opportunities.get(claim.opportunity)
        own = Places(0, claim.places if live else 0)
        places = situation.places.get(claim.opportunity, Places())
        if not has_room(opportunity, claim.places, places, own):
            return False
    return True
