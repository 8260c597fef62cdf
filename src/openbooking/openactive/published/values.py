"""Values as providers publish them: types, identifiers, instants, durations, numbers and prices."""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from openbooking.openactive.durations import parse_duration
from openbooking.openactive.opportunity_types import CAPACITY_PROPERTIES
from openbooking.openactive.web_addresses import is_web_address

JsonObject = Mapping[str, Any]
Term = TypeVar("Term", bound=StrEnum)

# The zone of times without a zone: OpenActive is used in the United Kingdom.
LOCAL_ZONE = ZoneInfo("Europe/London")

MAX_DEPTH = 64

_MAX_INTEGER = 2**53
MAX_COUNT = 2**31 - 1
_YEARS = range(1970, 3000)
_DAY = timedelta(days=1)
_SHOWN = 200
_ALIASES = {"type": "@type", "id": "@id"}
_REFERENCE = frozenset({"@context", "@id", "@type"})
# Properties that are always arrays in the models. Providers often publish a single member without the array.
_ARRAYS = frozenset(
    {
        "acceptedPaymentMethod", "accessibilitySupport", "activity", "additionalAdmissionRestriction", "amenityFeature",
        "byDay", "byMonth", "byMonthDay", "category", "containsPlace", "contributor", "dayOfWeek", "eventSchedule",
        "exceptDate", "facilityType", "hoursAvailable", "image", "leader", "level", "openingHoursSpecification",
        "sameAs", "specialOpeningHoursSpecification", "termsOfService", "thumbnail",
    }
)  # fmt: skip
# Properties that are never arrays in the models. Some providers publish them as arrays.
_NO_ARRAYS = CAPACITY_PROPERTIES | {
    "address", "advanceBooking", "ageRange", "ageRestriction", "allowCustomerCancellationFullRefund",
    "availabilityEnds", "availabilityStarts", "description", "duration", "eligibleQuantity", "endDate",
    "eventAttendanceMode", "eventStatus", "genderRestriction", "geo", "inventoryLevel", "isAccessibleForFree",
    "isOpenBookingAllowed", "latestCancellationBeforeStartDate", "location", "name", "openBookingInAdvance",
    "openBookingPrepayment", "prepayment", "price", "priceCurrency", "priceValidUntil", "startDate", "taxMode",
    "url", "validFrom", "validFromBeforeStartDate", "validThrough", "validThroughBeforeStartDate",
}  # fmt: skip
# Properties that websites of data users may show as links, or embed.
_LINKS = frozenset(
    {
        "contentUrl", "discussionUrl", "embedUrl", "hasMap", "image", "logo", "sameAs", "termsOfService", "thumbnail",
        "thumbnailUrl", "url", "urlTemplate",
    }
)  # fmt: skip
_NAMESPACE = r"(?:https?://(?:www\.)?(?:openactive\.(?:io|org)/(?:ns#)?|schema\.org/)|oa:|schema:)"
_PREFIXES = re.compile(_NAMESPACE)
_PREFIXED_NAME = re.compile(rf"{_NAMESPACE}(?P<name>\w+)", re.ASCII)
_BETA_NAME = re.compile(r"https?://(?:www\.)?openactive\.io/ns-beta#(?P<name>\w+)", re.ASCII)
_FOREIGN = re.compile(r"(?!(beta|oa|schema):)[\w.-]+:")
_INSECURE_TERM = re.compile(r"http://(?P<term>(openactive\.io|schema\.org)/[\w#/-]+)", re.ASCII)
# The extended and the basic format of ISO 8601, with or without a space before the zone.
_INSTANT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d|\d{8}|\d{4}-?W\d\d-?\d)"
    r"([T ](?P<time>\d\d:\d\d(:\d\d([.,]\d+)?)?|\d{4}(\d\d([.,]\d+)?)?)(?P<zone> ?(Z|UTC|GMT|[+-]\d\d(:?\d\d)?))?)?",
    re.ASCII,
)
# Midnight at the end of the day.
_MIDNIGHT = re.compile(r"24:?00(:?00([.,]0+)?)?", re.ASCII)
_COUNT = re.compile(r"(?P<negative>-?)(?P<digits>\d+)(\.0+)?", re.ASCII)
_PRICE = re.compile(r"\d{1,9}(\.\d{1,30})?", re.ASCII)


class UnreadableError(Exception):
    """A published value or item is not understood; the message names it and says why."""


class Instant(NamedTuple):
    """An instant or a day.

    Attributes:
        at: The instant, or the start of the day.
        until: The same instant, or the end of the day.
        assumed: A remark on an assumed time or zone; None if nothing was assumed.
    """

    at: datetime
    until: datetime
    assumed: str | None

    @property
    def is_day(self) -> bool:
        """Whether this is a whole day."""
        return self.until > self.at


