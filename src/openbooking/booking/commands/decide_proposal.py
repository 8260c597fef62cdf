"""What the Seller makes of an OrderProposal: accepts or rejects it, amends it, writes about it (OB 5.5.5)."""

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.order import Order, OrderItem, OrderKey, Proposal
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules import lifecycle
from openbooking.booking.rules.accepted_offer import unpriced
from openbooking.booking.rules.pricing import pricing_of, tax_charges, totals
from openbooking.booking.rules.proposal_changes import may_write, open_proposal, with_note, with_status
from openbooking.openactive.errors import NotFoundError, OpenBookingError
from openbooking.openactive.money import PRICE_LIMIT, is_price
from openbooking.openactive.terms import FlowRequirement, OrderProposalStatus


class DecideProposal(ActorCommand, frozen=True, kw_only=True):
    """The Seller accepts or rejects a proposal, with a note to the Customer or none (OB 5.5.5.1)."""

    order: OrderKey
    accept: bool
    note: str | None = None

    def needs(self, policy: Policy) -> Needs:
        """The record of the proposal."""
        del policy
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision:
        """Set the status; the version stays (OB-APP-25)."""
        record, proposal = open_proposal(situation, self.order)
        _check_alive(situation, proposal)
        _check_note(situation, proposal, self.note)
        status = OrderProposalStatus.ACCEPTED if self.accept else OrderProposalStatus.SELLER_REJECTED
        decided = with_status(situation, record, status, self.stamp(situation), self.note)
        return Decision(changes=(RecordSet(self.order, decided),))


class AmendProposal(ActorCommand, frozen=True, kw_only=True):
    """The Seller offers a proposal anew, in a new version, where an Offer in it allows negotiation (OB 5.5.5.2).

    `version` is a fresh UUID; the items of the numbers in `without` are left out from now on, and those in `prices` are
    offered at another price.
    """

    order: OrderKey
    version: str
    note: str | None = None
    without: frozenset[int] = frozenset()
    prices: Mapping[int, Decimal] = {}

    def needs(self, policy: Policy) -> Needs:
        """The record of the proposal."""
        del policy
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision:
        """Set the new version, which waits for acceptance again (AMB-17)."""
        record, open_ = open_proposal(situation, self.order)
        assert record.order is not None  # noqa: S101 - every proposal's record has one
        _check_alive(situation, open_)
        _check_note(situation, open_, self.note)
        if not record.order.asks_for(FlowRequirement.NEGOTIATION):
            raise OpenBookingError("No Offer in this OrderProposal allows negotiation.")
        known = record.numbered()
        if not known.keys() >= self.without | self.prices.keys():
            raise NotFoundError("The OrderProposal has no such item.")
        items = tuple(
            self._offered(item, record.order) for item, _ in known.values() if item.number not in self.without
        )
        if not items:
            raise OpenBookingError("An amendment leaves at least one item: reject the OrderProposal instead.")
        if totals(items, pricing_of(record.order)).price >= PRICE_LIMIT:
            raise OpenBookingError("The total of the OrderProposal would be too large to be paid.")
        stamp = self.stamp(situation)
        amended = with_status(situation, record, OrderProposalStatus.AWAITING, stamp, self.note)
        assert amended.proposal is not None  # noqa: S101 - with_status keeps it
        proposal = replace(amended.proposal, version=self.version, items=items)
        if proposal != amended.proposal:
            amended = replace(amended, proposal=replace(proposal, amended=stamp), changed=stamp)
        return Decision(changes=(RecordSet(self.order, amended),))

    def _offered(self, item: OrderItem, order: Order) -> OrderItem:
        price = self.prices.get(item.number)
        if price is None or item.offer is None:
            return item
        if order.dynamic or not is_price(price):
            raise OpenBookingError(f"{price} cannot be the price of an item in this OrderProposal.")
        currency = item.offer.currency or order.totals.currency
        if price and currency is None:
            raise OpenBookingError("Nothing in this OrderProposal tells in which currency to pay.")
        offer = replace(item.offer, price=price, currency=currency) if price else unpriced(item.offer)
        return replace(item, offer=offer, tax=tax_charges(offer, pricing_of(order)))


class WriteToCustomer(ActorCommand, frozen=True, kw_only=True):
    """The Seller writes about an open proposal, where its Offers allow it, once in five minutes (OB 5.5.5.3)."""

    order: OrderKey
    note: str

    def needs(self, policy: Policy) -> Needs:
        """The record of the proposal."""
        del policy
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision:
        """Set the note in place of the one before; status and version stay (OB-AMEND-09, OB-AMEND-10)."""
        record, proposal = open_proposal(situation, self.order)
        assert record.order is not None  # noqa: S101 - every proposal's record has one
        if (
            not self.note
            or not lifecycle.is_open(proposal)
            or not record.order.asks_for(FlowRequirement.MESSAGE_EXCHANGE)
        ):
            raise OpenBookingError("No messages are exchanged about this OrderProposal.")
        _check_note(situation, proposal, self.note)
        noted = with_note(situation, record, self.note, self.stamp(situation))
        return Decision(changes=(RecordSet(self.order, noted),))


def _check_alive(situation: Situation, proposal: Proposal) -> None:
    """Raise OpenBookingError once the lifetime of a proposal has ended, whether or not it has been swept."""
    if proposal.expires is not None and proposal.expires <= situation.now:
        raise OpenBookingError("The OrderProposal has not been booked in time.")


def _check_note(situation: Situation, proposal: Proposal, note: str | None) -> None:
    """Raise OpenBookingError for a note that follows the last too soon; a decision can be made without one."""
    if note and not may_write(situation, proposal):
        raise OpenBookingError("Only one message in five minutes can be written.")
