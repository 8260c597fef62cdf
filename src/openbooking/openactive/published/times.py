"""The period of a bookable thing: `startDate`, `endDate` and `duration` as published (OB-BKBL-34)."""

from datetime import datetime, timedelta

import msgspec

from openbooking.openactive.published.values import Instant, JsonObject, UnreadableError, read_duration, read_instant

_LAST_SECOND = timedelta(seconds=1)


class Period(msgspec.Struct, frozen=True):
    """Start and end, each None if unknown, and remarks on values that were assumed or left out."""

    start: datetime | None = None
    end: datetime | None = None
    remarks: tuple[str, ...] = ()


def read_period(thing: JsonObject, *, in_days: bool = False) -> Period:
    """Return the period of a thing.

    A thing that has a start without a time, and no end, lasts the whole day.

    Args:
        thing: The thing as published, cleaned.
        in_days: Whether this type has dates instead of times. The period then ends one second before the end of its
            last day.

    Raises:
        UnreadableError: The `startDate` is absent or cannot be read.
    """
    if "startDate" not in thing:
        raise UnreadableError("it has no startDate")
    start = read_instant(thing["startDate"])
    remarks = [start.assumed] if start.assumed and not in_days else []
    end = _read_end(thing, remarks, in_days=in_days)
    duration = _read_duration(thing, remarks)
    end_by_duration = _end_after(start, duration, remarks, in_days=in_days) if duration else None
    if end is not None and end <= start.at:
        remarks.append(f"its end is not after its start: {'its duration is used' if end_by_duration else 'left out'}")
        end = None
    elif end and end_by_duration and end != end_by_duration and not in_days:
        remarks.append("its duration does not match its endDate; its endDate is used")
    if end is None:
        end = end_by_duration or _end_of_day(start, in_days=in_days)
    return Period(start.at, end, tuple(remarks))


def _end_after(start: Instant, duration: timedelta, remarks: list[str], *, in_days: bool) -> datetime:
    """Return the start plus the duration. If the start has no time, return the end of its day at least."""
    end = start.at + duration
    if end < start.until and not in_days:
        remarks.append("its start is a whole day; its duration is shorter than a day and is not used")
    return max(end, start.until) - (_LAST_SECOND if in_days and start.is_day else timedelta())


def _end_of_day(start: Instant, *, in_days: bool) -> datetime | None:
    if not start.is_day:
        return None
    return start.until - (_LAST_SECOND if in_days else timedelta())


def _read_end(thing: JsonObject, remarks: list[str], *, in_days: bool) -> datetime | None:
    """Return the `endDate`; None if it is absent or unreadable."""
    if "endDate" not in thing:
        return None
    try:
        read = read_instant(thing["endDate"])
    except UnreadableError as fault:
        remarks.append(f"endDate: {fault}")
        return None
    if read.assumed and not in_days:
        remarks.append(read.assumed)
    return read.until - _LAST_SECOND if in_days and read.is_day else read.until


def _read_duration(thing: JsonObject, remarks: list[str]) -> timedelta | None:
    """Return the `duration`; None if it is absent, zero or unreadable."""
    if "duration" not in thing:
        return None
    try:
        duration = read_duration(thing["duration"])
    except UnreadableError as fault:
        remarks.append(f"duration: {fault}")
        return None
    if not duration:
        remarks.append("its duration is zero: left out")
    return duration or None
