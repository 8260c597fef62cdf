"""ISO 8601 durations of imported data, parsed. `jsonld/scalars.py` writes durations."""

import re
from datetime import timedelta
from functools import lru_cache
from typing import Any

# Only the smallest unit may have a fraction.
_FRACTION = r"(?:[.,]\d{1,9}(?=[WDHMS]$))?"
# Years and months have no fixed length, and may only be zero: some providers write `P0Y0M1D`.
_DURATION = re.compile(
    rf"P(0+Y)?(0+M)?((?P<weeks>\d{{1,4}}{_FRACTION})W)?((?P<days>\d{{1,5}}{_FRACTION})D)?"
    rf"(T((?P<hours>\d{{1,6}}{_FRACTION})H)?((?P<minutes>\d{{1,7}}{_FRACTION})M)?"
    rf"((?P<seconds>\d{{1,8}}{_FRACTION})S)?)?",
    re.ASCII,
)
_LONGEST = timedelta(days=3660)


def parse_duration(value: Any) -> timedelta | None:
    """Return the duration that a text states in weeks, days, hours, minutes and seconds, rounded to the second.

    Returns:
        The duration. None if the value is not such a text, or if the duration is longer than ten years.
    """
    return _parse(value.strip().upper()) if isinstance(value, str) else None


# The same few durations occur in all items.
@lru_cache(1_000)
def _parse(text: str) -> timedelta | None:
    found = _DURATION.fullmatch(text)
    given = found.groupdict() if found else {}
    parts = {unit: float(number.replace(",", ".")) for unit, number in given.items() if number}
    duration = timedelta(seconds=round(timedelta(**parts).total_seconds()))
    return duration if parts and duration <= _LONGEST else None
