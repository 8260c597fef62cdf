"""PATCH of an Order: the Customer cancels items (OB 8.3.2, 9.2.8)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.model.activity import Action
from openbooking.booking.model.opportunity import Offer
from openbooking.booking.model.order import BookedItem, Caller
from openbooking.booking.model.situation import RecordSet, Situation
from openbooking.booking.rules.orders.lifecycle import booked_order, set_item_states
from openbooking.openactive.errors import (
    CancellationNotPermittedError,
    OrderItemIdInvalidError,
    OrderItemNotWithinOrderError,
    PatchNotAllowedOnPropertyError,
)
from openbooking.openactive.ids import OrderItemRef
from openbooking.openactive.terms import OrderItemStatus


class ItemPatch(msgspec.Struct, frozen=True, kw_only=True):
    """The change of one OrderItem in a PATCH of an Order.

    Attributes:
        item_id: The `@id` that the Broker sent.
        ref: The reference in that `@id`; None if it is not an OrderItem of this system.
        status: The `orderItemStatus` that the Broker sent.
    """

    item_id: str | None
    ref: OrderItemRef | None
    status: Any


def cancellation(caller: Caller, uuid: str, patches: Sequence[ItemPatch]) -> "Cancel":
    """Return the command of a PATCH of an Order. The PATCH is checked before the Order is loaded (AMB-57).

    Raises:
        PatchNotAllowedOnPropertyError: A status is not CustomerCancelled (OB-CAN-10).
        OrderItemIdInvalidError: An `@id` is not an OrderItem of this system (OB-CAN-14).
        OrderItemNotWithinOrderError: An item belongs to another Order (OB-CAN-13).
    """
    if any(patch.status != OrderItemStatus.CUSTOMER_CANCELLED for patch in patches):
        raise PatchNotAllowedOnPropertyError(f"orderItemStatus can only become {OrderItemStatus.CUSTOMER_CANCELLED}.")
    numbers = {_number(uuid, patch) for patch in patches}
    return Cancel(caller=caller, uuid=uuid, numbers=tuple(sorted(numbers)))


def _number(uuid: str, patch: ItemPatch) -> int:
    if patch.ref is None:
        raise OrderItemIdInvalidError(f"{patch.item_id} is not an OrderItem of this Booking System.")
    if patch.ref.uuid != uuid:
        raise OrderItemNotWithinOrderError
    return patch.ref.number


class Cancel(OrderCommand, frozen=True, kw_only=True):
    """Cancel some items of an Order for the Customer: all of these items, or none of them (OB-CAN-03).

    Attributes:
        numbers: The numbers of the items.
    """

    numbers: tuple[int, ...]

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.CUSTOMER_CANCELLED

    def decide(self, situation: Situation) -> Decision[None]:
        """Cancel the items that are not cancelled yet. A repeat changes nothing (OB-CAN-04).

        Raises:
            UnknownOrderError: No booked Order has the UUID.
            GoneError: The Order was deleted.
            OrderItemIdInvalidError: The Order has no item with one of the numbers.
            CancellationNotPermittedError: An item cannot be cancelled, or not any more.
        """
        record = booked_order(situation, self.key)
        self.caller.check_may_act_for(record.seller)
        items = record.items_by_number()
        if not items.keys() >= set(self.numbers):
            raise OrderItemIdInvalidError
        uncancelled = [items[number] for number in self.numbers if not items[number][1].status.cancelled]
        for item, _ in uncancelled:
            _check_permitted(situation, item)
        status = OrderItemStatus.CUSTOMER_CANCELLED
        states = {item.number: replace(state, status=status) for item, state in uncancelled}
        cancelled = set_item_states(record, states, self.stamp(situation))
        return Decision(reply=None, changes=(RecordSet(self.key, cancelled),) if uncancelled else ())


def _check_permitted(situation: Situation, item: BookedItem) -> None:
    """Raise CancellationNotPermittedError unless the Customer can cancel the item now (OB-CAN-05)."""
    opportunity = situation.opportunity_of(item)
    if opportunity.start and opportunity.start <= situation.now:
        raise CancellationNotPermittedError("This booking can no longer be cancelled, because it has started.")
    if not item.offer.full_refund_on_cancellation:
        raise CancellationNotPermittedError("This booking cannot be cancelled.")
    if opportunity.start:
        _check_notice(situation, item.offer, opportunity.start)


def _check_notice(situation: Situation, offer: Offer, start: datetime) -> None:
    latest_instant = start - (offer.latest_cancellation_before_start or timedelta())
    if latest_instant <= situation.now:
        latest = latest_instant.astimezone(situation.policy.time_zone).strftime("%d %B %Y, %H:%M %Z")
        raise CancellationNotPermittedError(f"This booking could be cancelled until {latest}.")
