"""When a bookable thing takes place: `startDate`, `endDate` and `duration` as providers publish them (OB-BKBL-34)."""

from datetime import datetime, timedelta

import msgspec

from openbooking.importing.read_values import JsonObject, UnreadableError, read_duration, read_instant


class When(msgspec.Struct, frozen=True):
    """From when to when, as far as it is told, with remarks on how it was understood."""

    start: datetime | None = None
    end: datetime | None = None
    remarks: tuple[str, ...] = ()


def read_when(thing: JsonObject, *, in_days: bool = False) -> When:
    """When it takes place, or raise UnreadableError where it does not tell when it starts.

    What is given in days ends within the last of them, for it is published without a time.
    """
    if "startDate" not in thing:
        raise UnreadableError("it has no startDate")
    start = read_instant(thing["startDate"])
    remarks = [start.assumed] if start.assumed and not in_days else []
    end = _end(thing, remarks, in_days=in_days)
    lasts = _lasts(thing, remarks)
    if end is None and lasts is not None:
        end = start.at + lasts
    if end is not None and end <= start.at:
        remarks.append("its end is not after its start: left out")
        end = None
    if end and lasts is not None and end - start.at != lasts and not in_days:
        remarks.append("its duration does not lead to its endDate, which is taken")
    return When(start.at, end, tuple(remarks))


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
    return read.until - timedelta(seconds=1) if in_days and read.until > read.at else read.until


def _lasts(thing: JsonObject, remarks: list[str]) -> timedelta | None:
    if "duration" not in thing:
        return None
    try:
        return read_duration(thing["duration"])
    except UnreadableError as fault:
        remarks.append(f"duration: {fault}")
        return None
