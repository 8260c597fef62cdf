"""How the other Booking System writes documents as JSON.

The other modules make documents from dicts, lists, texts, numbers, `Decimal` for prices, aware `datetime`, `Reference`
and `Verbatim`. This module writes each of these as the differences say.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from support.other_system.differences import Differences

OPENACTIVE = "https://openactive.io/"
SCHEMA = "https://schema.org/"

_ZONE = ZoneInfo("Europe/Paris")
_CONTEXT = ("https://openactive.io/", "https://openactive.io/ns-beta", {"ext": "https://overture.example/ns#"})
# The types of schema.org. All others of this system are OpenActive's.
_OF_SCHEMA = frozenset({"Organization", "Person", "PostalAddress", "Place", "GeoCoordinates", "ImageObject", "Offer"})


class Reference(NamedTuple):
    """A reference to an object."""

    type: str
    id: str


class Verbatim(NamedTuple):
    """What the Broker sent. It is returned without additions (OB-VAL-33)."""

    value: Any


def without_none(**properties: Any) -> dict[str, Any]:
    """Return the properties that have a value (OB-MT-09)."""
    return {name: value for name, value in properties.items() if value not in (None, (), [], "")}


def spell(document: dict[str, Any], differences: Differences) -> dict[str, Any]:
    """Return a JSON-LD document as it is sent."""
    spelled: dict[str, Any] = _spell(document, differences)
    return {"@context": list(_CONTEXT) if differences.context == "list" else _CONTEXT[0]} | spelled


def encode(document: Any, differences: Differences) -> bytes:
    """Return JSON in UTF-8 without a byte order mark."""
    return json.dumps(document, ensure_ascii=differences.escapes, indent=1).encode()


def spell_price(amount: Decimal, differences: Differences) -> int | float | str:
    """Return a price as it is sent."""
    if differences.prices == "text" or (differences.prices == "mixed" and amount % 1):
        return f"{amount:.2f}"
    return float(amount) if amount % 1 else int(amount)


def _spell(value: Any, differences: Differences) -> Any:
    match value:
        case dict():
            return _spell_object(value, differences)
        case list():
            members = [_spell(member, differences) for member in value]
            return members[0] if len(members) == 1 and differences.lists_of_one == "member" else members
        case Verbatim():
            return value.value
        case Reference():
            type_ = _spell_type(value.type, differences)
            return value.id if differences.references == "text" else {"@type": type_, "@id": value.id}
        case Decimal() | datetime():
            return _spell_scalar(value, differences)
    return value


def _spell_scalar(value: Decimal | datetime, differences: Differences) -> int | float | str:
    return spell_price(value, differences) if isinstance(value, Decimal) else _spell_date(value, differences)


def _spell_object(value: dict[str, Any], differences: Differences) -> dict[str, Any]:
    """Return an object. Its members are in the opposite order, because JSON gives the order no meaning."""
    spelled = {name: _spell(member, differences) for name, member in reversed(value.items())}
    if "@type" in value:
        spelled["@type"] = _spell_type(value["@type"], differences)
        if differences.extra_properties:
            spelled["ext:rating"] = {"@type": "ext:Rating", "ext:stars": [4, 4.5], "ext:by": {"name": "Zoë"}}
            spelled["internalReference"] = f"überprüft:{len(value)}"
    return spelled


def _spell_type(type_: str, differences: Differences) -> str:
    is_question = type_.endswith("FormFieldSpecification")
    if differences.full_type_addresses == "all" or (differences.full_type_addresses == "questions" and is_question):
        return f"{SCHEMA if type_ in _OF_SCHEMA else OPENACTIVE}{type_}"
    return type_


def _spell_date(instant: datetime, differences: Differences) -> str:
    if differences.dates == "utc":
        return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return instant.astimezone(_ZONE).isoformat(timespec="minutes")
