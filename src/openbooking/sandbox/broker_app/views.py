"""What templates show of hits, quotes and Orders."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from openbooking.broker import Hit, ItemFault, Offer
from openbooking.openactive.messages import OrderFeedData, OrderProposalFeedData
from openbooking.openactive.messages.items import OrderItem
from openbooking.openactive.published.values import UnreadableError, read_duration, read_text
from openbooking.openactive.terms import OrderItemStatus

from .amounts import day_and_time, money, read_time
from .words import fault_text

# The latest version of an Order or OrderProposal.
Version = OrderFeedData | OrderProposalFeedData
Whole = Callable[[object], Mapping[str, Any]]
_STATUS = {
    OrderItemStatus.CONFIRMED.value: "booked",
    OrderItemStatus.CUSTOMER_CANCELLED.value: "cancelled by you",
    OrderItemStatus.SELLER_CANCELLED.value: "cancelled by the organiser",
    OrderItemStatus.ATTENDED.value: "attended",
    OrderItemStatus.ABSENT.value: "missed",
}
_CANCELLED = {OrderItemStatus.CUSTOMER_CANCELLED.value, OrderItemStatus.SELLER_CANCELLED.value}


class Card(NamedTuple):
    """A hit, as the page of hits shows it."""

    hit: Hit
    when: str
    place: str
    seller: str
    offers: tuple[tuple[str, str], ...]
    most: int
    distance: str


class Line(NamedTuple):
    """An item of a basket or of an Order.

    Attributes:
        key: The position in a basket, or the `@id` in an Order.
        name: What is booked.
        when: The day and the time; empty if it has none.
        place: The place; empty if it is not known.
        price: The price; empty if it is not known.
        status: The status in words; empty in a basket.
        is_cancelled: Whether the item is cancelled.
        remarks: What the organiser says, and codes for the entry.
        faults: What is wrong with the item.
        refund: What is paid back if the Customer cancels now; empty if the Customer cannot cancel.
    """

    key: str
    name: str
    when: str
    place: str
    price: str
    status: str
    is_cancelled: bool
    remarks: tuple[str, ...]
    faults: tuple[str, ...]
    refund: str


def card_of(hit: Hit) -> Card:
    """Return what the page of hits shows of a hit."""
    return Card(
        hit=hit,
        when=day_and_time(hit.start) if hit.start else "at any time",
        place=_place(hit.opportunity),
        seller=read_text((hit.seller or {}).get("name")) or "",
        offers=tuple((offer.id, _offer_text(offer)) for offer in hit.offers),
        most=min(hit.spaces or 1, 8),
        distance=f"{hit.distance:.1f} km away" if hit.distance is not None else "",
    )


def lines_of_quote(items: Iterable[OrderItem], faults: Iterable[ItemFault], whole: Whole) -> tuple[Line, ...]:
    """Return the items of a quote, in the order of their positions."""
    found = list(enumerate(items))
    by_position = [(item.position if item.position is not None else index, item) for index, item in found]
    told = list(faults)
    return tuple(
        _line(str(position), item, whole, [fault_text(fault) for fault in told if fault.position == position])
        for position, item in sorted(by_position, key=lambda pair: pair[0])
    )


def lines_of_order(version: Version, whole: Whole) -> tuple[Line, ...]:
    """Return the items of an Order or OrderProposal."""
    return tuple(_line(item.id or "", item, whole, []) for item in version.ordered_item)


def _line(key: str, item: OrderItem, whole: Whole, faults: list[str]) -> Line:
    opportunity, offer = whole(item.ordered_item), whole(item.accepted_offer)
    parent = whole(opportunity.get("superEvent") or opportunity.get("facilityUse"))
    joined = {**parent, **opportunity}
    start = read_time(joined.get("startDate"))
    status = item.order_item_status or ""
    is_open = status == OrderItemStatus.CONFIRMED
    return Line(
        key=key,
        name=read_text(joined.get("name")) or "Your booking",
        when=day_and_time(start) if start else "",
        place=_place(joined),
        price=_price_text(offer),
        status=_STATUS.get(status, ""),
        is_cancelled=status in _CANCELLED,
        remarks=_remarks(item),
        faults=tuple(faults),
        refund=_refund(offer, start, datetime.now(UTC)) if is_open else "",
    )


def _remarks(item: OrderItem) -> tuple[str, ...]:
    said = (item.cancellation_message, item.customer_notice)
    codes = [f"{code.name or 'Code'}: {code.description}" for code in item.access_code]
    return tuple([text for text in said if text] + codes)


def _refund(offer: Mapping[str, Any], start: datetime | None, now: datetime) -> str:
    """Return what is paid back for an item that is cancelled now; empty if its Offer does not allow that (OB 7.3)."""
    if offer.get("allowCustomerCancellationFullRefund") is not True:
        return ""
    if start and "latestCancellationBeforeStartDate" in offer:
        try:
            if now > start - read_duration(offer["latestCancellationBeforeStartDate"]):
                return ""
        except UnreadableError:
            return ""
    return _price_text(offer) or "the full price"


def _price_text(offer: Mapping[str, Any]) -> str:
    with suppress(InvalidOperation):
        return money(Decimal(str(offer["price"])), str(offer.get("priceCurrency", ""))) if "price" in offer else ""
    return ""


def _offer_text(offer: Offer) -> str:
    return f"{offer.name or 'Price'}: {money(offer.price, offer.currency)}"


def _place(opportunity: Mapping[str, Any]) -> str:
    location = opportunity.get("location")
    return (read_text(location.get("name")) or "") if isinstance(location, dict) else ""
