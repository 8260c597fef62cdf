"""The statements of the sums of past days."""

from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Integer, String, and_, bindparam, delete, func, literal_column, select, update

from openbooking.booking.model.record import RecordKind
from openbooking.booking.views import SalesGroup
from openbooking.store.dialect import Dialect, Statement
from openbooking.store.schema import record, sales_day, sales_sum
from openbooking.store.statements import first

_AMOUNTS = tuple(sales_sum.c[name] for name in ("items", "price", "tax", "refunds", "refund"))
# In microseconds. Days with a change of clocks are longer than 24 hours.
_LONGEST_DAY = 48 * 3600 * 1_000_000
_BY_TIME = (SalesGroup.DAY, SalesGroup.MONTH)


class Day(NamedTuple):
    """A row of `DayStatements.summed`: the beginning and the end of a day whose sums are valid."""

    since: int
    until: int


class OutdatedDay(NamedTuple):
    """A row of `DayStatements.outdated`."""

    seller: str
    since: int
    until: int
    version: int


class DaySum(NamedTuple):
    """A row of `DayStatements.sums`. Only sums by time have the beginning of their day; that of others is 0."""

    since: int
    is_sale: int
    group: str
    currency: str
    vat: str
    rate: int
    items: int
    price: int
    tax: int
    refunds: int
    refund: int


class DayStatements:
    """The statements; each docstring lists the parameters and, after the arrow, the columns or the type of the rows."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._sums: dict[SalesGroup, Statement] = {}

    @cached_property
    def remove_unended(self) -> Statement:
        """:seller :ended → nothing; days that have not ended by then are listed no more."""
        ended = _instant("ended")
        unended = (sales_day.c.since > ended - literal_column(str(_LONGEST_DAY)), sales_day.c.until > ended)
        return self._dialect.compile(delete(sales_day).where(_of_seller(sales_day), *unended))

    @cached_property
    def last_listed(self) -> Statement:
        """:seller → the end of the last listed day; null if there is none."""
        return self._dialect.compile(select(func.max(sales_day.c.until)).where(_of_seller(sales_day)))

    @cached_property
    def first_booked(self) -> Statement:
        """:seller → the time of B of the Seller's first Order; null if there is none."""
        is_order = record.c.kind == literal_column(f"'{RecordKind.ORDER}'")
        found = select(func.min(record.c.listed_at)).where(_of_seller(record), is_order, record.c.listed_at > _zero())
        return self._dialect.compile(found)

    @cached_property
    def outdated(self) -> Statement:
        """:listed_by :most → OutdatedDay of days that were listed by then and whose sums are missing or not valid."""
        columns = (sales_day.c[name] for name in OutdatedDay._fields)
        outdated = sales_day.c.summed != sales_day.c.version
        found = select(*columns).where(outdated, sales_day.c.listed_at <= _instant("listed_by"))
        return self._dialect.compile(first(found.order_by(sales_day.c.seller, sales_day.c.since)))

    @cached_property
    def accept(self) -> Statement:
        """:seller :since :version → since, if the day still has that version; its sums are valid from now on."""
        is_day = (_of_seller(sales_day), sales_day.c.since == _instant("since"))
        version = bindparam("version", type_=Integer)
        changed = update(sales_day).where(*is_day, sales_day.c.version == version).values(summed=sales_day.c.version)
        return self._dialect.compile(changed.returning(sales_day.c.since))

    @cached_property
    def remove_sums(self) -> Statement:
        """:seller :since → nothing; the sums of the day are removed."""
        is_day = (_of_seller(sales_sum), sales_sum.c.since == _instant("since"))
        return self._dialect.compile(delete(sales_sum).where(*is_day))

    @cached_property
    def summed(self) -> Statement:
        """:seller :since :until → Day of the days in the period whose sums are valid, in their order."""
        found = select(sales_day.c.since, sales_day.c.until).where(*_in_period())
        return self._dialect.compile(found.order_by(sales_day.c.since))

    def sums(self, by: SalesGroup) -> Statement:
        """:seller :since :until → DaySum of all these days.

        Args:
            by: What the sums are grouped by, besides currency and VAT.
        """
        if by not in self._sums:
            self._sums[by] = self._dialect.compile(_sums_by(by))
        return self._sums[by]


def _sums_by(by: SalesGroup) -> Any:
    groups = {
        SalesGroup.PARTNER: sales_sum.c.partner,
        SalesGroup.ACTIVITY: sales_sum.c.activity,
        SalesGroup.VENUE: sales_sum.c.venue,
    }
    since = sales_sum.c.since if by in _BY_TIME else literal_column("0", BigInteger)
    group = groups.get(by, literal_column("''", String))
    keys = (sales_sum.c.is_sale, sales_sum.c.currency, sales_sum.c.vat, sales_sum.c.rate)
    is_sale, *others = keys
    same_day = and_(sales_sum.c.seller == sales_day.c.seller, sales_sum.c.since == sales_day.c.since)
    found = select(since, is_sale, group, *others, *map(func.sum, _AMOUNTS))
    found = found.select_from(sales_day.join(sales_sum, same_day)).where(*_in_period())
    kept = [sales_sum.c.since] if by in _BY_TIME else [groups[by]]
    return found.group_by(*kept, *keys)


def _in_period() -> tuple[Any, ...]:
    return (
        _of_seller(sales_day),
        sales_day.c.since >= _instant("since"),
        sales_day.c.since < _instant("until"),
        sales_day.c.until <= _instant("until"),
        sales_day.c.summed == sales_day.c.version,
    )


def _of_seller(table: Any) -> Any:
    return table.c.seller == bindparam("seller")


def _instant(name: str) -> Any:
    return bindparam(name, type_=BigInteger)


def _zero() -> Any:
    return literal_column("0")
