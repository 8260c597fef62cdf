"""Venue and activities of an Opportunity: the keys by which rules compare its location and activities.

They are derived from the published `location`, `activity` and `facilityType` when an Opportunity is published or its
logistics change. An Opportunity without any inherits those of its nearest parent (MOD "Parent-child"). That inheritance
is never stored, so that children follow a parent that moves.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity

# The two published vocabularies are written with and without a slash before the fragment, and with either scheme.
_VOCABULARY = re.compile(r"https?://(?:www\.)?openactive\.io/(activity-list|facility-types)/?#")
_ACTIVITIES = ("activity", "facilityType")


def set_matching_keys(opportunity: Opportunity) -> Opportunity:
    """Return the Opportunity with the `venue` and `activities` that follow from its properties."""
    return replace(
        opportunity, venue=_venue(opportunity.properties), activities=tuple(_activities(opportunity.properties))
    )


def venue_of(family: Iterable[Opportunity]) -> str:
    """Return the venue of the first member that has one.

    Args:
        family: An Opportunity and its parents, nearest first.
    """
    return next((member.venue for member in family if member.venue), "")


def activities_of(family: Iterable[Opportunity]) -> tuple[str, ...]:
    """Return the activities of the first member that has any.

    Args:
        family: An Opportunity and its parents, nearest first.
    """
    return next((member.activities for member in family if member.activities), ())


def normal_key(text: str) -> str:
    """Return the normal form of a key: with single spaces, and one spelling of the URLs of vocabularies."""
    return _VOCABULARY.sub(r"https://openactive.io/\1#", " ".join(text.split()))


def _venue(properties: Mapping[str, Any]) -> str:
    """Return the `@id` or `identifier` of the first identifiable location, or else its name and postcode."""
    return next(filter(None, map(_venue_key, _members(properties.get("location")))), "")


def _venue_key(location: Any) -> str:
    if not isinstance(location, Mapping):
        return _text(location)
    identifier = _identifier(location) or _text(location.get("identifier"))
    if identifier:
        return identifier
    address = next(iter(_members(location.get("address"))), None)
    postcode = _text(address.get("postalCode")).upper() if isinstance(address, Mapping) else ""
    name = _text(location.get("name"))
    return ", ".join(part for part in (name, postcode) if part) if name else ""


def _activities(properties: Mapping[str, Any]) -> Iterator[str]:
    """Yield the key of each concept once: its `@id`, or else its `prefLabel`."""
    concepts = [concept for name in _ACTIVITIES for concept in _members(properties.get(name))]
    yield from dict.fromkeys(filter(None, map(_concept_key, concepts)))


def _concept_key(concept: Any) -> str:
    if not isinstance(concept, Mapping):
        return _text(concept)
    return _identifier(concept) or _text(concept.get("prefLabel"))


def _identifier(thing: Mapping[str, Any]) -> str:
    return _text(thing.get("@id")) or _text(thing.get("id"))


def _members(value: Any) -> list[Any]:
    """Return the members of an array, or a single value as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _text(value: Any) -> str:
    """Return a text, the digits of an integer, or the value of a PropertyValue; the first of an array; else ""."""
    if isinstance(value, list | tuple):
        return next(filter(None, map(_text, value)), "")
    if isinstance(value, Mapping):
        value = value.get("value")
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return normal_key(str(value))
