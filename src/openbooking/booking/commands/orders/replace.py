"""The Seller replaces the Opportunity of a booked item (OB 8.4.3.1, 8.4.6)."""

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.opportunity import Offer, Opportunity, applicable_offers
from openbooking.booking.model.order import BookedItem, BookedOrder, Order, OrderKey
from openbooking.booking.model.situation import Needs, Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.opportunities.bookability import Pair, conditions_of, why_not_bookable
from openbooking.booking.rules.opportunities.cancellation_effects import sell
from openbooking.booking.rules.opportunities.capacity import first_without_spaces
from openbooking.booking.rules.orders import lifecycle
from openbooking.booking.rules.orders.accepted_offer import unpriced_offer
from openbooking.booking.rules.orders.access import grant_access
from openbooking.booking.rules.orders.order_lines import former_items
from openbooking.booking.rules.orders.prepayment import prepayment_of
from openbooking.booking.rules.orders.pricing import amount_due, can_be_paid, pricing_of, tax_charges
from openbooking.booking.rules.orders.required_details import missing_details
from openbooking.booking.rules.size_limits import check_record
from openbooking.openactive.errors import NotFoundError, UnacceptableReplacementError
from openbooking.openactive.ids import OfferRef
from openbooking.openactive.terms import OrderItemStatus


class Replace(ActorCommand, frozen=True, kw_only=True):
    """Replace the Opportunity or the Offer of a booked item, at the same price or less (OB-SEL-06).

    Attributes:
        order: The key of the Order.
        number: The number of the item.
        opportunity: The path of the new Opportunity.
        offer: The reference of the new Offer.
        nonce: A fresh secret, which is not stored. Access codes are derived from it.
    """

    order: OrderKey
    number: int
    opportunity: str
    offer: OfferRef
    nonce: str = ""

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.ITEM_REPLACED

    def needs(self) -> Needs:
        """Return the record of the Order, and the new Opportunity with its Offer."""
        return Needs(
            records=frozenset({self.order}),
            opportunities=frozenset({self.opportunity}),
            lookups=frozenset({self.offer.owner}),
            fills=frozenset({self.opportunity}),
        )

    def decide(self, situation: Situation) -> Decision[None]:
        """Replace the item. The Orders feed shows the replacement.

        Raises:
            UnknownOrderError: No booked Order has the key.
            GoneError: The Order was deleted.
            NotFoundError: The Order has no such item.
            UnacceptableReplacementError: The new Opportunity cannot be booked with the new Offer, costs more, is paid
                in another way, or belongs to another Seller (OB-SEL-07).
            RequestTooLargeError: The Order would take too many bytes.
        """
        record = lifecycle.booked_order(situation, self.order)
        order = record.order
        found = record.items_by_number().get(self.number)
        if found is None:
            raise NotFoundError(f"The Order has no item {self.number}.")
        item, state = found
        if state.status is not OrderItemStatus.CONFIRMED:
            raise UnacceptableReplacementError("Only a confirmed item can be replaced.")
        opportunity, offer = self._pair(situation, order)
        self._check(situation, order, item, opportunity, offer)
        _check_details(order, self.number, offer)
        replacement = replace(
            item.set_opportunity(opportunity, situation.parents(opportunity)),
            offer=offer,
            tax=() if order.dynamic else tax_charges(offer, pricing_of(order)),
            access=grant_access(opportunity.access, self.nonce, item.number, item.own_passes),
        )
        stamp = self.stamp(situation)
        replaced_state = replace(
            state,
            replacement=replacement,
            access=None,
            logistics_changed=False,
            replaced=stamp,
        )
        # The limit of bytes does not count what the item was sold as before, because past sales must not change.
        check_record(record, lifecycle.set_item_states(record, {self.number: replaced_state}, stamp), situation.policy)
        replaced_state = replace(replaced_state, former=former_items(record, self.number))
        replaced = lifecycle.set_item_states(record, {self.number: replaced_state}, stamp)
        return Decision(reply=None, changes=sell(situation, replaced))

    def _check(
        self, situation: Situation, order: Order, item: BookedItem, opportunity: Opportunity, offer: Offer
    ) -> None:
        """Raise UnacceptableReplacementError if the replacement cannot be booked or costs more (OB-SEL-07)."""
        same_opportunity = opportunity.path == item.opportunity.path
        if same_opportunity and offer.ref == item.offer.ref:
            raise UnacceptableReplacementError("The replacement is the booked Opportunity with the booked Offer.")
        pricing = pricing_of(order)
        if not can_be_paid(offer, pricing):
            raise UnacceptableReplacementError("The replacement has a price that cannot be paid.")
        dearer = offer.price > item.offer.price or amount_due(offer, pricing) > amount_due(item.offer, pricing)
        paid_otherwise = prepayment_of(offer) is not prepayment_of(item.offer)
        in_other_currency = offer.price and offer.currency != item.offer.currency
        if dearer or paid_otherwise or in_other_currency:
            raise UnacceptableReplacementError("The replacement costs more, or is paid in another way.")
        pair = Pair(opportunity, offer, order.seller, situation.parents(opportunity))
        conditions = conditions_of(offer, is_entitled=item.offer.restricted)
        reason = why_not_bookable(pair, situation.now, conditions)
        if reason:
            raise UnacceptableReplacementError(reason)
        released = {item.opportunity.path: Spaces(booked=-1)}
        if first_without_spaces(situation, {opportunity.path: 1}, released):
            raise UnacceptableReplacementError("The replacement is full.")

    def _pair(self, situation: Situation, order: Order) -> tuple[Opportunity, Offer]:
        opportunity = situation.opportunities.get(self.opportunity)
        if opportunity is None or opportunity.seller != order.seller.key:
            raise UnacceptableReplacementError("The Seller has no such Opportunity.")
        offers = applicable_offers(opportunity, situation.parents(opportunity))
        offer = next((offered for offered in offers if offered.ref == self.offer), None)
        if offer is None:
            raise UnacceptableReplacementError("The Offer does not apply to the Opportunity.")
        return opportunity, unpriced_offer(offer) if order.dynamic else offer


def _check_details(order: BookedOrder, number: int, offer: Offer) -> None:
    """Raise UnacceptableReplacementError if the Offer requires details that the Broker did not send at B.

    The Broker cannot send them any more. The Offer that was booked counts, not an earlier replacement. An Offer that
    requires approval is accepted, because the Seller makes the replacement.
    """
    booked_for = next(item.offer for item in order.items if item.number == number)
    attendee = order.personal.attendees.get(number) if order.personal else None
    missing = " ".join(error.description or "" for error in missing_details(offer, booked_for, attendee))
    if missing:
        raise UnacceptableReplacementError(f"The Order lacks details that the Offer requires. {missing}")
