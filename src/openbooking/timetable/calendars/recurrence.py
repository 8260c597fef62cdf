"""The times of an event of a calendar, on the wall clock of the timetable."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from openbooking.booking.model.timetable import WeeklyTime
from openbooking.timetable.calendars.components import Component, NotRepresentableError
from openbooking.timetable.recurrence import weekly_times
from openbooking.timetable.wall_clock import instant

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARTS = frozenset({"FREQ", "INTERVAL", "BYDAY", "UNTIL", "COUNT", "WKST"})
_MOST_DATES = 5_000
# The clocks of two time zones are compared for so long if a class has no last date.
_COMPARED = timedelta(days=5 * 366)
_DAY = timedelta(days=1)
_FIRST_YEAR, _LAST_YEAR = 1971, 2099
_LONGEST = timedelta(days=31)


class EventTime(NamedTuple):
    """The time of an event, or of the first date of a class.

    Attributes:
        start: The start on the wall clock.
        minutes: The length.
    """

    start: datetime
    minutes: int


class WeeklyDates(NamedTuple):
    """The dates of a class.

    Attributes:
        time: The time of the week.
        first: The first date.
        last: The last date; None for no end.
        without: The dates on which it does not take place.
    """

    time: WeeklyTime
    first: date
    last: date | None
    without: tuple[date, ...]


def event_time(component: Component, zone: ZoneInfo) -> EventTime:
    """Return the time of an event.

    Args:
        component: The event.
        zone: The time zone of the timetable.

    Raises:
        NotRepresentableError: The event has no start, takes whole days, or has no length in whole minutes.
    """
    start = _single(component, "DTSTART")
    end = _single(component, "DTEND") if component.values("DTEND") else None
    if start is None:
        raise NotRepresentableError("It has no DTSTART.")
    if not isinstance(start, datetime) or (end is not None and not isinstance(end, datetime)):
        raise NotRepresentableError("It takes whole days.")
    local = _local(start, zone)
    if end is not None:
        length: Any = instant(_local(end, zone), zone) - instant(local, zone)
    else:
        length = next((value.dt for value in component.values("DURATION")), timedelta(0))
    if not isinstance(length, timedelta) or not timedelta(0) < length <= _LONGEST:
        raise NotRepresentableError("It has no end, or lasts longer than 31 days.")
    minutes, rest = divmod(length, timedelta(minutes=1))
    if rest or local.second or local.microsecond:
        raise NotRepresentableError("It has no start and length in whole minutes.")
    return EventTime(local, minutes)


def weekly_dates(component: Component, at: EventTime, zone: ZoneInfo) -> WeeklyDates:
    """Return the dates of an event that repeats each week.

    Args:
        component: The event, which has one RRULE.
        at: The time of its first date.
        zone: The time zone of the timetable.

    Raises:
        NotRepresentableError: The timetable cannot represent its repetition.
    """
    rules = component.values("RRULE")
    for name in ("RDATE", "EXRULE"):
        if component.values(name):
            raise NotRepresentableError(f"It has {name}. Enter its dates by hand.")
    if len(rules) != 1:
        raise NotRepresentableError("It has several RRULEs.")
    rule = rules[0]
    time_of_week = WeeklyTime(_days(rule, at.start.date()), at.start.time(), at.minutes)
    first = at.start.date()
    last = _last(rule, time_of_week, at.start, zone)
    dates = WeeklyDates(time_of_week, first, last, ())
    _check_zone(component, dates, zone)
    return dates._replace(without=tuple(sorted(_excluded(component, dates, zone))))


def _single(component: Component, name: str) -> date | None:
    found = component.times(name)
    if len(found) > 1:
        raise NotRepresentableError(f"It has several values of {name}.")
    return found[0] if found else None


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    """Return a time on the wall clock of the timetable. A time without a zone is on this clock already."""
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise NotRepresentableError(f"The year {at.year} is none of a timetable.")
    return at if at.tzinfo is None else at.astimezone(zone).replace(tzinfo=None, fold=0)


def _days(rule: Any, first: date) -> tuple[int, ...]:
    """Return the days of the week of a rule."""
    parts = {str(name).upper() for name in rule}
    unknown = sorted(parts - _PARTS)
    frequency = str(rule.get("FREQ", [""])[0])
    if frequency not in ("WEEKLY", "DAILY"):
        raise NotRepresentableError(f"It repeats with FREQ={frequency}, not each week.")
    if unknown:
        raise NotRepresentableError(f"It repeats with {unknown[0]}.")
    if rule.get("INTERVAL", [1]) != [1]:
        raise NotRepresentableError(f"It does not take place each week (INTERVAL={rule['INTERVAL'][0]}).")
    named = [str(day) for day in rule.get("BYDAY", _DAYS if frequency == "DAILY" else [_DAYS[first.weekday()]])]
    if not all(day in _DAYS for day in named):
        raise NotRepresentableError(f"It repeats on {', '.join(named)}.")
    days = tuple(sorted({_DAYS.index(day) for day in named}))
    if first.weekday() not in days:
        raise NotRepresentableError("Its first date is not on one of its days.")
    return days


def _last(rule: Any, weekly: WeeklyTime, start: datetime, zone: ZoneInfo) -> date | None:
    """Return the last date of a rule; None if it has no end."""
    until, count = rule.get("UNTIL", []), rule.get("COUNT", [])
    if until:
        end = until[0]
        if end.year > _LAST_YEAR:
            return None
        if not isinstance(end, datetime):
            return date(end.year, end.month, end.day)
        local = _local(end, zone)
        return local.date() if local.time() >= weekly.start else local.date() - _DAY
    if not count:
        return None
    if not 1 <= count[0] <= _MOST_DATES:
        raise NotRepresentableError(f"It repeats {count[0]} times.")
    times = list(islice(weekly_times([weekly], start.date(), date(_LAST_YEAR, 12, 31)), count[0]))
    if len(times) < count[0]:
        raise NotRepresentableError(f"It repeats {count[0]} times.")
    return times[-1].start.date()


def _check_zone(component: Component, dates: WeeklyDates, zone: ZoneInfo) -> None:
    """Raise NotRepresentableError unless the wall clock of the event is that of the timetable on all its dates."""
    start = _single(component, "DTSTART")
    own = start.tzinfo if isinstance(start, datetime) else None
    if own is None or own == zone:
        return
    until = min(dates.last or date.max, dates.first + _COMPARED)
    for local in (each.start for each in weekly_times([dates.time], dates.first, until)):
        if local.replace(tzinfo=own).utcoffset() != local.replace(tzinfo=zone).utcoffset():
            raise NotRepresentableError(
                f"It repeats in the time zone {own}, whose clock differs from that of {zone.key} on {local:%Y-%m-%d}."
            )


def _excluded(component: Component, dates: WeeklyDates, zone: ZoneInfo) -> Iterator[date]:
    """Yield the dates of EXDATE on which the class would take place. Other times have no effect (RFC 5545 3.8.5.1)."""
    for at in component.times("EXDATE"):
        local = _local(at, zone) if isinstance(at, datetime) else datetime.combine(at, dates.time.start)
        is_own = local.time() == time(dates.time.start.hour, dates.time.start.minute)
        if is_own and local.weekday() in dates.time.days and dates.first <= local.date() <= (dates.last or date.max):
            yield local.date()
