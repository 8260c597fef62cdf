"""Sums of the sales of past days, so that a month is added up from its days.

A booking writes nothing for these sums. The upkeep lists each day of a Seller after the day has ended (`list_days`),
and adds its sales up (`save_day`). A later change of what was sold or cancelled that day, such as the deletion of an
Order, raises the version of the day in the same transaction (`openbooking.store.views.rows.outdated_times`). Its sums
are not used until the upkeep has added it up again.

What is not in valid sums is read from the Orders: the current day, and parts of days at the ends of a period.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from openbooking.booking.views import Amount, SalesGroup
from openbooking.store.database import Procedure, Query, SaveRows
from openbooking.store.documents import instant, microseconds
from openbooking.store.save_statements import SaveStatements
from openbooking.store.views.cursor import Period
from openbooking.store.views.day_statements import Day, DayStatements, DaySum, OutdatedDay
from openbooking.store.views.results import hundredths, money
from openbooking.store.views.rows import SETTLED_AFTER, SalesDayRow, SalesSumRow
from openbooking.store.views.sums import DaySums, Movement, month_of

# How many days are listed in one transaction.
_DAYS = 500


def list_days(sql: DayStatements, saves: SaveStatements, seller: str, now: datetime, zone: tzinfo) -> Procedure[bool]:
    """List the next days of a Seller that have ended; return whether there may be more.

    Days that a clock which was ahead has listed are removed.

    Args:
        sql: The statements.
        saves: The statements that write rows.
        seller: The key of the Seller.
        now: The current time.
        zone: The time zone in which days begin.
    """
    settled = now - SETTLED_AFTER
    yield Query(sql.remove_unended, {"seller": seller, "ended": microseconds(settled)})
    ((last,),) = yield Query(sql.last_listed, {"seller": seller})
    if last is None:
        ((last,),) = yield Query(sql.first_booked, {"seller": seller})
    if last is None:
        return False
    ended = _ended_days(instant(last), settled, zone)
    rows = [
        SalesDayRow(seller, microseconds(day.since), microseconds(day.until), microseconds(now), version=0, summed=-1)
        for day, _ in zip(ended, range(_DAYS), strict=False)
    ]
    yield SaveRows(saves.save_days, {"days_listed": rows})
    return len(rows) == _DAYS


def save_day(sql: DayStatements, saves: SaveStatements, day: OutdatedDay, sums: DaySums) -> Procedure[None]:
    """Store the sums of a day, unless the day has changed since its version was read."""
    key = {"seller": day.seller, "since": day.since}
    if (yield Query(sql.accept, {**key, "version": day.version})):
        yield Query(sql.remove_sums, key)
        yield SaveRows(saves.save_sums, {"sums_added": [*_sum_rows(day, sums)]})


def read_past_days(
    sql: DayStatements, seller: str, period: Period, by: SalesGroup, zone: tzinfo
) -> Procedure[tuple[list[Movement], list[Period]]]:
    """Return the sums of past days in the period, and the parts of the period that they leave out.

    Days that belong to two groups are left out, because another time zone was set when they were listed.
    """
    asked = {"seller": seller, "since": microseconds(period.since), "until": microseconds(period.until)}
    days = [Day(*row) for row in (yield Query(sql.summed, asked))]
    used = [day for day in days if _is_in_one_group(day, by, zone)]
    begins = {day.since for day in used}
    sums = [DaySum(*row) for row in (yield Query(sql.sums(by), asked))] if used else []
    movements = [_movement(row) for row in sums if not row.since or row.since in begins]
    return movements, list(_gaps(period, used))


def _gaps(period: Period, days: Sequence[Day]) -> Iterator[Period]:
    since = period.since
    for day in days:
        if since < instant(day.since):
            yield Period(since, instant(day.since))
        since = instant(day.until)
    if since < period.until:
        yield Period(since, period.until)


def _is_in_one_group(day: Day, by: SalesGroup, zone: tzinfo) -> bool:
    first, last = instant(day.since), instant(day.until - 1)
    match by:
        case SalesGroup.DAY:
            return first.astimezone(zone).date() == last.astimezone(zone).date()
        case SalesGroup.MONTH:
            return month_of(first, zone) == month_of(last, zone)
        case _:
            return True


def _ended_days(since: datetime, until: datetime, zone: tzinfo) -> Iterator[Period]:
    """Yield the days in the time zone, from that of `since`, that end by `until`."""
    day = since.astimezone(zone).date()
    while (end := _midnight(day + timedelta(days=1), zone)) <= until:
        begin = _midnight(day, zone)
        yield Period(begin, end)
        day += timedelta(days=1)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _sum_rows(day: OutdatedDay, sums: DaySums) -> Iterator[SalesSumRow]:
    for key, amount, refunds in sums.rows():
        yield SalesSumRow(
            seller=day.seller,
            since=day.since,
            is_sale=int(key.is_sale),
            partner=key.partner,
            activity=key.activity,
            venue=key.venue,
            currency=key.currency or "",
            vat=key.vat,
            rate=hundredths(100 * key.rate),
            items=amount.count,
            price=hundredths(amount.price),
            tax=hundredths(amount.tax),
            refunds=refunds.count,
            refund=hundredths(refunds.price),
        )


def _movement(row: DaySum) -> Movement:
    return Movement(
        at=instant(row.since),
        is_sale=bool(row.is_sale),
        group=row.group,
        currency=row.currency or None,
        vat=row.vat,
        rate=Decimal(row.rate) / 10_000,
        amount=Amount(int(row.items), money(row.price), money(row.tax)),
        refunds=Amount(int(row.refunds), money(row.refund)),
    )
