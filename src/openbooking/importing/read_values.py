"""Values in the forms in which providers publish them: types, identifiers, instants, durations, numbers, prices."""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from openbooking.spec.links import is_web_address

JsonObject = Mapping[str, Any]
Term = TypeVar("Term", bound=StrEnum)

# A time that names no zone is taken for a time on the wall where OpenActive is used.
LOCAL_ZONE = ZoneInfo("Europe/London")

MAX_DEPTH = 64

_MAX_INTEGER = 2**53
_MAX_COUNT = 2**31 - 1
_YEARS = range(1970, 3000)
_LONGEST = timedelta(days=3660)
_SHOWN = 200
_ALIASES = {"type": "@type", "id": "@id"}
# What the models know as arrays only; those who have one member often publish it without the array.
_ARRAYS = frozenset(
    {
        "acceptedPaymentMethod", "accessibilitySupport", "activity", "additionalAdmissionRestriction", "amenityFeature",
        "byDay", "byMonth", "byMonthDay", "category", "containsPlace", "contributor", "dayOfWeek", "eventSchedule",
        "exceptDate", "facilityType", "hoursAvailable", "image", "leader", "level", "openingHoursSpecification",
        "sameAs", "specialOpeningHoursSpecification", "termsOfService", "thumbnail",
    }
)  # fmt: skip
# And what they never know as an array, though some publish it as one.
_NO_ARRAYS = frozenset(
    {
        "address", "ageRange", "description", "duration", "endDate", "eventAttendanceMode", "eventStatus",
        "genderRestriction", "geo", "isAccessibleForFree", "location", "name", "remainingAttendeeCapacity",
        "remainingUses", "startDate", "url",
    }
)  # fmt: skip
# What pages of whoever reads a feed may show as links, or embed.
_LINKS = frozenset(
    {
        "contentUrl", "discussionUrl", "embedUrl", "hasMap", "image", "logo", "sameAs", "termsOfService", "thumbnail",
        "thumbnailUrl", "url", "urlTemplate",
    }
)  # fmt: skip
_PREFIXES = re.compile(r"(https?://(www\.)?(openactive\.io|schema\.org)/|oa:|schema:)")
_FOREIGN = re.compile(r"(?!(beta|oa|schema):)[\w.-]+:")
_INSECURE_TERM = re.compile(r"http://(?P<term>(openactive\.io|schema\.org)/[\w#/-]+)", re.ASCII)
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d(?P<time>[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(?P<zone>Z|[+-]\d\d(:?\d\d)?)?)?", re.ASCII
)
# Years and months have no fixed length, but some write zero of them.
_DURATION = re.compile(
    r"P(0+Y)?(0+M)?((?P<weeks>\d{1,4})W)?((?P<days>\d{1,5})D)?"
    r"(T((?P<hours>\d{1,6})H)?((?P<minutes>\d{1,7})M)?((?P<seconds>\d{1,8})(\.0+)?S)?)?",
    re.ASCII,
)
_PRICE = re.compile(r"\d{1,9}(\.\d{1,30})?", re.ASCII)


class UnreadableError(Exception):
    """Something that a provider published cannot be understood; the message tells what and why."""


class Instant(NamedTuple):
    """A point in time, `until` when it lasts if it is a day, and what was assumed to make one of what was published."""

    at: datetime
    until: datetime
    assumed: str | None


def clean(value: Any, depth: int = 0) -> Any:
    """The value without nulls, empty texts, arrays and objects (OB-BKBL-27), and with names, terms and arrays as the
    models have them. None where nothing is left. Raises UnreadableError for what could not be published.
    """
    if depth > MAX_DEPTH:
        raise UnreadableError("it is nested too deeply")
    if isinstance(value, dict):
        return _clean_object(value, depth) or None
    if isinstance(value, list):
        cleaned = (clean(member, depth + 1) for member in value)
        return [member for member in cleaned if member is not None] or None
    if isinstance(value, str):
        return _clean_text(value)
    # Beyond this a number is not exact in every JSON reader, and the store cannot keep it.
    if isinstance(value, int) and abs(value) > _MAX_INTEGER:
        raise UnreadableError("it contains a number that is too large")
    return value


def _clean_object(thing: dict[str, Any], depth: int) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    for name, member in thing.items():
        _check_text(name)
        value = clean(member, depth + 1)
        proper = _ALIASES.get(name, name)
        if value is None or (proper != name and proper in thing):
            continue
        cleaned[proper] = _in_form(proper, value)
    return cleaned


def _in_form(name: str, value: Any) -> Any:
    """The value of this property as the models have it."""
    if name in _ARRAYS:
        return members(value)
    if name in _NO_ARRAYS and isinstance(value, list) and len(value) == 1:
        return value[0]
    return value.strip() if name in ("@type", "@id") and isinstance(value, str) else value


