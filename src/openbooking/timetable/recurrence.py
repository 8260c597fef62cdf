"""Weekly recurrence on the wall clock, without time zones (`wall_clock` makes instants of local times)."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from heapq import merge
from typing import NamedTuple

from dateutil.rrule import WEEKLY, rrule

from openbooking.booking.model.timetable import OpeningHours, WeeklyTime

_DAY = timedelta(days=1)


class LocalTime(NamedTuple):
    """A start on the wall clock, and a length in minutes."""

    start: datetime
    minutes: int


class OpenTime(NamedTuple):
    """The opening hours of one day on the wall clock."""

    opens: datetime
    closes: datetime


def weekly_times(times: Iterable[WeeklyTime], first: date, last: date | None) -> Iterator[LocalTime]:
    """Yield the times from the first to the last date in order, each once.

    Args:
        times: The times of the week.
        first: The first date.
        last: The last date; None for no end.
    """
    starts = (_starts(each, first, last) for each in times if each.days)
    previous = None
    for found in merge(*starts):
        if found != previous:
            yield found
        previous = found


def open_times(hours: Iterable[OpeningHours], first: date, last: date) -> Iterator[OpenTime]:
    """Yield the opening hours of the days from the first to the last date."""
    for each in hours:
        for opens in _weekly(each.days, each.opens, first, last):
            closes = datetime.combine(opens.date(), each.closes)
            yield OpenTime(opens, closes if closes > opens else closes + _DAY)


def slot_times(hours: OpenTime, minutes: int, step: int | None) -> Iterator[LocalTime]:
    """Yield the times of the Slots of one length that fit into opening hours.

    Args:
        hours: The opening hours of one day.
        minutes: The length of a Slot.
        step: How many minutes after a Slot the next one starts; None for the length.
    """
    start, length, next_ = hours.opens, timedelta(minutes=minutes), timedelta(minutes=step or minutes)
    while start + length <= hours.closes:
        yield LocalTime(start, minutes)
        start += next_


def _starts(weekly: WeeklyTime, first: date, last: date | None) -> Iterator[LocalTime]:
    return (LocalTime(start, weekly.minutes) for start in _weekly(weekly.days, weekly.start, first, last))


def _weekly(days: tuple[int, ...], at: time, first: date, last: date | None) -> Iterator[datetime]:
    """Yield a time of day on these days of the week, from the first to the last date."""
    begins, ends = datetime.combine(first, at), datetime.combine(last, at) if last else None
    return iter(rrule(WEEKLY, byweekday=days, dtstart=begins, until=ends)) if days else iter(())
