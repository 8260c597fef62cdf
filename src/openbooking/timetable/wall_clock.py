"""The wall clock: local dates and times as instants.

When clocks go forward, some local times do not exist; when they go back, some exist twice. Such a time has two
readings: with the offset before the change, and with the offset after the change. The later reading counts. In London
01:30 on the day on which clocks go forward is the instant at which clocks show 02:30, and 01:30 on the day on which
clocks go back is the second 01:30. PostgreSQL's `AT TIME ZONE` decides the same. Lengths are elapsed time.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return a local time as an instant in UTC.

    Args:
        local: The time on the wall clock, without a time zone.
        zone: The time zone of the wall clock.
    """
    return max(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local day."""
    return instant(datetime.combine(day, time.min), zone)


class TimeSpan(NamedTuple):
    """The time from one instant to another, which does not belong to it."""

    start: datetime
    end: datetime

    def overlaps(self, other: "TimeSpan") -> bool:
        """Return whether both times have a moment in common."""
        return self.start < other.end and other.start < self.end


class DateRange(NamedTuple):
    """The days from one date to another, which does not belong to the range."""

    first: date
    until: date

    def span(self, zone: ZoneInfo) -> TimeSpan:
        """Return the time from the start of the first day to the end of the last day."""
        return TimeSpan(start_of_day(self.first, zone), start_of_day(self.until, zone))

    def widened(self) -> "DateRange":
        """Return the range with the days before and after it of which occurrences can start in it.

        Opening hours after midnight belong to the day before. A local time that does not exist can be on the next day.
        """
        return DateRange(self.first - 2 * _DAY, self.until + _DAY)

    def days(self) -> list[date]:
        """Return the days of the range."""
        return [self.first + _DAY * number for number in range((self.until - self.first).days)]
