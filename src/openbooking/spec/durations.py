"""Durations as ISO 8601 writes them."""

import re
from datetime import timedelta
from typing import Any

# Years and months have no fixed length, but some write zero of them.
_DURATION = re.compile(
    r"P(0+Y)?(0+M)?((?P<weeks>\d{1,4})W)?((?P<days>\d{1,5})D)?"
    r"(T((?P<hours>\d{1,6})H)?((?P<minutes>\d{1,7})M)?((?P<seconds>\d{1,8})(\.0+)?S)?)?",
    re.ASCII,
)
_LONGEST = timedelta(days=3660)


def read_duration(value: Any) -> timedelta | None:
    """A duration of weeks, days, hours, minutes and seconds, of ten years at most; None for anything else."""
    found = _DURATION.fullmatch(value.strip().upper()) if isinstance(value, str) else None
    parts = {unit: int(number) for unit, number in found.groupdict().items() if number} if found else {}
    duration = timedelta(**parts)
    return duration if parts and duration <= _LONGEST else None
