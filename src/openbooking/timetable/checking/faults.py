"""The faults of a rule, each with its field, and the checks of single fields."""

import re
from collections.abc import Hashable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

# A rule may name the days of these years.
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
LONGEST_MINUTES = 24 * 60
_LONGEST_NAME = 200
_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_KEY = 60


class Fault(NamedTuple):
    """A fault of a rule.

    Attributes:
        field: The path of the field, such as `times.0.minutes`.
        text: What is wrong and what to do, as a sentence.
    """

    field: str
    text: str


class Faults:
    """Collects the faults of a part of a rule.

    Args:
        prefix: The path of the part; empty for the rule itself.
        found: The list to which faults are added.
    """

    def __init__(self, prefix: str = "", found: list[Fault] | None = None) -> None:
        self._prefix = prefix
        self.found: list[Fault] = [] if found is None else found

    def part(self, *names: str | int) -> "Faults":
        """Return the faults of a part of this part."""
        return Faults(".".join(map(str, filter(lambda name: name != "", (self._prefix, *names)))), self.found)

    def require(self, is_right: bool, field: str, text: str) -> bool:  # noqa: FBT001 - reads like assert
        """Add a fault unless the field is right, and return whether it is."""
        if not is_right:
            self.found.append(Fault(".".join(filter(None, (self._prefix, field))), text))
        return is_right

    def has(self, field: str) -> bool:
        """Return whether a field of this part has a fault."""
        return any(fault.field == ".".join(filter(None, (self._prefix, field))) for fault in self.found)

    def require_key(self, value: str, field: str) -> bool:
        """Require a key."""
        is_key = _KEY.fullmatch(value) is not None and len(value) <= _LONGEST_KEY
        text = f"Use at most {_LONGEST_KEY} small letters, digits and single hyphens, such as early-spin."
        return self.require(is_key, field, text)

    def require_name(self, value: str, field: str = "name") -> None:
        """Require a text that is not empty and not too long."""
        self.require(bool(value.strip()), field, "Give a name.")
        self.require(len(value) <= _LONGEST_NAME, field, f"Use at most {_LONGEST_NAME} characters.")

    def require_number(self, value: int | None, field: str, least: int, most: int) -> None:
        """Require a number within bounds; None is right."""
        is_right = value is None or least <= value <= most
        self.require(is_right, field, f"Give a number from {least:,} to {most:,}.")

    def require_time(self, value: time | datetime, field: str) -> None:
        """Require a time on the wall clock in whole minutes."""
        is_local = value.tzinfo is None
        self.require(is_local, field, "Give the time on the clock of the place, without a time zone.")
        self.require(not value.second and not value.microsecond, field, "Give the time in whole minutes.")

    def require_date(self, value: date | None, field: str) -> bool:
        """Require a date within the years of timetables; None is right."""
        day = value.date() if isinstance(value, datetime) else value
        is_right = day is None or _FIRST_DAY <= day <= _LAST_DAY
        return self.require(is_right, field, f"Give a date from {_FIRST_DAY.year} to {_LAST_DAY.year}.")

    def require_dates(self, first: date, last: date | None) -> None:
        """Require a first and a last date in order."""
        self.require_date(first, "first")
        if self.require_date(last, "last"):
            self.require(last is None or first <= last, "last", "The last date is before the first date.")

    def require_days(self, days: Sequence[int], field: str = "days") -> None:
        """Require days of the week, each once."""
        self.require(all(0 <= day <= 6 for day in days), field, "Give days from 0, Monday, to 6, Sunday.")  # noqa: PLR2004
        self.require(len(set(days)) == len(days), field, "Give each day once.")

    def require_duration(self, value: timedelta | None, field: str) -> None:
        """Require a time before a start; None is right."""
        is_right = value is None or timedelta(0) <= value <= timedelta(days=366)
        self.require(is_right, field, "Give a time before the start of at most 366 days.")

    def require_unique(self, values: Iterable[Hashable], field: str, what: str) -> None:
        """Require that no two values are equal."""
        listed = list(values)
        self.require(len(set(listed)) == len(listed), field, f"Two {what} are the same.")
