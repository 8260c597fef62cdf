"""The Seller amends an OrderProposal (OB 5.5.5.2)."""

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.errors import NoNegotiationError, UnacceptableAmendmentError
from openbooking.booking.model.order import BookedItem, Order, OrderKey, SeenProposal
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules import lifecycle
from openbooking.booking.rules.accepted_offer import unpriced
from openbooking.booking.rules.pricing import pricing_of, tax_charges, totals
from openbooking.openactive.errors import NotFoundError
from openbooking.openactive.money import PRICE_LIMIT, is_price
from openbooking.openactive.terms import FlowRequirement, OrderProposalStatus


class AmendProposal(ActorCommand, frozen=True, kw_only=True):
    """Offer an OrderProposal in a new version, if one of its Offers allows negotiation.

    Attributes:
        order: The key of the OrderProposal.
        version: A fresh UUID for the new version.
        note: The note to the Customer, if any.
        seen: The OrderProposal as the Seller saw it; None to decide whatever has changed since.
        without: The numbers of the items that the new version leaves out.
        prices: New prices, by the numbers of their items.
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
        """Set the new version, which awaits acceptance again (AMB-17).

        Raises:
            UnknownOrderError: No OrderProposal has the key.
            ProposalExpiredError: The lifetime of the OrderProposal has ended.
            ProposalChangedError: The OrderProposal is not as the Seller saw it.
            NoteTooSoonError: The note follows the last one too soon.
            NoNegotiationError: No Offer allows negotiation.
            NotFoundError: The OrderProposal has no item with one of the numbers.
            UnacceptableAmendmentError: No item is left, or a price or the total cannot be paid.
            ProposalRejectedError: The OrderProposal was rejected before.
        """
        record = lifecycle.current_proposal(situation, self.order)
        lifecycle.check_lifetime(situation, record.proposal)
        lifecycle.check_seen(record.proposal, self.seen)
        lifecycle.check_note(situation, record.proposal, self.note)
        if not record.order.asks_for(FlowRequirement.NEGOTIATION):
            raise NoNegotiationError
        items = record.numbered()
        if not items.keys() >= self.without | self.prices.keys():
            raise NotFoundError("The OrderProposal has no such item.")
        offered = tuple(self._offered(item, record.order) for item, _ in items.values() if self._keeps(item))
        if not offered:
            raise UnacceptableAmendmentError("An amendment leaves at least one item: reject the OrderProposal instead.")
        if totals(offered, pricing_of(record.order)).price >= PRICE_LIMIT:
            raise UnacceptableAmendmentError("The total of the OrderProposal would be too large to be paid.")
        stamp = self.stamp(situation)
        awaiting = lifecycle.with_status(situation, record, OrderProposalStatus.AWAITING, stamp, self.note)
        amended = lifecycle.with_version(awaiting, self.version, offered, stamp)
        return Decision(reply=None, changes=(RecordSet(self.order, amended),))

    def _keeps(self, item: BookedItem) -> bool:
        return item.number not in self.without

    def _offered(self, item: BookedItem, order: Order) -> BookedItem:
        """Return the item at its new price, if it has one."""
        price = self.prices.get(item.number)
        if price is None:
            return item
        if order.dynamic or not is_price(price):
            raise UnacceptableAmendmentError(f"{price} cannot be the price of an item in this OrderProposal.")
        currency = item.offer.currency or order.totals.currency
        if price and currency is None:
            raise UnacceptableAmendmentError("The OrderProposal has no currency for the price.")
        offer = replace(item.offer, price=price, currency=currency) if price else unpriced(item.offer)
        return replace(item, offer=offer, tax=tax_charges(offer, pricing_of(order)))
