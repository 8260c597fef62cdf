"""The words of files: days of the week, times, lengths of time, enumerations and concepts.

A `read` function returns the value of a text, and raises ValueError with a sentence for people.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar

from openbooking.booking.model.timetable import Concept
from openbooking.timetable.concepts import Vocabulary, find, search
from openbooking.timetable.properties import WEEKDAYS

Choice = TypeVar("Choice", bound=StrEnum)

# The word for None where a key that is missing has another meaning.
NONE = "none"
DAYS = 'Give days such as "Mon Wed" or "Mon-Fri".'
TIME = 'Give a time such as "18:15".'
_END_OF_DAY = "24:00"
DATE = "Give a date such as 2026-12-05."
DATE_TIME = 'Give a date and time such as "2026-12-05 18:15".'
DURATION = 'Give a length of time such as "8 days" or "4 hours".'
_LEAST_LETTERS, _LETTERS = 2, 3
_LEAST_RANGE = 3
_TIME = re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?", re.ASCII)
_UNITS = {unit: timedelta(**{unit: 1}) for unit in ("weeks", "days", "hours", "minutes", "seconds")}
_DURATION = re.compile(r"(\d{1,9})\s*(week|day|hour|minute|second)s?", re.ASCII)
_WRITTEN_UNITS = ("days", "hours", "minutes", "seconds")
_SUGGESTIONS = 3


def read_days(text: str) -> tuple[int, ...]:
    """Return days of the week; 0 is Monday."""
    days: list[int] = []
    for word in re.split(r"[\s,;]+", re.sub(r"\s*-\s*", "-", text.strip())):
        if word:
            first, dash, last = word.partition("-")
            begin = _read_day(first)
            end = _read_day(last) if dash else begin
            days.extend((begin + number) % len(WEEKDAYS) for number in range((end - begin) % len(WEEKDAYS) + 1))
    return tuple(days)


def _read_day(word: str) -> int:
    wanted = word.casefold()
    found = [number for number, day in enumerate(WEEKDAYS) if day.casefold().startswith(wanted)]
    if len(wanted) < _LEAST_LETTERS or len(found) != 1:
        raise ValueError(DAYS)
    return found[0]


def write_days(days: Sequence[int]) -> str:
    """Return the words of days, in their order."""
    words: list[str] = []
    rest = list(days)
    while rest:
        run = next(number for number in range(1, len(rest) + 1) if rest[number : number + 1] != [rest[0] + number])
        first, last = (WEEKDAYS[day][:_LETTERS] for day in (rest[0], rest[run - 1]))
        is_range = run >= _LEAST_RANGE
        words += [f"{first}-{last}"] if is_range else [WEEKDAYS[day][:_LETTERS] for day in rest[:run]]
        del rest[:run]
    return " ".join(words)


def read_time(text: str) -> time:
    """Return a time of day; 24:00 is the end of the day, which is the start of the next."""
    if text.strip() == _END_OF_DAY:
        return time()
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise ValueError(TIME)
    try:
        return time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0))
    except ValueError as fault:
        raise ValueError('Give a time from "00:00" to "24:00".') from fault


def write_time(value: time) -> str:
    """Return the text of a time of day."""
    return value.isoformat() if value.second else f"{value:%H:%M}"


def read_date(text: str) -> date:
    """Return a date."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as fault:
        raise ValueError(DATE) from fault


def read_date_time(text: str) -> datetime:
    """Return a date and time of day; 24:00 is the start of the next date."""
    day, _, at = text.strip().replace("T", " ").partition(" ")
    try:
        read = datetime.combine(read_date(day), read_time(at))
        return read + timedelta(days=at.strip() == _END_OF_DAY)
    except (ValueError, OverflowError) as fault:
        raise ValueError(DATE_TIME) from fault


def write_date_time(value: datetime) -> str:
    """Return the text of a date and time of day."""
    return f"{value.date().isoformat()} {write_time(value.time())}"


def read_duration(text: str) -> timedelta:
    """Return a length of time."""
    parts = _DURATION.findall(text)
    rest = re.sub(r"[\s,]|\band\b", "", _DURATION.sub("", text))
    if not parts or rest:
        raise ValueError(DURATION)
    try:
        return sum((int(number) * _UNITS[f"{unit}s"] for number, unit in parts), timedelta())
    except OverflowError as fault:
        raise ValueError("Give a shorter length of time.") from fault


def write_duration(value: timedelta) -> str:
    """Return the words of a length of time in whole seconds."""
    unit = next((unit for unit in _WRITTEN_UNITS if value and not value % _UNITS[unit]), "minutes")
    number = value // _UNITS[unit]
    return f"{number} {unit.removesuffix('s') if number == 1 else unit}"


def word_of(choice: StrEnum) -> str:
    """Return the word of a value: the value, or the last part of its URI in small letters."""
    return choice.rpartition("/")[2].lower() if "/" in choice else str(choice)


def read_choice(text: str, choices: type[Choice]) -> Choice:
    """Return the value of an enumeration."""
    found = next((choice for choice in choices if word_of(choice).casefold() == text.strip().casefold()), None)
    if found is None:
        raise ValueError(f"Give one of {', '.join(map(word_of, choices))}.")
    return found


def read_concept(text: str, vocabulary: Vocabulary) -> Concept:
    """Return an entry of a vocabulary by its label or URI."""
    found = find(vocabulary, text)
    if found is None:
        words = text.split() or [""]
        similar = search(vocabulary, text) or [found for word in words for found in search(vocabulary, word)]
        labels = ", ".join(f'"{concept.label}"' for concept in similar[:_SUGGESTIONS])
        advice = f" Similar ones are {labels}." if labels else ""
        raise ValueError(f"There is no {text!r} in OpenActive's list.{advice}")
    return found


def write_concept(concept: Concept, vocabulary: Vocabulary) -> str:
    """Return the label of a concept, or its URI if the label does not lead to it."""
    return concept.label if find(vocabulary, concept.label) == concept else concept.id
