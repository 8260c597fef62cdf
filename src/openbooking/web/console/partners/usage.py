"""How Booking Partners use the Booking System: their bookings by month, and how far they have read their feeds."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.back_office.formats import (
    day_bounds,
    format_duration,
    format_money,
    format_month,
    format_short_date,
    format_time,
)
from openbooking.booking.store import ORDER_PROPOSALS, ORDERS, Feed
from openbooking.booking.views import PartnerMonth, SellerViews
from openbooking.identity.records import FeedPosition
from openbooking.openactive.money import ZERO
from openbooking.system import System
from openbooking.web.console.money.tables import only_currency
from openbooking.web.console.periods import month_of_day

_MONTHS = 12
_FEEDS = (ORDERS, ORDER_PROPOSALS)
_A_DAY = timedelta(days=1)

MONTH_COLUMNS = ("Month", "Partner key", "Partner", "Bookings", "Value", "Currency")


class UsageRow(NamedTuple):
    """The bookings of a partner in one month, in words."""

    month: str
    partner: str
    orders: int
    value: str


async def partner_months(views: SellerViews, today: date, zone: tzinfo) -> list[PartnerMonth]:
    """Return the bookings of all partners in this month and the eleven months before, the latest month first."""
    first = today.replace(day=1)
    for _ in range(_MONTHS - 1):
        first = (first - _A_DAY).replace(day=1)
    since, until = day_bounds(first, zone)[0], day_bounds(month_of_day(today)[1], zone)[1]
    found = await views.partners(since, until, zone)
    by_partner = sorted(found, key=lambda row: row.partner)
    return sorted(by_partner, key=lambda row: row.month, reverse=True)


def usage_rows(months: Sequence[PartnerMonth], names: Mapping[str, str]) -> list[UsageRow]:
    """Return the rows of the table of the page; Orders without a price are added to the only currency, if any."""
    only = only_currency(row.currency for row in months)
    joined: dict[tuple[str, str, str | None], PartnerMonth] = {}
    for row in months:
        key = (row.month, row.partner, row.currency or only)
        known = joined.get(
            key, PartnerMonth(partner=row.partner, month=row.month, currency=key[2], orders=0, value=ZERO)
        )
        joined[key] = replace(known, orders=known.orders + row.orders, value=known.value + row.value)
    return [
        UsageRow(
            format_month(row.month),
            names.get(row.partner, row.partner),
            row.orders,
            format_money(row.value, row.currency),
        )
        for row in joined.values()
    ]


def month_cells(row: PartnerMonth, names: Mapping[str, str]) -> tuple[object, ...]:
    """Return a row of the CSV file."""
    return row.month, row.partner, names.get(row.partner, row.partner), row.orders, row.value, row.currency


async def feed_states(system: System, partners: Collection[str], zone: tzinfo) -> dict[str, str]:
    """Return, in words, how far each partner has read the feeds that tell it of changes.

    The feeds of a partner hold its bookings with all Sellers.
    """
    known = {
        Feed(each.feed, each.partner): each.position
        for each in await system.identity.store.find(FeedPosition)
        if each.partner in partners
    }
    feeds = [Feed(name, partner) for partner in partners for name in _FEEDS]
    figures = await system.store.figures({feed: known.get(feed, 0) for feed in feeds})
    oldest: dict[str, datetime] = {}
    for feed, changed in figures.oldest_unread.items():
        if changed:
            oldest[feed.partner] = min(changed, oldest.get(feed.partner, changed))
    has_read = {feed.partner for feed in known}
    now = system.clock().astimezone(zone)
    return {partner: _describe(oldest.get(partner), now, has_read=partner in has_read) for partner in partners}


def _describe(oldest: datetime | None, now: datetime, *, has_read: bool) -> str:
    if oldest is None:
        return "up to date" if has_read else "nothing to read yet"
    changed = oldest.astimezone(now.tzinfo)
    since = f"{format_short_date(changed)} {format_time(changed)}"
    if not has_read:
        return f"has never read it; changes wait since {since}"
    return f"{format_duration(now - changed)} behind: has not read a change of {since}"
