"""The rows of `order_item` and `booked_session`: the lines of booked Orders."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import Record
from openbooking.booking.rules.order_lines import OrderLine, order_lines
from openbooking.store.documents import microseconds
from openbooking.store.views.results import hundredths


class OrderItemKey(NamedTuple):
    """The key of a line of an Order that is removed."""

    partner: str
    uuid: str
    number: int
    replaced: int


class OrderItemRow(NamedTuple):
    """A line of a booked Order: equal items."""

    partner: str
    uuid: str
    number: int
    replaced: int
    seller: str
    opportunity: str
    starts: int | None
    quantity: int
    status: str
    sold_at: int | None
    ended_at: int | None
    price: int
    tax: int
    refund: int
    currency: str | None
    vat: str
    rate: int
    activity: str
    venue: str


class BookedSessionRow(NamedTuple):
    """The start of an Opportunity for which an Order has a current item."""

    seller: str
    starts: int
    opportunity: str


class OrderItemChanges(NamedTuple):
    """How the lines of an Order change: the keys of rows to remove, rows to write, and starts to remember."""

    removed: Sequence[OrderItemKey] = ()
    written: Sequence[OrderItemRow] = ()
    sessions: Sequence[BookedSessionRow] = ()


def order_item_rows(
    key: OrderKey, before: Record | None, after: Record | None, lines: tuple[OrderLine, ...]
) -> OrderItemChanges:
    """Return how the lines of an Order change with its record.

    Args:
        key: The key of the record.
        before: The record that the database holds.
        after: The record after the change.
        lines: The lines of the record after the change.
    """
    if after is None and before is None:
        return OrderItemChanges()
    old = {(line.number, line.replaced): line for line in order_lines(before)} if before else {}
    if after is None or not (lines or old):
        return OrderItemChanges([OrderItemKey(*key, number, replaced) for number, replaced in old])
    new = {(line.number, line.replaced): line for line in lines}
    written = [_row(after, line) for name, line in new.items() if old.get(name) != line]
    return OrderItemChanges(
        [OrderItemKey(*key, number, replaced) for number, replaced in old.keys() - new.keys()],
        written,
        [
            BookedSessionRow(row.seller, row.starts, row.opportunity)
            for row in written
            if row.starts is not None and not row.replaced
        ],
    )


def _row(record: Record, line: OrderLine) -> OrderItemRow:
    return OrderItemRow(
        partner=record.partner,
        uuid=record.uuid,
        number=line.number,
        replaced=line.replaced,
        seller=record.seller,
        opportunity=line.opportunity,
        starts=_microseconds(line.starts),
        quantity=line.quantity,
        status=line.status,
        sold_at=_microseconds(line.sold_at),
        ended_at=_microseconds(line.ended_at),
        price=hundredths(line.price),
        tax=hundredths(line.tax),
        refund=hundredths(line.refund),
        currency=line.currency,
        vat=line.vat,
        rate=hundredths(100 * line.rate),
        activity=line.activity,
        venue=line.venue,
    )


def _microseconds(at: datetime | None) -> int | None:
    return microseconds(at) if at else None
