"""The rows of `ended_line` and `booked_session`, and the starts in `claim`."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from openbooking.booking.model.record import OrderRecord, Record
from openbooking.booking.rules.order_lines import OrderLine, ended_lines
from openbooking.store.documents import microseconds
from openbooking.store.views.results import hundredths


class EndedLineKey(NamedTuple):
    """The key of a line that is removed from the ended ones."""

    partner: str
    uuid: str
    number: int
    replaced: int


class EndedLineRow(NamedTuple):
    """Equal items of an Order that were cancelled or replaced."""

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


class LineChanges(NamedTuple):
    """How the ended lines of an Order change: the keys of rows to remove, and rows to write."""

    removed: Sequence[EndedLineKey] = ()
    written: Sequence[EndedLineRow] = ()


def ended_line_rows(before: Record | None, after: Record | None) -> LineChanges:
    """Return how the ended lines of an Order change with its record.

    Args:
        before: The record that the database holds.
        after: The record after the change.
    """
    old = {(line.number, line.is_replaced): line for line in ended_lines(before)}
    new = {(line.number, line.is_replaced): line for line in ended_lines(after)}
    return LineChanges(
        [EndedLineKey(*before.key, *_number(line)) for name, line in old.items() if name not in new] if before else (),
        [_row(after, line) for name, line in new.items() if old.get(name) != line] if after else (),
    )


def booked_session_rows(before: Record | None, after: Record | None) -> Sequence[BookedSessionRow]:
    """Return the starts of current items that the record before the change does not have."""
    if not isinstance(after, OrderRecord):
        return ()
    known = set(booked_session_rows(None, before))
    rows = (
        BookedSessionRow(after.seller, microseconds(start), item.opportunity.path)
        for item, _ in after.items()
        if (start := item.opportunity.start)
    )
    return [row for row in dict.fromkeys(rows) if row not in known]


def starts_of_sold(record: Record) -> dict[str, int]:
    """Return when the earliest sold item of each Opportunity in an Order starts; other records have none."""
    starts: dict[str, int] = {}
    for item, state in record.items() if isinstance(record, OrderRecord) else ():
        path, start = item.opportunity.path, item.opportunity.start
        if start and not state.status.cancelled:
            at = microseconds(start)
            starts[path] = min(at, starts.get(path, at))
    return starts


def _number(line: OrderLine) -> tuple[int, int]:
    return line.number, int(line.is_replaced)


def _row(record: Record, line: OrderLine) -> EndedLineRow:
    return EndedLineRow(
        partner=record.partner,
        uuid=record.uuid,
        number=line.number,
        replaced=int(line.is_replaced),
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
