"""The lines of an Order: its equal items together, with the money that was due for them, and when.

Sales, takings and refunds are sums of lines. A replaced item has two lines: the line of the booked item ends at the
time of the replacement, and the line of the new item begins then. A change of the name, time or location of an
Opportunity (`rules.logistics`) is no replacement.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.order import BookedItem
from openbooking.booking.model.record import ItemState, OrderRecord, Record
from openbooking.booking.rules.matching_keys import activities_of, venue_of
from openbooking.booking.rules.pricing import Pricing, amount_due, pricing_of
from openbooking.openactive.money import ZERO
from openbooking.openactive.terms import OrderItemStatus


class OrderStatus(StrEnum):
    """Whether the items of an Order are cancelled: none, some or all of them."""

    BOOKED = "booked"
    PARTLY_CANCELLED = "partly-cancelled"
    CANCELLED = "cancelled"


class LineStatus(StrEnum):
    """Whether the items of a line are sold, or how they came to an end."""

    SOLD = "sold"
    CUSTOMER_CANCELLED = "customer-cancelled"
    SELLER_CANCELLED = "seller-cancelled"
    REPLACED = "replaced"


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """Equal items of an Order.

    Attributes:
        number: The number of the first of the items.
        is_replaced: Whether these are booked items that were replaced. Their replacements have a line of their own,
            with the same number.
        quantity: The number of items.
        opportunity: The path of the Opportunity.
        starts: The start of the Opportunity; None if it has none.
        status: Whether the items are sold, cancelled or replaced.
        sold_at: When they were sold; None if that is unknown.
        ended_at: When they were cancelled or replaced; None if they were not, or if that is unknown.
        price: The price of one item, with tax.
        tax: The tax in the price of one item, as the Order states it.
        refund: What the Broker owes the Customer for one item: nothing, if nothing was paid in advance.
        currency: The currency; None for a price of 0.
        vat: The VAT treatment; empty if the Order states no tax.
        rate: The rate of VAT as a fraction; 0 if the Order states no tax.
        activity: The key of the first activity; empty if none is known.
        venue: The key of the venue; empty if none is known.
    """

    number: int
    is_replaced: bool = False
    quantity: int = 1
    opportunity: str
    starts: datetime | None
    status: LineStatus
    sold_at: datetime | None
    ended_at: datetime | None = None
    price: Decimal
    tax: Decimal = ZERO
    refund: Decimal = ZERO
    currency: str | None = None
    vat: str = ""
    rate: Decimal = Decimal(0)
    activity: str = ""
    venue: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether the items were cancelled or replaced."""
        return self.status is not LineStatus.SOLD


_ENDED = {
    OrderItemStatus.CUSTOMER_CANCELLED: LineStatus.CUSTOMER_CANCELLED,
    OrderItemStatus.SELLER_CANCELLED: LineStatus.SELLER_CANCELLED,
}


def order_lines(record: Record | None) -> tuple[OrderLine, ...]:
    """Return the lines of a booked Order, in the order of their first items; other records have none."""
    if not isinstance(record, OrderRecord):
        return ()
    lines = tuple(_single_lines(record))
    if len({line.opportunity for line in lines}) == len(lines):
        return lines
    groups: dict[OrderLine, OrderLine] = {}
    for line in lines:
        alike = replace(line, number=0)
        known = groups.get(alike)
        groups[alike] = replace(known, quantity=known.quantity + 1) if known else line
    return tuple(groups.values())


def ended_lines(record: Record | None) -> tuple[OrderLine, ...]:
    """Return the lines of a booked Order that were cancelled or replaced."""
    if not isinstance(record, OrderRecord) or _is_as_booked(record):
        return ()
    return tuple(line for line in order_lines(record) if line.has_ended)


def order_status(record: OrderRecord) -> OrderStatus:
    """Return the status of an Order."""
    cancelled = [state.status in _ENDED for state in record.states]
    if all(cancelled):
        return OrderStatus.CANCELLED
    return OrderStatus.PARTLY_CANCELLED if any(cancelled) else OrderStatus.BOOKED


def value_of_order(record: OrderRecord) -> Decimal:
    """Return the total of the items that are not cancelled."""
    return record.order.totals.price if _is_as_booked(record) else value_of(order_lines(record))


def currency_of_order(record: OrderRecord) -> str | None:
    """Return the currency of an Order; None if nothing in it has a price."""
    if not _is_as_booked(record):
        return currency_of(order_lines(record))
    return next((item.offer.currency for item in record.order.items if item.offer.price), None)


def value_of(lines: tuple[OrderLine, ...]) -> Decimal:
    """Return the total of the lines that have not ended."""
    return sum((line.price * line.quantity for line in lines if not line.has_ended), ZERO)


def currency_of(lines: tuple[OrderLine, ...]) -> str | None:
    """Return the currency of an Order with these lines; all its prices have the same one."""
    return next((line.currency for line in lines if line.currency), None)


def _is_as_booked(record: OrderRecord) -> bool:
    """Whether no item was cancelled or replaced, nor changed its name, time or location."""
    return not any(state.status in _ENDED or state.replacement for state in record.states)


def _single_lines(record: OrderRecord) -> Iterator[OrderLine]:
    pricing, prepaid = pricing_of(record.order), record.payment is not None
    sold_at = _time(record.booked)
    for booked, (item, state) in zip(record.order.items, record.items(), strict=True):
        line = _line(item, pricing, sold_at)
        if _is_exchanged(booked, item):
            exchanged_at = _time(state.replaced or state.changed)
            before = _line(booked, pricing, sold_at)
            refund = before.price - line.price if prepaid else ZERO
            yield replace(before, is_replaced=True, status=LineStatus.REPLACED, ended_at=exchanged_at, refund=refund)
            line = replace(line, sold_at=exchanged_at)
        yield _with_end(line, state, prepaid=prepaid)


def _is_exchanged(booked: BookedItem, item: BookedItem) -> bool:
    return booked is not item and (booked.opportunity.path, booked.offer) != (item.opportunity.path, item.offer)


def _with_end(line: OrderLine, state: ItemState, *, prepaid: bool) -> OrderLine:
    if not state.status.cancelled:
        return line
    refund = line.price if prepaid else ZERO
    return replace(line, status=_ENDED[state.status], ended_at=_time(state.cancelled), refund=refund)


def _line(item: BookedItem, pricing: Pricing, sold_at: datetime | None) -> OrderLine:
    opportunity, offer, taxes = item.opportunity, item.offer, item.tax
    family = (opportunity, *item.parents)
    price = amount_due(offer, pricing)
    return OrderLine(
        number=item.number,
        opportunity=opportunity.path,
        starts=opportunity.start,
        status=LineStatus.SOLD,
        sold_at=sold_at,
        price=price,
        tax=sum([charge.price for charge in taxes], ZERO) if taxes else ZERO,
        currency=offer.currency if price else None,
        vat=offer.vat if taxes else "",
        rate=offer.vat.rate if taxes else ZERO,
        activity=next(iter(opportunity.activities or activities_of(family)), ""),
        venue=opportunity.venue or venue_of(family),
    )


def _time(stamp: Stamp | None) -> datetime | None:
    return stamp.at if stamp else None
