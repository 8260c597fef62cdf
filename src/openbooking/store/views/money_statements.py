"""The statements of the views of sales, payments and partners."""

from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Integer,
    Select,
    String,
    bindparam,
    case,
    func,
    literal_column,
    select,
    tuple_,
)

from openbooking.booking.model.record import RecordKind
from openbooking.booking.rules.orders.order_lines import LineStatus
from openbooking.booking.views import SalesGroup
from openbooking.store.dialect import Dialect, Statement
from openbooking.store.schema import ended_line, record
from openbooking.store.statements import first, same_record

# Days of all time zones begin at a quarter of an hour, so sums of these can be added up to days.
QUARTER_MICROSECONDS = 15 * 60 * 1_000_000


class MovementSum(NamedTuple):
    """A row of `MoneyStatements.cancelled`; `quarter` counts quarters of an hour since 1970, or is 0."""

    group: str
    quarter: int
    currency: str | None
    vat: str
    rate: int
    items: int
    price: int
    tax: int
    refunds: int
    refund: int


class LineRow(NamedTuple):
    """A row of `MoneyStatements.lines_ended`."""

    partner: str
    uuid: str
    number: int
    replaced: int
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


class OrderAt(NamedTuple):
    """A row of `MoneyStatements.booked` and `exchanged`: an Order, and when items of it were sold."""

    at: int
    partner: str
    uuid: str
    document: bytes


class PartnerSum(NamedTuple):
    """A row of `MoneyStatements.partner_sums`."""

    partner: str
    currency: str | None
    orders: int
    value: int


_LINE = tuple(ended_line.c[name] for name in LineRow._fields)


class MoneyStatements:
    """The statements; each docstring lists the parameters and, after the arrow, the type of the rows."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._cancelled: dict[SalesGroup, Statement] = {}

    def cancelled(self, by: SalesGroup) -> Statement:
        """:seller :since :until → MovementSum of cancellations and replacements.

        Args:
            by: What the sums are grouped by, besides currency and VAT.
        """
        if by not in self._cancelled:
            at = ended_line.c.ended_at
            self._cancelled[by] = self._dialect.compile(_sum(by, at).where(_of_seller(ended_line), *_in_period(at)))
        return self._cancelled[by]

    @cached_property
    def booked(self) -> Statement:
        """:seller :until :at :partner :uuid :most → OrderAt of that many Orders from that one on, at the times of B."""
        place = (record.c.listed_at, record.c.partner, record.c.uuid)
        found = select(*place, record.c.document).where(_of_seller(record), _is_order(), *_from_position(place))
        return self._dialect.compile(first(found.order_by(*place)))

    @cached_property
    def exchanged(self) -> Statement:
        """:seller :until :at :partner :uuid :most → OrderAt of that many Orders, at replacements, unsorted."""
        place = (ended_line.c.ended_at, ended_line.c.partner, ended_line.c.uuid)
        found = select(*place).where(_of_seller(ended_line), _was_replaced(), *_from_position(place)).distinct()
        some = first(found.order_by(*place)).subquery("some")
        orders = some.join(record, same_record(some, record))
        return self._dialect.compile(select(*some.c, record.c.document).select_from(orders))

    @cached_property
    def lines_ended(self) -> Statement:
        """:seller :until :at :partner :uuid :number :replaced :most → LineRow of cancellations."""
        return self._dialect.compile(first(self._lines_ended()))

    @cached_property
    def lines_ended_of_partner(self) -> Statement:
        """:seller :of_partner :until :at :partner :uuid :number :replaced :most → LineRow of cancellations.

        The index has the partner, so no line of another partner is read.
        """
        of_partner = ended_line.c.partner == _text("of_partner")
        return self._dialect.compile(first(self._lines_ended().where(of_partner)))

    def _lines_ended(self) -> Select[Any]:
        item = ended_line.c
        place = (item.ended_at, item.partner, item.uuid, item.number, item.replaced)
        here = tuple_(_instant("at"), _text("partner"), _text("uuid"), _count("number"), _count("replaced"))
        found = select(*_LINE).where(_of_seller(ended_line), item.ended_at < _instant("until"), tuple_(*place) >= here)
        return found.order_by(*place)

    @cached_property
    def lines_ended_in(self) -> Statement:
        """:seller :since :until → LineRow of cancellations and replacements."""
        found = select(*_LINE).where(_of_seller(ended_line), *_in_period(ended_line.c.ended_at))
        return self._dialect.compile(found)

    @cached_property
    def partner_sums(self) -> Statement:
        """:seller :since :until → PartnerSum."""
        columns = (record.c.partner, record.c.currency)
        found = select(*columns, func.count(), func.sum(record.c.value)).where(
            _of_seller(record), _is_order(), *_in_period(record.c.listed_at)
        )
        return self._dialect.compile(found.group_by(*columns))


def _sum(by: SalesGroup, at: Any) -> Select[Any]:
    """Select MovementSums, by the quarters of an hour of `at` if sales are grouped by time."""
    item, by_time = ended_line.c, by in (SalesGroup.DAY, SalesGroup.MONTH)
    groups = {SalesGroup.PARTNER: item.partner, SalesGroup.ACTIVITY: item.activity, SalesGroup.VENUE: item.venue}
    group = groups.get(by, literal_column("''", String))
    quarter = at.op("/")(literal_column(str(QUARTER_MICROSECONDS))) if by_time else literal_column("0", Integer)
    keys = (group.label("sales_group"), quarter.label("quarter"), item.currency, item.vat, item.rate)
    refunds = case((item.refund != literal_column("0"), item.quantity), else_=literal_column("0"))
    found = select(
        *keys,
        func.sum(item.quantity),
        func.sum(item.price * item.quantity),
        func.sum(item.tax * item.quantity),
        func.sum(refunds),
        func.sum(item.refund * item.quantity),
    )
    kept = [groups[by]] if by in groups else []
    return found.group_by(*kept, *([quarter] if by_time else []), item.currency, item.vat, item.rate)


def _of_seller(table: Any) -> Any:
    return table.c.seller == bindparam("seller")


def _is_order() -> Any:
    return record.c.kind == literal_column(f"'{RecordKind.ORDER}'")


def _was_replaced() -> Any:
    return ended_line.c.status == literal_column(f"'{LineStatus.REPLACED}'")


def _in_period(at: Any) -> tuple[Any, Any]:
    return at >= _instant("since"), at < _instant("until")


def _from_position(place: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return the conditions that a row is in the period, at the position in the parameters or behind it."""
    at = place[0]
    return at < _instant("until"), tuple_(*place) >= tuple_(_instant("at"), _text("partner"), _text("uuid"))


def _instant(name: str) -> Any:
    return bindparam(name, type_=BigInteger)


def _count(name: str) -> Any:
    return bindparam(name, type_=Integer)


def _text(name: str) -> Any:
    return bindparam(name, type_=String)
