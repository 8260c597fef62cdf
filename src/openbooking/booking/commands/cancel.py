"""Cancellation by the Customer (OB 8.3.2, 9.2.8)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.model.opportunity import Offer
from openbooking.booking.model.order import BookedItem, Caller
from openbooking.booking.model.situation import RecordSet, Situation
from openbooking.booking.rules.lifecycle import booked_order, with_states
from openbooking.openactive.errors import (
    CancellationNotPermittedError,
    OrderItemIdInvalidError,
    OrderItemNotWithinOrderError,
    PatchNotAllowedOnPropertyError,
)
from openbooking.openactive.ids import OrderItemRef
from openbooking.openactive.terms import OrderItemStatus


class ItemPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What a PATCH of an Order asks of an OrderItem: `ref` is what its `@id` names, if it has the form of ours."""

    item_id: str | None
    ref: OrderItemRef | None
    status: Any


def cancellation(caller: Caller, uuid: str, patches: Sequence[ItemPatch]) -> "Cancel":
    """The command that a PATCH of the Order with this UUID comes to, whether or not there is one (AMB-57).

    Items can only be given up (OB-CAN-10), and only those of this Order (OB-CAN-13, OB-CAN-14).
    """
    if any(patch.status != OrderItemStatus.CUSTOMER_CANCELLED for patch in patches):
        raise PatchNotAllowedOnPropertyError(f"orderItemStatus can only become {OrderItemStatus.CUSTOMER_CANCELLED}.")
    numbers = {_number(uuid, patch) for patch in patches}
    return Cancel(caller=caller, uuid=uuid, numbers=tuple(sorted(numbers)))


def _number(uuid: str, patch: ItemPatch) -> int:
    if patch.ref is None:
        raise OrderItemIdInvalidError(f"{patch.item_id} is no OrderItem of this Booking System.")
    if patch.ref.uuid != uuid:
        raise OrderItemNotWithinOrderError
    return patch.ref.number


class Cancel(OrderCommand, frozen=True, kw_only=True):
    """The Customer gives up the items of these numbers: all of them or none (OB-CAN-03)."""

    numbers: tuple[int, ...]

    def decide(self, situation: Situation) -> Decision[None]:
        """Cancel what is not cancelled yet; if nothing is left to do, succeed without a change (OB-CAN-04)."""
        record = booked_order(situation, self.key)
        self.caller.check_may_act_for(record.seller)
        items = record.numbered()
        if not items.keys() >= set(self.numbers):
            raise OrderItemIdInvalidError
        open_ = [items[number] for number in self.numbers if not items[number][1].status.cancelled]
        for item, _ in open_:
            _check_permitted(situation, item)
        status = OrderItemStatus.CUSTOMER_CANCELLED
        states = {item.number: replace(state, status=status) for item, state in open_}
        cancelled = with_states(record, states, self.stamp(situation))
        return Decision(reply=None, changes=(RecordSet(self.key, cancelled),) if open_ else ())


def _check_permitted(situation: Situation, item: BookedItem) -> None:
    """Raise CancellationNotPermittedError, with words for the Customer, unless the Offer allows it (OB-CAN-05)."""
    opportunity = situation.opportunities.get(item.opportunity.path, item.opportunity)
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
