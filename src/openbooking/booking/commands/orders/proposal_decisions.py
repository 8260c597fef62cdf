"""The Seller's decisions on an OrderProposal: accept, reject or amend it, or write to the Customer (OB 5.5.5).

`rules.lifecycle` holds the table of the allowed statuses, and sets status, version and note.
"""

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.errors import NoMessagesError, NoNegotiationError, UnacceptableAmendmentError
from openbooking.booking.model.order import BookedItem, Order, OrderKey, SeenProposal
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules.orders import lifecycle
from openbooking.booking.rules.orders.accepted_offer import unpriced_offer
from openbooking.booking.rules.orders.pricing import pricing_of, tax_charges, totals
from openbooking.openactive.errors import NotFoundError
from openbooking.openactive.money import PRICE_LIMIT, is_price
from openbooking.openactive.terms import FlowRequirement, OrderProposalStatus


class DecideProposal(ActorCommand, frozen=True, kw_only=True):
    """Accept or reject an OrderProposal, with or without a note to the Customer (OB 5.5.5.1).

    Attributes:
        order: The key of the OrderProposal.
        accept: Whether the Seller accepts the OrderProposal.
        note: The note to the Customer, if any.
        seen: The OrderProposal as the Seller saw it; None to decide whatever has changed since.
    """

    order: OrderKey
    accept: bool
    note: str | None = None
    seen: SeenProposal | None = None

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.PROPOSAL_ACCEPTED if self.accept else Action.PROPOSAL_REJECTED

    def needs(self) -> Needs:
        """Return the record of the OrderProposal."""
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision[None]:
        """Set the status and the note. The version does not change (OB-APP-25).

        Raises:
            UnknownOrderError: No OrderProposal has the key.
            ProposalExpiredError: The lifetime of the OrderProposal has ended.
            ProposalChangedError: The OrderProposal is not as the Seller saw it.
            NoteTooSoonError: The last note was sent less than five minutes ago.
            ProposalRejectedError: The OrderProposal was rejected before.
        """
        record = lifecycle.current_proposal(situation, self.order)
        lifecycle.check_lifetime(situation, record.proposal)
        lifecycle.check_seen(record.proposal, self.seen)
        lifecycle.check_note(situation, record.proposal, self.note)
        status = OrderProposalStatus.ACCEPTED if self.accept else OrderProposalStatus.SELLER_REJECTED
        decided = lifecycle.set_proposal_status(situation, record, status, self.stamp(situation), self.note)
        return Decision(reply=None, changes=(RecordSet(self.order, decided),))


class AmendProposal(ActorCommand, frozen=True, kw_only=True):
    """Offer a new version of an OrderProposal, if one of its Offers allows negotiation (OB 5.5.5.2).

    Attributes:
        order: The key of the OrderProposal.
        version: A fresh UUID, which identifies the new version.
        note: The note to the Customer, if any.
        seen: The OrderProposal as the Seller saw it; None to decide whatever has changed since.
        without: The numbers of the items that the new version omits.
        prices: The new prices, by the numbers of the items.
    """

    order: OrderKey
    version: str
    note: str | None = None
    seen: SeenProposal | None = None
    without: frozenset[int] = frozenset()
    prices: Mapping[int, Decimal] = {}

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.PROPOSAL_AMENDED

    def needs(self) -> Needs:
        """Return the record of the OrderProposal."""
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision[None]:
        """Set the new version, which must be accepted again (AMB-17).

        Raises:
            UnknownOrderError: No OrderProposal has the key.
            ProposalExpiredError: The lifetime of the OrderProposal has ended.
            ProposalChangedError: The OrderProposal is not as the Seller saw it.
            NoteTooSoonError: The last note was sent less than five minutes ago.
            NoNegotiationError: No Offer allows negotiation.
            NotFoundError: The OrderProposal has no item with one of the numbers.
            UnacceptableAmendmentError: No item is left, or a price or the total is too large to be paid.
            ProposalRejectedError: The OrderProposal was rejected before.
        """
        record = lifecycle.current_proposal(situation, self.order)
        lifecycle.check_lifetime(situation, record.proposal)
        lifecycle.check_seen(record.proposal, self.seen)
        lifecycle.check_note(situation, record.proposal, self.note)
        if not record.order.asks_for(FlowRequirement.NEGOTIATION):
            raise NoNegotiationError
        items = record.items_by_number()
        if not items.keys() >= self.without | self.prices.keys():
            raise NotFoundError("The OrderProposal has no such item.")
        offered = tuple(self._offered_item(item, record.order) for item, _ in items.values() if self._keeps(item))
        if not offered:
            raise UnacceptableAmendmentError("An amendment leaves at least one item: reject the OrderProposal instead.")
        if totals(offered, pricing_of(record.order)).price >= PRICE_LIMIT:
            raise UnacceptableAmendmentError("The total of the OrderProposal would be too large to be paid.")
        stamp = self.stamp(situation)
        awaiting = lifecycle.set_proposal_status(situation, record, OrderProposalStatus.AWAITING, stamp, self.note)
        amended = lifecycle.set_proposal_version(awaiting, self.version, offered, stamp)
        return Decision(reply=None, changes=(RecordSet(self.order, amended),))

    def _keeps(self, item: BookedItem) -> bool:
        return item.number not in self.without

    def _offered_item(self, item: BookedItem, order: Order) -> BookedItem:
        """Return the item at its new price, or unchanged if the amendment has no new price for it."""
        price = self.prices.get(item.number)
        if price is None:
            return item
        if order.dynamic or not is_price(price):
            raise UnacceptableAmendmentError(f"{price} cannot be the price of an item in this OrderProposal.")
        currency = item.offer.currency or order.totals.currency
        if price and currency is None:
            raise UnacceptableAmendmentError("The OrderProposal has no currency for the price.")
        offer = replace(item.offer, price=price, currency=currency) if price else unpriced_offer(item.offer)
        return replace(item, offer=offer, tax=tax_charges(offer, pricing_of(order)))


class WriteToCustomer(ActorCommand, frozen=True, kw_only=True):
    """Write a note to the Customer about an open OrderProposal, at most one in five minutes (OB 5.5.5.3).

    Attributes:
        order: The key of the OrderProposal.
        note: The note, which must not be empty.
    """

    order: OrderKey
    note: str

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.NOTE_WRITTEN

    def needs(self) -> Needs:
        """Return the record of the OrderProposal."""
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision[None]:
        """Replace the last note. Status and version do not change (OB-AMEND-09, OB-AMEND-10).

        Raises:
            UnknownOrderError: No OrderProposal has the key.
            NoMessagesError: The note is empty, the OrderProposal was rejected, or its Offers allow no messages.
            NoteTooSoonError: The last note was sent less than five minutes ago.
        """
        record = lifecycle.current_proposal(situation, self.order)
        allowed = lifecycle.is_open(record.proposal) and record.order.asks_for(FlowRequirement.MESSAGE_EXCHANGE)
        if not self.note or not allowed:
            raise NoMessagesError
        lifecycle.check_note(situation, record.proposal, self.note)
        noted = lifecycle.set_seller_note(situation, record, self.note, self.stamp(situation))
        return Decision(reply=None, changes=(RecordSet(self.order, noted),))