def publishable(thing: JsonObject, left_out: Iterable[str] = ()) -> tuple[dict[str, Any], list[str]]:
    """The thing without properties of vocabularies that are not known here, and without links that lead to no web
    page, but to a script, say. With a remark on what is left out, if anything is; `left_out` names what was already.
    """
    names = set(left_out)
    known: dict[str, Any] = _publishable(thing, names)
    return known, [f"{', '.join(sorted(names))} left out"] if names else []


def _publishable(value: Any, left_out: set[str]) -> Any:
    if isinstance(value, list):
        return [_publishable(member, left_out) for member in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, member in value.items():
        if _FOREIGN.match(name):
            left_out.add(shown(name))
        elif name in _LINKS and not all(map(_may_be_link, members(member))):
            left_out.add(f"{name} that is no web address")
        else:
            kept[name] = _publishable(member, left_out)
    return kept


def _may_be_link(value: Any) -> bool:
    """Whether the value is a web address, or a thing that may have one."""
    return isinstance(value, dict) or (isinstance(value, str) and is_web_address(value))


def _clean_text(text: str) -> str | None:
    _check_text(text)
    term = _INSECURE_TERM.fullmatch(text)
    if term:
        return f"https://{term['term']}"
    return text if text.strip() else None


def _check_text(text: str) -> None:
    if "\0" in text:
        raise UnreadableError("it contains a NUL character")


def shown(value: Any) -> str:
    """The value for a message: cut short, and without what would make a terminal do something."""
    whole: str = value if isinstance(value, str) else repr(value)
    text = whole[: _SHOWN + 1]
    if not text.isprintable():
        text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def derive_key(*parts: str) -> str:
    """The key that always comes of these parts: 160 bits of their SHA-256, in small letters and digits."""
    digest = hashlib.sha256(msgspec.json.encode(parts)).digest()
    return base64.b32encode(digest[:20]).decode().lower()


def members(value: Any) -> list[Any]:
    """The members of an array, or the one that stands there without one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def read_text(value: Any) -> str | None:
    """Text that can name something: of a number its digits, of a PropertyValue its value, of several the first."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def type_names(thing: JsonObject) -> list[str]:
    """The types of a thing, by their names in OpenActive's context."""
    return [_PREFIXES.sub("", name.strip(), 1) for name in members(thing.get("@type")) if isinstance(name, str)]


def read_term(value: Any, terms: type[Term]) -> Term:
    """One of these terms, with or without its namespace."""
    bare = _PREFIXES.sub("", value.strip(), 1) if isinstance(value, str) else None
    for term in terms:
        if bare == _PREFIXES.sub("", term.value, 1):
            return term
    raise UnreadableError(f"{shown(value)} is not known")


def read_instant(value: Any) -> Instant:
    """A date, with or without a time and a zone, to the second and with the offset it was published with."""
    text = value.strip().upper() if isinstance(value, str) else ""
    found = _INSTANT.fullmatch(text)
    try:
        read = datetime.fromisoformat(text) if found else None
    except ValueError:
        read = None
    if found is None or read is None or read.year not in _YEARS:
        raise UnreadableError(f"{shown(value)} is no date and time")
    if not found["time"]:
        day = f"{text} has no time: a whole day in {LOCAL_ZONE} assumed"
        return Instant(_local(read), _local(read + timedelta(days=1)), day)
    assumed = None if found["zone"] else f"{text} has no time zone: {LOCAL_ZONE} assumed"
    at = (read if read.tzinfo else _local(read)).replace(microsecond=0)
    return Instant(at, at, assumed)


def _local(wall: datetime) -> datetime:
    """With the offset of that time, for what is added to a time of a zone moves the hand of its clock."""
    offset = wall.replace(tzinfo=LOCAL_ZONE).utcoffset()
    return wall.replace(tzinfo=timezone(offset) if offset else UTC)


def read_duration(value: Any) -> timedelta:
    """A duration of weeks, days, hours, minutes and seconds, of ten years at most."""
    found = _DURATION.fullmatch(value.strip().upper()) if isinstance(value, str) else None
    parts = {unit: int(number) for unit, number in found.groupdict().items() if number} if found else {}
    duration = timedelta(**parts)
    if not parts or duration > _LONGEST:
        raise UnreadableError(f"{shown(value)} is no duration of a fixed length")
    return duration


def read_count(value: Any) -> int:
    """A number of places; less than none is none."""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,10}", text, re.ASCII) or int(text) > _MAX_COUNT:
        raise UnreadableError(f"{shown(value)} is no number of places")
    return max(int(text), 0)


def read_price(value: Any) -> Decimal:
    """A price, as a number or as text."""
    text = str(value).strip()
    if isinstance(value, bool) or not isinstance(value, int | float | str) or not _PRICE.fullmatch(text):
        raise UnreadableError(f"{shown(value)} is no price")
    return Decimal(text)
