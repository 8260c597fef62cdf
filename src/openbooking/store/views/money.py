"""The views of sales, payments and partners in a database."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import NamedTuple

from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.rules.orders.order_lines import LineStatus, OrderLine, order_lines
from openbooking.booking.views import Amount, Page, PartnerMonth, PaymentRow, Sales, SalesGroup, SalesLine
from openbooking.store.database import Procedure, Query
from openbooking.store.dialect import Statement
from openbooking.store.documents import decode_record, instant, microseconds
from openbooking.store.views.cursor import PageRequest, Period, Position, read_cursor
from openbooking.store.views.day_statements import DayStatements
from openbooking.store.views.money_statements import (
    QUARTER_MICROSECONDS,
    LineRow,
    MoneyStatements,
    MovementSum,
    OrderAt,
    PartnerSum,
)
from openbooking.store.views.past_days import read_past_days
from openbooking.store.views.records import next_cursor, read_records
from openbooking.store.views.results import money, payment_row, sold_time
from openbooking.store.views.statements import ListedOrder, ViewStatements
from openbooking.store.views.sums import DaySums, Movement, PartnerSums, SalesSums

# How many Orders are read at once for a sum.
_AT_ONCE = 500


class SalesStatements(NamedTuple):
    """The statements of sales, and of the sums of past days."""

    money: MoneyStatements
    days: DayStatements


def add_up_sales(sql: SalesStatements, seller: str, period: Period, by: SalesGroup, zone: tzinfo) -> Procedure[Sales]:
    """Return what was sold and cancelled in the period."""
    sums = SalesSums(by, zone)
    past, gaps = yield from read_past_days(sql.days, seller, period, by, zone)
    for movement in past:
        sums.add(movement)
    for gap in gaps:
        yield from _add_sales(sql.money, seller, gap, sums.add_line)
        asked = {"seller": seller, **_bounds(gap)}
        for row in map(MovementSum._make, (yield Query(sql.money.cancelled(by), asked))):
            sums.add(_movement(row))
    return sums.total()


def add_up_day(sql: MoneyStatements, seller: str, period: Period) -> Procedure[DaySums]:
    """Return the sums of a day, from its Orders."""
    sums = DaySums()
    yield from _add_sales(sql, seller, period, sums.add_line)
    for row in map(LineRow._make, (yield Query(sql.lines_ended_in, {"seller": seller, **_bounds(period)}))):
        if row.ended_at is not None:
            key = OrderKey(row.partner, row.uuid)
            sums.add_line(SalesLine(at=instant(row.ended_at), order=key, is_sale=False, line=_line(row)))
    return sums


def _add_sales(sql: MoneyStatements, seller: str, period: Period, add: Callable[[SalesLine], None]) -> Procedure[None]:
    """Pass each sale in the period to `add`."""
    for source in _sources(sql):
        first: Position | None = (max(microseconds(period.since), 1), "", "")
        added: Position | None = None
        while first:
            found, following = yield from _sales(source, seller, period, first, _AT_ONCE)
            for place, moved in found.items():
                if place[:3] != added:
                    add(moved)
            first = added = following


def list_sales_lines(
    sql: MoneyStatements, seller: str, period: Period, page: PageRequest
) -> Procedure[Page[SalesLine]]:
    """Return each sale and each cancellation in the period, in the order of their times."""
    after, most = _after(period, page), _most(page)
    found = yield from _cancellations(sql.lines_ended, {"seller": seller}, period, after, most)
    for source in _sources(sql):
        sales, _ = yield from _sales(source, seller, period, after, most)
        found |= sales
    return _page(found, after, page.limit)


def list_cancellations(
    sql: MoneyStatements, seller: str, partner: str, period: Period, page: PageRequest
) -> Procedure[Page[SalesLine]]:
    """Return each cancellation in the period in the Orders of one partner, in the order of their times."""
    after, of = _after(period, page), {"seller": seller, "of_partner": partner}
    found = yield from _cancellations(sql.lines_ended_of_partner, of, period, after, _most(page))
    return _page(found, after, page.limit)


def _after(period: Period, page: PageRequest) -> Position:
    first: Position = (max(microseconds(period.since), 1), "", "", 0, 0, 0)
    return max(read_cursor(page.after, first), first) if page.after else first


def _most(page: PageRequest) -> int:
    """Return how many rows are read for a page: of the first Order, all lines may be on the page before."""
    return page.limit + 2


def _page(found: Mapping[Position, SalesLine], after: Position, limit: int) -> Page[SalesLine]:
    places = sorted(place for place in found if place > after)
    return Page(tuple(found[place] for place in places[:limit]), next_cursor(places, limit))


class _Source(NamedTuple):
    """A statement that finds Orders with sales, and whether it finds them by replacements."""

    statement: Statement
    is_exchange: bool


def _sources(sql: MoneyStatements) -> tuple[_Source, _Source]:
    return _Source(sql.booked, is_exchange=False), _Source(sql.exchanged, is_exchange=True)


def _sales(
    source: _Source, seller: str, period: Period, first: Position, most: int
) -> Procedure[tuple[dict[Position, SalesLine], Position | None]]:
    """Return the sales of some Orders by their places, and the position of the last Order, at which to go on.

    The sales at the very time of B are those of the first source only.

    Args:
        source: Where the Orders are found.
        seller: The key of the Seller.
        period: The period.
        first: The position of the first Order.
        most: How many Orders are read.
    """
    at, partner, uuid, *_ = first
    asked = {"seller": seller, "until": microseconds(period.until), "at": at, "partner": partner, "uuid": uuid}
    orders = sorted(OrderAt(*row) for row in (yield Query(source.statement, {**asked, "most": most})))
    found: dict[Position, SalesLine] = {}
    for order in orders:
        record = decode_record(order.document, None)
        if not isinstance(record, OrderRecord) or (source.is_exchange and sold_time(record) == order.at):
            continue
        for line in order_lines(record):
            if line.sold_at == instant(order.at):
                place = (order.at, *record.key, line.number, line.replaced, 0)
                found[place] = SalesLine(at=line.sold_at, order=record.key, is_sale=True, line=line)
    return found, orders[-1][:3] if len(orders) == most else None


def _cancellations(
    statement: Statement, of: Mapping[str, str], period: Period, first: Position, most: int
) -> Procedure[dict[Position, SalesLine]]:
    """Return the cancellations and replacements behind a position, by their places.

    Args:
        statement: Where they are found.
        of: The parameters of the statement that say whose cancellations they are.
        period: The period.
        first: The position of the first one.
        most: How many are read.
    """
    at, partner, uuid, number, replaced, _ = first
    asked = {
        **of,
        "until": microseconds(period.until),
        "at": at,
        "partner": partner,
        "uuid": uuid,
        "number": number,
        "replaced": replaced,
        "most": most,
    }
    found: dict[Position, SalesLine] = {}
    for row in map(LineRow._make, (yield Query(statement, asked))):
        if row.ended_at is not None:
            ended_at, key = instant(row.ended_at), OrderKey(row.partner, row.uuid)
            place = (row.ended_at, *key, row.number, row.replaced, 1)
            found[place] = SalesLine(at=ended_at, order=key, is_sale=False, line=_line(row))
    return found


def list_payments(sql: ViewStatements, seller: str, period: Period, page: PageRequest) -> Procedure[Page[PaymentRow]]:
    """Return the payments of the Orders booked in the period; Orders without one are left out of the page."""
    first: Position = (microseconds(period.until), "", "")
    listed, partner, uuid = min(read_cursor(page.after, first), first) if page.after else first
    asked = {
        "seller": seller,
        "booked_from": max(microseconds(period.since), 1),
        "after_listed": listed,
        "after_partner": partner,
        "after_uuid": uuid,
        "most": page.limit + 1,
    }
    rows = [ListedOrder(*row) for row in (yield Query(sql.orders_by_date, asked))]
    keys = [OrderKey(row.partner, row.uuid) for row in rows[: page.limit]]
    records = yield from read_records(sql, seller, keys, OrderRecord)
    places = [row[:3] for row in rows]
    return Page(tuple(filter(None, map(payment_row, records))), next_cursor(places, page.limit))


def add_up_partners(
    sql: MoneyStatements, seller: str, period: Period, zone: tzinfo
) -> Procedure[tuple[PartnerMonth, ...]]:
    """Return the Orders booked in the period, by partner, month and currency."""
    sums = PartnerSums(zone)
    for month in _months(period, zone):
        asked = {"seller": seller, **_bounds(month)}
        for row in map(PartnerSum._make, (yield Query(sql.partner_sums, asked))):
            sums.add(row.partner, month.since, row.currency, row.orders, money(row.value))
    return sums.total()


def _movement(row: MovementSum) -> Movement:
    return Movement(
        at=instant(row.quarter * QUARTER_MICROSECONDS),
        is_sale=False,
        group=row.group,
        currency=row.currency,
        vat=row.vat,
        rate=Decimal(row.rate) / 10_000,
        amount=Amount(row.items, money(row.price), money(row.tax)),
        refunds=Amount(row.refunds, money(row.refund)),
    )


def _line(row: LineRow) -> OrderLine:
    return OrderLine(
        number=row.number,
        replaced=row.replaced,
        quantity=row.quantity,
        opportunity=row.opportunity,
        starts=_instant(row.starts),
        status=LineStatus(row.status),
        sold_at=_instant(row.sold_at),
        ended_at=_instant(row.ended_at),
        price=money(row.price),
        tax=money(row.tax),
        refund=money(row.refund),
        currency=row.currency,
        vat=row.vat,
        rate=Decimal(row.rate) / 10_000,
        activity=row.activity,
        venue=row.venue,
    )


def _bounds(period: Period) -> dict[str, int]:
    """Return the period as parameters; what has no time is at 0, and in no period."""
    return {"since": max(microseconds(period.since), 1), "until": microseconds(period.until)}


def _months(period: Period, zone: tzinfo) -> Iterator[Period]:
    """Yield the months of the period in the time zone; the first and the last may be incomplete."""
    since = period.since
    while since < period.until:
        local = since.astimezone(zone)
        following = local.month % 12 + 1
        begins = datetime(local.year + local.month // 12, following, 1, tzinfo=zone)
        yield Period(since, min(begins, period.until))
        since = begins


def _instant(at: int | None) -> datetime | None:
    return None if at is None else instant(at)