def clean(value: Any, depth: int = 0) -> Any:
    """Return the value in the form of the OpenActive models (OB-BKBL-27).

    Nulls, empty texts, empty arrays and empty objects are removed. Names and terms lose their namespaces. A property
    becomes an array, or a single value, as its model has it.

    Args:
        value: The decoded JSON.
        depth: The number of arrays and objects around the value.

    Returns:
        The value, or None if nothing is left of it.

    Raises:
        UnreadableError: The value is nested too deeply or contains a NUL character.
    """
    if depth > MAX_DEPTH:
        raise UnreadableError("it is nested too deeply")
    if isinstance(value, dict):
        thing = clean(value["@value"], depth + 1) if "@value" in value else _clean_object(value, depth)
        return None if thing == {} else thing
    if isinstance(value, list):
        cleaned = (clean(member, depth + 1) for member in value)
        return [member for member in cleaned if member is not None] or None
    return _clean_text(value) if isinstance(value, str) else value


def _clean_object(thing: dict[str, Any], depth: int) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    for name, member in thing.items():
        proper = _proper_name(name)
        value = clean(member, depth + 1)
        if value is None or (name in _ALIASES and proper in thing):
            continue
        value = _normalise(proper, value)
        # If one property is published under two names, JSON-LD merges the values.
        if proper in cleaned and cleaned[proper] != value:
            value = [*members(cleaned[proper]), *members(value)]
        cleaned[proper] = value
    return cleaned


# The same few names occur in all items.
@lru_cache(5_000)
def _proper_name(name: str) -> str:
    """Return the name that a property has in OpenActive's context."""
    _check_text(name)
    if name in _ALIASES:
        return _ALIASES[name]
    if found := _PREFIXED_NAME.fullmatch(name):
        return found["name"]
    found = _BETA_NAME.fullmatch(name)
    return f"beta:{found['name']}" if found else name


def _normalise(name: str, value: Any) -> Any:
    """Return the value of a property as an array or a single value, as the model of the property has it."""
    if name in _ARRAYS:
        return members(value)
    if name in _NO_ARRAYS and isinstance(value, list) and len(value) == 1:
        return value[0]
    return value.strip() if name in ("@type", "@id") and isinstance(value, str) else value


def select_publishable(thing: JsonObject, left_out: Iterable[str] = ()) -> tuple[dict[str, Any], list[str]]:
    """Return the properties that this system may publish, and remarks on properties that are left out or changed.

    Properties of unknown vocabularies are left out. Links that are no web addresses, such as scripts, are left out.
    Integers beyond 2^53 become text, because not every JSON reader keeps them exact.

    Args:
        thing: The thing, cleaned.
        left_out: The names of properties that were left out before, for the remark.
    """
    names = set(left_out)
    as_text: set[str] = set()
    known: dict[str, Any] = _copy_publishable(thing, names, as_text)
    remarks = [f"{', '.join(sorted(names))} left out"] if names else []
    if as_text:
        remarks.append(f"{', '.join(sorted(as_text))}: a number beyond 2^53 is kept as text")
    return known, remarks


def _copy_publishable(value: Any, left_out: set[str], as_text: set[str], within: str = "") -> Any:
    """Return a copy without foreign properties and unsafe links. Add their names to `left_out`."""
    if isinstance(value, list):
        return [_copy_publishable(member, left_out, as_text, within) for member in value]
    if isinstance(value, int) and abs(value) > _MAX_INTEGER:
        # An identifier may be text, so that no remark is needed.
        if within != "identifier":
            as_text.add(display_text(within))
        return str(value)
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, member in value.items():
        if _FOREIGN.match(name):
            left_out.add(display_text(name))
        elif name in _LINKS and not all(map(_may_be_link, members(member))):
            left_out.add(f"{name} that is no web address")
        else:
            kept[name] = _copy_publishable(member, left_out, as_text, name)
    return kept


def _may_be_link(value: Any) -> bool:
    """Return whether the value is a web address, or an object that may contain a web address."""
    return isinstance(value, dict) or (isinstance(value, str) and is_web_address(value))


def _clean_text(text: str) -> str | None:
    _check_text(text)
    if text.startswith("http://") and (term := _INSECURE_TERM.fullmatch(text)):
        return f"https://{term['term']}"
    return text if text.strip() else None


def _check_text(text: str) -> None:
    if "\0" in text:
        raise UnreadableError("it contains a NUL character")


def display_text(value: Any) -> str:
    """Return a value as text for a message, shortened and without the control characters of terminals."""
    full: str = value if isinstance(value, str) else repr(value)
    text = full[: _SHOWN + 1]
    if not text.isprintable():
        text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


# Reading an item derives the same keys several times.
@lru_cache(1_000)
def derive_key(*parts: str) -> str:
    """Return the key derived from these parts: 160 bits of their SHA-256, as lower-case letters and digits."""
    digest = hashlib.sha256(msgspec.json.encode(parts)).digest()
    return base64.b32encode(digest[:20]).decode().lower()


