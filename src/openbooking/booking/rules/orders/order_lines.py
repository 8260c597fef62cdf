"""The lines of an Order: its equal items together, with the money that was due for them, and when.

Sales, takings and refunds are sums of lines. A replaced item has a line for each item that it was in turn: the line of
the booked item ends at the time of the first replacement, and the line of the new item begins then. A change of the
name, time or location of an Opportunity (`rules.logistics`) is no replacement.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.former_item import FormerItem
from openbooking.booking.model.order import BookedItem
from openbooking.booking.model.record import ItemState, OrderRecord, Record
from openbooking.booking.rules.opportunities.matching_keys import activities_of, venue_of
from openbooking.booking.rules.orders.pricing import Pricing, amount_due, pricing_of
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
        replaced: 0 for current items, 1 for booked items that were replaced, 2 for their replacements that were
            replaced in turn, and so on. All of these have the same number, and each has a line of its own.
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
    replaced: int = 0
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
    if record.payments:
        lines = _with_refunds_of_later_payments(record, lines)
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


def former_items(record: OrderRecord, number: int) -> tuple[FormerItem, ...]:
    """Return the earlier replacements of an item, and its present replacement as the last of them.

    They are the `former` of the item when it is replaced again; empty if the item was never replaced.
    """
    found = zip(record.order.items, record.items(), strict=True)
    booked, item, state = next((booked, item, state) for booked, (item, state) in found if item.number == number)
    if not _was_exchanged(booked, item, state):
        return ()
    sold = state.replaced or state.changed
    line = _line(item, pricing_of(record.order), _time(sold))
    present = FormerItem(
        opportunity=line.opportunity,
        starts=line.starts,
        sold=sold,
        price=line.price,
        tax=line.tax,
        currency=line.currency,
        vat=line.vat,
        rate=line.rate,
        activity=line.activity,
        venue=line.venue,
    )
    return (*state.former, present)


def _is_as_booked(record: OrderRecord) -> bool:
    """Whether no item was cancelled or replaced, nor changed its name, time or location."""
    return not any(state.status in _ENDED or state.replacement for state in record.states)


def _single_lines(record: OrderRecord) -> Iterator[OrderLine]:
    pricing, prepaid = pricing_of(record.order), record.payment is not None
    sold_at = _time(record.booked)
    for booked, (item, state) in zip(record.order.items, record.items(), strict=True):
        lines = [_line(item, pricing, sold_at)]
        if _was_exchanged(booked, item, state):
            former = (_former_line(booked.number, earlier) for earlier in state.former)
            present = _line(item, pricing, _time(state.replaced or state.changed))
            lines = [_line(booked, pricing, sold_at), *former, present]
        for step, (before, after) in enumerate(pairwise(lines), 1):
            refund = before.price - after.price if prepaid else ZERO
            yield replace(before, replaced=step, status=LineStatus.REPLACED, ended_at=after.sold_at, refund=refund)
        yield _with_end(lines[-1], state, prepaid=prepaid)


def _with_refunds_of_later_payments(record: OrderRecord, lines: tuple[OrderLine, ...]) -> tuple[OrderLine, ...]:
    """Return the lines with the refunds of an Order that was paid, perhaps in part, after it was booked.

    When items end, everything is given back that was paid before and is not due any more.
    """
    refunded = list(lines)
    given_back = ZERO
    for at in sorted({line.ended_at for line in lines if line.ended_at}):
        paid = sum((payment.amount for payment in record.payments if payment.taken.at and payment.taken.at <= at), ZERO)
        left = max(paid - given_back - _value_at(lines, at), ZERO)
        for place, line in enumerate(lines):
            if line.ended_at == at:
                refund = min(line.price - _price_after(lines, line), left)
                refunded[place] = replace(line, refund=refund)
                left, given_back = left - refund, given_back + refund
    return tuple(refunded)


def _value_at(lines: tuple[OrderLine, ...], at: datetime) -> Decimal:
    """Return the total of single items that were sold by this time and had not ended then."""
    current = (line for line in lines if line.sold_at is None or line.sold_at <= at)
    return sum((line.price for line in current if not line.has_ended or (line.ended_at and line.ended_at > at)), ZERO)


def _price_after(lines: tuple[OrderLine, ...], ended: OrderLine) -> Decimal:
    """Return the price of the replacement of an item that has ended; 0 if it was cancelled."""
    if not ended.replaced:
        return ZERO
    steps = {line.replaced: line for line in lines if line.number == ended.number}
    return steps.get(ended.replaced + 1, steps[0]).price


def _was_exchanged(booked: BookedItem, item: BookedItem, state: ItemState) -> bool:
    """Return whether an item was replaced by another Opportunity or Offer, also if it is the booked one again."""
    return bool(state.former) or _is_another(booked, item)


def _is_another(booked: BookedItem, item: BookedItem) -> bool:
    return booked is not item and (booked.opportunity.path, booked.offer) != (item.opportunity.path, item.offer)


def _with_end(line: OrderLine, state: ItemState, *, prepaid: bool) -> OrderLine:
    if not state.status.cancelled:
        return line
    refund = line.price if prepaid else ZERO
    return replace(line, status=_ENDED[state.status], ended_at=_time(state.cancelled), refund=refund)


def _former_line(number: int, former: FormerItem) -> OrderLine:
    return OrderLine(
        number=number,
        opportunity=former.opportunity,
        starts=former.starts,
        status=LineStatus.SOLD,
        sold_at=_time(former.sold),
        price=former.price,
        tax=former.tax,
        currency=former.currency,
        vat=former.vat,
        rate=former.rate,
        activity=former.activity,
        venue=former.venue,
    )


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
