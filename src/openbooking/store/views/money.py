"""The views of sales, payments and partners in a database."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from decimal import Decimal

from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.rules.order_lines import LineStatus, OrderLine
from openbooking.booking.views import Amount, Page, PartnerMonth, PaymentRow, Sales, SalesGroup, SalesLine
from openbooking.store.database import Procedure, Query
from openbooking.store.documents import instant, microseconds
from openbooking.store.views.cursor import PageRequest, Period, Position, read_cursor
from openbooking.store.views.money_statements import (
    QUARTER_MICROSECONDS,
    LineRow,
    MoneyStatements,
    MovementSum,
    PartnerSum,
)
from openbooking.store.views.records import next_cursor, read_records
from openbooking.store.views.results import payment_row
from openbooking.store.views.statements import ListedOrder, ViewStatements
from openbooking.store.views.sums import Movement, PartnerSums, SalesSums


def add_up_sales(sql: MoneyStatements, seller: str, period: Period, by: SalesGroup, zone: tzinfo) -> Procedure[Sales]:
    """Return what was sold and cancelled in the period."""
    sums = SalesSums(by, zone)
    asked = {"seller": seller, **_bounds(period)}
    for is_sale in (True, False):
        for row in map(MovementSum._make, (yield Query(sql.sums(by, sold=is_sale), asked))):
            sums.add(_movement(row, is_sale=is_sale))
    return sums.total()


def list_sales_lines(
    sql: MoneyStatements, seller: str, period: Period, page: PageRequest
) -> Procedure[Page[SalesLine]]:
    """Return each sale and each cancellation in the period, in the order of their times."""
    first: Position = (max(microseconds(period.since), 1), "", "", 0, 0, 0)
    after = max(read_cursor(page.after, first), first) if page.after else first
    at, partner, uuid, number, replaced, _ = after
    # Of the first Order, all lines may be on the page before.
    asked = {
        "seller": seller,
        "until": microseconds(period.until),
        "at": at,
        "partner": partner,
        "uuid": uuid,
        "number": number,
        "replaced": replaced,
        "most": page.limit + 2,
    }
    found: dict[Position, SalesLine] = {}
    for statement, is_sale in ((sql.lines_booked, True), (sql.lines_exchanged, True), (sql.lines_ended, False)):
        for row in map(LineRow._make, (yield Query(statement, asked))):
            moved_at = row.sold_at if is_sale else row.ended_at
            if moved_at is not None:
                place: Position = (moved_at, row.partner, row.uuid, row.number, row.replaced, int(not is_sale))
                key = OrderKey(row.partner, row.uuid)
                found[place] = SalesLine(at=instant(moved_at), order=key, is_sale=is_sale, line=_line(row))
    places = sorted(place for place in found if place > after)
    return Page(tuple(found[place] for place in places[: page.limit]), next_cursor(places, page.limit))


def list_cancellations(
    sql: MoneyStatements, seller: str, partner: str, period: Period, page: PageRequest
) -> Procedure[Page[SalesLine]]:
    """Return each cancellation in the period in the Orders of one partner, in the order of their times."""
    first: Position = (max(microseconds(period.since), 1), "", "", 0, 0, 0)
    after = max(read_cursor(page.after, first), first) if page.after else first
    at, last_partner, uuid, number, replaced, _ = after
    asked = {
        "seller": seller,
        "of_partner": partner,
        "until": microseconds(period.until),
        "at": at,
        "partner": last_partner,
        "uuid": uuid,
        "number": number,
        "replaced": replaced,
        "most": page.limit + 2,
    }
    found: dict[Position, SalesLine] = {}
    for row in map(LineRow._make, (yield Query(sql.lines_ended_of_partner, asked))):
        if row.ended_at is not None:
            key, ended_at = OrderKey(row.partner, row.uuid), instant(row.ended_at)
            place = (row.ended_at, *key, row.number, row.replaced, 1)
            found[place] = SalesLine(at=ended_at, order=key, is_sale=False, line=_line(row))
    places = sorted(place for place in found if place > after)
    return Page(tuple(found[place] for place in places[: page.limit]), next_cursor(places, page.limit))


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
            sums.add(row.partner, month.since, row.currency, row.orders, _money(row.value))
    return sums.total()


def _movement(row: MovementSum, *, is_sale: bool) -> Movement:
    return Movement(
        at=instant(row.quarter * QUARTER_MICROSECONDS),
        is_sale=is_sale,
        group=row.group,
        currency=row.currency,
        vat=row.vat,
        rate=Decimal(row.rate) / 10_000,
        amount=Amount(row.items, _money(row.price), _money(row.tax)),
        refunds=Amount(row.refunds, _money(row.refund)),
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
        price=_money(row.price),
        tax=_money(row.tax),
        refund=_money(row.refund),
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


def _money(hundredths: int | Decimal) -> Decimal:
    """Return an amount in hundredths as money; sums come as decimals from PostgreSQL."""
    return Decimal(int(hundredths)).scaleb(-2)


def _instant(at: int | None) -> datetime | None:
    return None if at is None else instant(at)
