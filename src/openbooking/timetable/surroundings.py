"""The facts besides its rule on which the occurrences of an entry depend: policy, Venues and closures."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.timetable import Closure, TimetableEntry, Venue
from openbooking.openactive.web_addresses import is_web_address
from openbooking.timetable.bank_holidays import bank_holidays
from openbooking.timetable.wall_clock import DateRange, TimeSpan, instant


class Surroundings(NamedTuple):
    """The policy, and the Venues and closures of the Seller of an entry.

    Attributes:
        policy: The policy of the Booking System.
        venues: The Venues, by key.
        closures: The closures.
        site: The web page of rules without one: that of the Seller; empty for none.
    """

    policy: Policy
    venues: Mapping[str, Venue]
    closures: tuple[Closure, ...]
    site: str

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the wall clock."""
        return self.policy.time_zone

    def closed_times(self, where: "Where", dates: DateRange, *, bank_holidays: bool = True) -> tuple[TimeSpan, ...]:
        """Return the times at which a class, facility or court is closed.

        Args:
            where: The place.
            dates: The days.
            bank_holidays: Whether closures on bank holidays count.
        """
        closures = (closure for closure in self.closures if _concerns(closure, where))
        return tuple(
            time
            for closure in closures
            if bank_holidays or closure.bank_holidays is None
            for time in _times(closure, dates, self.zone)
        )


class Where(NamedTuple):
    """The place of occurrences: the keys of the Venue, of the entry and of the court; empty for none."""

    venue: str
    entry: str
    court: str = ""


def surroundings_of(entries: Iterable[TimetableEntry], policy: Policy, site: str) -> Surroundings:
    """Return the surroundings of the entries of a Seller.

    Args:
        entries: The entries of the Seller, with all Venues and closures among them.
        policy: The policy of the Booking System.
        site: The web page of the Seller (`site_of`); empty for none.
    """
    present = [entry for entry in entries if not entry.ended]
    return Surroundings(
        policy,
        {entry.key: entry.rule for entry in present if isinstance(entry.rule, Venue)},
        tuple(entry.rule for entry in present if isinstance(entry.rule, Closure)),
        site,
    )


def site_of(seller: Seller) -> str:
    """Return the web page of a Seller; empty if none is known."""
    url = seller.properties.get("url")
    return url if isinstance(url, str) and is_web_address(url) else ""


def _concerns(closure: Closure, where: Where) -> bool:
    return (
        closure.venue in ("", where.venue)
        and closure.entry in ("", where.entry)
        and closure.court in ("", where.court)
    )  # fmt: skip


def _times(closure: Closure, dates: DateRange, zone: ZoneInfo) -> list[TimeSpan]:
    if closure.bank_holidays:
        days = bank_holidays(closure.bank_holidays).intersection(dates.days())
        return [DateRange(day, day + timedelta(days=1)).span(zone) for day in sorted(days)]
    if closure.start is None or closure.end is None:
        return []
    time = TimeSpan(instant(closure.start, zone), instant(closure.end, zone))
    return [time] if time.overlaps(dates.span(zone)) else []
