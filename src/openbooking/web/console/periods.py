"""Periods that people choose in a query: from one day to another, or a part of one day."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from openbooking.back_office.formats import day_bounds, parse_date
from openbooking.web.pages import Form, Problem

_EARLIEST, _LATEST = date(1970, 1, 2), date(9999, 1, 1)


class PartOfDay(StrEnum):
    """A part of a day, by which the sessions of a long day are found sooner."""

    WHOLE = ""
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"

    def bounds(self, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
        """Return the first instant of this part of a day in a time zone, and the first instant after it."""
        begin, end = day_bounds(day, zone)
        first, last = _HOURS[self]
        return _at(day, first, zone) if first else begin, _at(day, last, zone) if last else end


PARTS_OF_DAY = {
    PartOfDay.WHOLE: "All day",
    PartOfDay.MORNING: "Morning",
    PartOfDay.AFTERNOON: "Afternoon",
    PartOfDay.EVENING: "Evening",
}
_NOON, _EVENING = time(12), time(17)
_HOURS = {
    PartOfDay.WHOLE: (None, None),
    PartOfDay.MORNING: (None, _NOON),
    PartOfDay.AFTERNOON: (_NOON, _EVENING),
    PartOfDay.EVENING: (_EVENING, None),
}


class PeriodError(Exception):
    """A field of the period has no valid day."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.problem = Problem(text, (field,))


class Period(NamedTuple):
    """A period from the first day to the last day, which both belong to it.

    Attributes:
        first: The first day.
        last: The last day.
        since: The first instant of the first day.
        until: The first instant after the last day.
    """

    first: date
    last: date
    since: datetime
    until: datetime


def month_of_day(day: date) -> tuple[date, date]:
    """Return the first and the last day of the month of a day."""
    return day.replace(day=1), first_of_next_month(day) - timedelta(days=1)


def month_before(day: date) -> tuple[date, date]:
    """Return the first and the last day of the month before the month of a day."""
    return month_of_day(day.replace(day=1) - timedelta(days=1))


def first_of_next_month(day: date) -> date:
    """Return the first day of the month after the month of a day."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def read_period(fields: Form, default: tuple[date, date], zone: tzinfo) -> Period:
    """Return the period in the fields of a query.

    Args:
        fields: The fields of the query.
        default: The first and the last day, each of which is taken if its field is empty.
        zone: The time zone of the days.

    Raises:
        PeriodError: A field is not a date, or the last day is before the first one.
    """
    first, last = _day(fields, "from") or default[0], _day(fields, "to") or default[1]
    if last < first:
        raise PeriodError("The last day is before the first day.", "to")
    return Period(first, last, day_bounds(first, zone)[0], day_bounds(last, zone)[1])


def _at(day: date, wall_clock: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, wall_clock, zone).astimezone(UTC)


def _day(fields: Form, name: str) -> date | None:
    text = fields.get(name, "").strip()
    day = parse_date(text)
    if text and (day is None or not _EARLIEST <= day < _LATEST):
        raise PeriodError("Enter a date, such as 2026-12-05.", name)
    return day
