"""OrderItems as people read them: what, when, where, for which price, and what has become of it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from openbooking.broker.api.replies import by_position
from openbooking.broker.errors import ItemFault, Reply
from openbooking.broker.wording import fault_text
from openbooking.openactive.messages import OrderItem
from openbooking.openactive.published.values import (
    UnreadableError,
    read_duration,
    read_instant,
    read_price,
    read_text,
)
from openbooking.openactive.terms import OrderItemStatus

# Returns the properties of an Opportunity or an Offer that an OrderItem contains, or names by its `@id` alone.
Whole = Callable[[object], Mapping[str, Any]]

_STATUS = {
    OrderItemStatus.CONFIRMED.value: "booked",
    OrderItemStatus.CUSTOMER_CANCELLED.value: "cancelled by you",
    OrderItemStatus.SELLER_CANCELLED.value: "cancelled by the organiser",
    OrderItemStatus.ATTENDED.value: "attended",
    OrderItemStatus.ABSENT.value: "missed",
}
_CANCELLED = {status.value for status in OrderItemStatus if status.cancelled}


def object_of(reference: object) -> Mapping[str, Any]:
    """Return an object of a message; an empty one if there is none, or only its `@id`."""
    return reference if isinstance(reference, dict) else {}


class DescribedItem(NamedTuple):
    """An OrderItem of a basket or of a booking.

    Attributes:
        key: The position in a basket, or the `@id` in a booking.
        name: What is booked; empty if it is not known.
        start: The start; None if it has none.
        place: The name of the place; empty if it is not known.
        price: The price; None if it is not known.
        currency: The currency of the price; empty if there is none.
        status: The status in words for the Customer; empty in a basket.
        is_cancelled: Whether the item is cancelled.
        can_cancel: Whether the Customer can cancel the item now, and gets its price back (OB 7.3).
        remarks: What the Seller says, and codes for the entry.
        faults: What is wrong with the item, in words.
    """

    key: str
    name: str
    start: datetime | None
    place: str
    price: Decimal | None
    currency: str
    status: str = ""
    is_cancelled: bool = False
    can_cancel: bool = False
    remarks: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


def describe_quote(reply: Reply, faults: Iterable[ItemFault]) -> tuple[DescribedItem, ...]:
    """Return the items of a quote, in the order of their positions, with those of the errors that belong to them."""
    told = list(faults)
    return tuple(
        describe(str(position), item)._replace(
            status="", faults=tuple(fault_text(fault) for fault in told if fault.position == position)
        )
        for position, item in sorted(by_position(reply).items(), key=lambda pair: pair[0])
    )


def describe(key: str, item: OrderItem, whole: Whole = object_of, now: datetime | None = None) -> DescribedItem:
    """Return an OrderItem as people read it.

    Args:
        key: The key of the item.
        item: The item.
        whole: Returns the properties of its Opportunity and its Offer.
        now: The current time, with a zone; None if it does not matter whether the item can be cancelled.
    """
    opportunity, offer = whole(item.ordered_item), whole(item.accepted_offer)
    parent = object_of(opportunity.get("superEvent") or opportunity.get("facilityUse"))
    joined = {**parent, **opportunity}
    start, status = _start(joined), item.order_item_status or ""
    said = (item.cancellation_message, item.customer_notice)
    codes = (f"{code.name or 'Code'}: {code.description}" for code in item.access_code)
    return DescribedItem(
        key=key,
        name=read_text(joined.get("name")) or "",
        start=start,
        place=read_text(object_of(joined.get("location")).get("name")) or "",
        price=_price(offer),
        currency=read_text(offer.get("priceCurrency")) or "",
        status=_STATUS.get(status, ""),
        is_cancelled=status in _CANCELLED,
        can_cancel=now is not None and status == OrderItemStatus.CONFIRMED and _is_refunded(offer, start, now),
        remarks=(*(text for text in said if text), *codes),
    )


def _is_refunded(offer: Mapping[str, Any], start: datetime | None, now: datetime) -> bool:
    """Return whether an Offer allows the Customer to cancel now, for its full price."""
    if offer.get("allowCustomerCancellationFullRefund") is not True:
        return False
    if start is None or "latestCancellationBeforeStartDate" not in offer:
        return True
    try:
        return now <= start - read_duration(offer["latestCancellationBeforeStartDate"])
    except (UnreadableError, OverflowError):
        return False


def _price(offer: Mapping[str, Any]) -> Decimal | None:
    try:
        return read_price(offer.get("price"))
    except UnreadableError:
        return None


def _start(thing: Mapping[str, Any]) -> datetime | None:
    try:
        return read_instant(thing.get("startDate")).at
    except UnreadableError:
        return None
