"""The kinds of values that the forms of a timetable have, as text that people type."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from openbooking.openactive.money import is_price

_FIRST_DAY = date(2000, 1, 1)
_NUMBER = re.compile(r"[0-9]{1,7}")
_HOURS = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,2})?")


class Input(StrEnum):
    """The controls with which values are typed or chosen."""

    TEXT = "text"
    NUMBER = "number"
    LINES = "lines"
    DATE = "date"
    TIME = "time"
    MOMENT = "datetime-local"
    CHOICE = "choice"
    DAYS = "days"
    CONCEPTS = "concepts"
    HIDDEN = "hidden"


class Kind(NamedTuple):
    """A kind of values.

    Attributes:
        input: The control.
        parse: Returns the value of a text, or raises ValueError.
        format: Returns the text of a value.
        wrong: The message if a text has no value, or is empty and must not be.
        stand_in: The value with which the rest of a rule is checked if a text has no value.
    """

    input: Input
    parse: Callable[[str], Any] = str
    format: Callable[[Any], str] = str
    wrong: str = ""
    stand_in: Any = ""


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _degrees(text: str) -> float:
    if not re.fullmatch(r"[-+]?[0-9]{1,3}(?:\.[0-9]{1,12})?", text):
        raise ValueError(text)
    return float(text)


def _amount(text: str) -> Decimal:
    plain = text.removeprefix("£").strip()
    if not re.fullmatch(r"[0-9]{1,7}(?:\.[0-9]{1,2})?", plain) or not is_price(Decimal(plain)):
        raise ValueError(text)
    return Decimal(plain)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo or moment.date() < _FIRST_DAY:
        raise ValueError(text)
    return moment


def _clock_time(text: str) -> time:
    at = time.fromisoformat(text)
    if at.tzinfo:
        raise ValueError(text)
    return at


def _hours(text: str) -> timedelta:
    if not _HOURS.fullmatch(text):
        raise ValueError(text)
    return timedelta(minutes=round(float(text) * 60))


def _in_hours(value: timedelta) -> str:
    return f"{value / timedelta(hours=1):.2f}".rstrip("0").rstrip(".")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split(r"[,\n]", text) if part.strip())


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(_number, _listed(text)))


def _dates(text: str) -> tuple[date, ...]:
    return tuple(map(date.fromisoformat, _listed(text)))


def _lines(text: str) -> str:
    """Return a text with the line breaks of this system: browsers send others."""
    return "\n".join(text.splitlines())


TEXT = Kind(Input.TEXT)
LONG_TEXT = Kind(Input.LINES, _lines)
NUMBER = Kind(Input.NUMBER, _number, wrong="Enter a whole number.", stand_in=1)
DEGREES = Kind(Input.TEXT, _degrees, wrong="Enter degrees, such as 51.75.")
AMOUNT = Kind(
    Input.TEXT, _amount, lambda amount: f"{amount:.2f}", "Enter an amount in pounds, such as 7.50, or 0.", Decimal(0)
)
DATE = Kind(Input.DATE, date.fromisoformat, wrong="Enter a date, such as 2026-12-05.", stand_in=_FIRST_DAY)
TIME = Kind(Input.TIME, _clock_time, lambda at: f"{at:%H:%M}", "Enter a time, such as 18:15.", time())
MOMENT = Kind(
    Input.MOMENT,
    _moment,
    lambda at: f"{at:%Y-%m-%dT%H:%M}",
    "Enter a date and a time.",
    datetime.combine(_FIRST_DAY, time()),
)
HOURS = Kind(Input.TEXT, _hours, _in_hours, "Enter a number of hours, such as 24.")
TEXTS = Kind(Input.TEXT, _listed, ", ".join)
NUMBERS = Kind(Input.TEXT, _numbers, lambda all_: ", ".join(map(str, all_)), "Enter whole numbers, such as 60, 90.", ())
DATES = Kind(
    Input.LINES, _dates, lambda days: "\n".join(map(str, days)), "Enter dates such as 2026-12-25, one on each line."
)
DAYS = Kind(Input.DAYS)
CONCEPTS = Kind(Input.CONCEPTS)
HIDDEN = Kind(Input.HIDDEN)


def _chosen(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


def choice(parse: Callable[[str], Any] = _chosen) -> Kind:
    """Return the kind of a value that is chosen from a list."""
    return Kind(Input.CHOICE, parse, str, "Choose from the list.")
