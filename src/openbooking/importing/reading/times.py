"""When a bookable thing takes place: `startDate`, `endDate` and `duration` as providers publish them (OB-BKBL-34)."""

from datetime import datetime, timedelta

import msgspec

from openbooking.importing.reading.values import Instant, JsonObject, UnreadableError, read_duration, read_instant

_LAST_SECOND = timedelta(seconds=1)


class Period(msgspec.Struct, frozen=True):
    """From when to when, as far as it is told, with remarks on how it was understood."""

    start: datetime | None = None
    end: datetime | None = None
    remarks: tuple[str, ...] = ()


def read_period(thing: JsonObject, *, in_days: bool = False) -> Period:
    """When it takes place, or raise UnreadableError where it does not tell when it starts.

    A date without a time, and without an end, lasts until that day ends. What is given in days ends within the last of
    them, for it is published without a time.
    """
    if "startDate" not in thing:
        raise UnreadableError("it has no startDate")
    start = read_instant(thing["startDate"])
    remarks = [start.assumed] if start.assumed and not in_days else []
    end = _end(thing, remarks, in_days=in_days)
    lasts = _lasts(thing, remarks)
    by_duration = _after(start, lasts, remarks, in_days=in_days) if lasts else None
    if end is not None and end <= start.at:
        remarks.append(f"its end is not after its start: {'its duration taken' if by_duration else 'left out'}")
        end = None
    elif end and by_duration and end != by_duration and not in_days:
        remarks.append("its duration does not lead to its endDate, which is taken")
    if end is None:
        end = by_duration or _end_of_day(start, in_days=in_days)
    return Period(start.at, end, tuple(remarks))


def _after(start: Instant, lasts: timedelta, remarks: list[str], *, in_days: bool) -> datetime:
    """The end by the duration. Where the start is a date without a time, it is not before the end of that day."""
    end = start.at + lasts
    if end < start.until and not in_days:
        remarks.append("its duration is shorter than its day, which is taken")
    return max(end, start.until) - (_LAST_SECOND if in_days and start.is_day else timedelta())


def _end_of_day(start: Instant, *, in_days: bool) -> datetime | None:
    if not start.is_day:
        return None
    return start.until - (_LAST_SECOND if in_days else timedelta())


def _end(thing: JsonObject, remarks: list[str], *, in_days: bool) -> datetime | None:
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


def _lasts(thing: JsonObject, remarks: list[str]) -> timedelta | None:
    if "duration" not in thing:
        return None
    try:
        lasts = read_duration(thing["duration"])
    except UnreadableError as fault:
        remarks.append(f"duration: {fault}")
        return None
    if not lasts:
        remarks.append("its duration is zero: left out")
    return lasts or None