def members(value: Any) -> list[Any]:
    """Return the members of an array. A single value is an array of one member, and None an empty array."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def read_text(value: Any) -> str | None:
    """Return a name or identifier as text; None if there is none.

    Numbers become text, and 1.0 becomes "1". Of a PropertyValue the `value` is read, and of an array the first member.
    """
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def is_reference(thing: JsonObject) -> bool:
    """Return whether an object has no properties other than `@id`, `@type` and `@context`."""
    return thing.keys() <= _REFERENCE


def type_names(thing: JsonObject) -> list[str]:
    """Return the types of a thing, without namespaces."""
    return [name for name in term_names(thing.get("@type")) if name]


def term_names(value: Any) -> list[str]:
    """Return the terms that a value states as text or by `@id`, without namespaces; empty for other values."""
    named = (member.get("@id") if isinstance(member, dict) else member for member in members(value))
    return [_without_prefix(name) if isinstance(name, str) else "" for name in named]


@lru_cache(5_000)
def _without_prefix(name: str) -> str:
    return _PREFIXES.sub("", name.strip(), 1)


def read_term(value: Any, terms: type[Term]) -> Term:
    """Return the term that a value states, with or without its namespace. All members of an array must agree."""
    names = set(term_names(value))
    for term in terms:
        if names == {_PREFIXES.sub("", term.value, 1)}:
            return term
    raise UnreadableError(f"{display_text(value)} is not known")


def read_flag(value: Any) -> bool:
    """Return a boolean that is published as a JSON boolean, as text, or as a term of schema.org."""
    stated = {"true" if member is True else "false" if member is False else member for member in _flags(value)}
    if stated not in ({"true"}, {"false"}):
        raise UnreadableError(f"{display_text(value)} is neither true nor false")
    return stated == {"true"}


def _flags(value: Any) -> list[Any]:
    return [member if isinstance(member, bool) else term_names(member)[0].lower() for member in members(value)]


def read_instant(value: Any) -> Instant:
    """Return a date and time to the second. The time and the zone may be absent; the published offset is kept."""
    text = value.strip().upper() if isinstance(value, str) else ""
    instant = _read_instant(text)
    if instant is None:
        raise UnreadableError(f"{display_text(value)} is no date and time")
    return instant


# Many items begin and end at the same instants.
@lru_cache(10_000)
def _read_instant(text: str) -> Instant | None:
    found = _INSTANT.fullmatch(text)
    try:
        read = _parse_instant(found) if found else None
    except (ValueError, OverflowError):
        read = None
    if found is None or read is None or read.year not in _YEARS:
        return None
    if not found["time"]:
        day = f"{text} has no time: a whole day in {LOCAL_ZONE} assumed"
        return Instant(_to_local_time(read), _to_local_time(read + _DAY), day)
    assumed = None if found["zone"] else f"{text} has no time zone: {LOCAL_ZONE} assumed"
    at = (read if read.tzinfo else _to_local_time(read)).replace(microsecond=0)
    return Instant(at, at, assumed)


def _parse_instant(found: re.Match[str]) -> datetime:
    """Return the date and time. It has no offset if none was published."""
    if not found["time"]:
        return datetime.fromisoformat(found["date"])
    zone = (found["zone"] or "").strip().replace("UTC", "Z").replace("GMT", "Z")
    if _MIDNIGHT.fullmatch(found["time"]):
        return datetime.fromisoformat(f"{found['date']}T00:00{zone}") + _DAY
    return datetime.fromisoformat(f"{found['date']}T{found['time']}{zone}")


def _to_local_time(wall: datetime) -> datetime:
    """Return a local time with a fixed offset, because arithmetic on datetimes with a ZoneInfo is wall-clock."""
    offset = wall.replace(tzinfo=LOCAL_ZONE).utcoffset()
    return wall.replace(tzinfo=timezone(offset) if offset else UTC)


def read_duration(value: Any) -> timedelta:
    """Return a duration in whole seconds, at most ten years.

    Raises:
        UnreadableError: The duration has months or years, which differ in length, or is no duration.
    """
    duration = parse_duration(value)
    if duration is None:
        raise UnreadableError(f"{display_text(value)} is no duration in weeks, days, hours, minutes and seconds")
    return duration


def read_count(value: Any) -> int:
    """Return a number of spaces. A negative number counts as 0, and one above MAX_COUNT as MAX_COUNT."""
    if type(value) is int:
        return min(max(value, 0), MAX_COUNT)
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    found = None if isinstance(value, bool) else _COUNT.fullmatch(text)
    if found is None:
        raise UnreadableError(f"{display_text(value)} is no number of spaces")
    digits = found["digits"].lstrip("0")
    if found["negative"] or not digits:
        return 0
    return min(int(digits), MAX_COUNT) if len(digits) <= len(str(MAX_COUNT)) else MAX_COUNT


def read_price(value: Any) -> Decimal:
    """Return a price that is published as a number or as text."""
    text = str(value).strip()
    if isinstance(value, bool) or not isinstance(value, int | float | str) or not _PRICE.fullmatch(text):
        raise UnreadableError(f"{display_text(value)} is no price")
    return Decimal(text)


def read_amount(value: Any) -> Decimal:
    """Return an amount of money that is published as a number or as text. It is negative for a credit."""
    text = str(value).strip()
    return -read_price(text[1:]) if text.startswith("-") else read_price(value)
