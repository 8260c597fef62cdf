"""The rows of the tables that only views read, and the starts in `claim`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import OrderRecord, Record
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.orders.order_lines import LineStatus, OrderLine, ended_lines, order_lines
from openbooking.openactive.money import ZERO
from openbooking.store.documents import microseconds
from openbooking.store.views.results import hundredths

# A day is added up when it has ended for so long that all bookings of that day have been committed.
SETTLED_AFTER = timedelta(hours=1)


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


class SalesDayRow(NamedTuple):
    """A day of a Seller that has ended, whose sales are to be added up."""

    seller: str
    since: int
    until: int
    listed_at: int
    version: int
    summed: int


class SalesSumRow(NamedTuple):
    """A sum of the sales, or of the cancellations, of a day."""

    seller: str
    since: int
    is_sale: int
    partner: str
    activity: str
    venue: str
    currency: str
    vat: str
    rate: int
    items: int
    price: int
    tax: int
    refunds: int
    refund: int


class OutdatedTime(NamedTuple):
    """A time in the past at which a Seller is now known to have sold or cancelled something else."""

    seller: str
    at: int


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
    old = {_number(line): line for line in ended_lines(before)}
    new = {_number(line): line for line in ended_lines(after)}
    return LineChanges(
        [EndedLineKey(*before.key, *number) for number in old if number not in new] if before else (),
        [_row(after, line) for number, line in new.items() if old.get(number) != line] if after else (),
    )


def booked_session_rows(before: Situation, after: Record | None) -> Sequence[BookedSessionRow]:
    """Return the starts of current items that are not known yet.

    The start of a stored Opportunity is known as long as it is booked: its first booking has written it, or its change.

    Args:
        before: The situation that the database holds.
        after: The record of the items after the change.
    """
    if not isinstance(after, OrderRecord):
        return ()
    is_new = not isinstance(before.records.get(after.key), OrderRecord)
    return [
        BookedSessionRow(after.seller, microseconds(start), item.opportunity.path)
        for item, _ in after.items()
        if (start := item.opportunity.start) and not (is_new and _is_booked_at(before, item.opportunity.path, start))
    ]


def _is_booked_at(before: Situation, path: str, start: datetime) -> bool:
    spaces, opportunity = before.spaces.get(path), before.opportunities.get(path)
    return spaces is not None and spaces.booked > 0 and opportunity is not None and opportunity.start == start


def starts_of_sold(record: Record) -> dict[str, int]:
    """Return when the earliest sold item of each Opportunity in an Order starts; other records have none."""
    starts: dict[str, int] = {}
    for item, state in record.items() if isinstance(record, OrderRecord) else ():
        path, start = item.opportunity.path, item.opportunity.start
        if start and not state.status.cancelled:
            at = microseconds(start)
            starts[path] = min(at, starts.get(path, at))
    return starts


def outdated_times(before: Situation, after: Mapping[OrderKey, Record | None]) -> Sequence[OutdatedTime]:
    """Return the past times at which something else was sold or cancelled than the database says.

    Args:
        before: The situation that the database holds.
        after: The changed records by key.
    """
    settled = before.now - SETTLED_AFTER
    found: set[OutdatedTime] = set()
    for key, record in after.items():
        known = before.records.get(key)
        for order in (known, record):
            if isinstance(order, OrderRecord) and _is_settled(order, settled):
                old, new = _movements(known), _movements(record)
                times = {move.at for move in old.keys() | new.keys() if old[move] != new[move]}
                found |= {OutdatedTime(order.seller, microseconds(at)) for at in times if at <= settled}
    return sorted(found)


class _Move(NamedTuple):
    """A sale or cancellation of equal items."""

    at: datetime
    is_sale: bool
    line: OrderLine


def _movements(record: Record | None) -> Counter[_Move]:
    """Return the numbers of items of each sale and cancellation."""
    found: Counter[_Move] = Counter()
    for line in order_lines(record):
        sold = replace(line, number=0, quantity=1, replaced=0, status=LineStatus.SOLD, ended_at=None)
        if line.sold_at:
            found[_Move(line.sold_at, is_sale=True, line=replace(sold, refund=ZERO))] += line.quantity
        if line.ended_at:
            found[_Move(line.ended_at, is_sale=False, line=sold)] += line.quantity
    return found


def _is_settled(record: OrderRecord, settled: datetime) -> bool:
    """Whether the Order was booked by that time, as far as is known."""
    return record.booked is None or record.booked.at is None or record.booked.at <= settled


def _number(line: OrderLine) -> tuple[int, int]:
    return line.number, line.replaced


def _row(record: Record, line: OrderLine) -> EndedLineRow:
    return EndedLineRow(
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
