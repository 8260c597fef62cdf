"""The matching keys of an Opportunity, by which rules compare its location (`venue`) and its activities.

The keys are made of the published `location`, `activity` and `facilityType` when an Opportunity is published or its
logistics change. An Opportunity without keys of its own has those of its nearest parent (MOD "Parent-child"). Inherited
keys are not stored: if a parent moves, the venue of its children changes, too.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity

# Providers write the URLs of the two vocabularies with http or https, and with or without a slash before the fragment.
_VOCABULARY = re.compile(r"https?://(?:www\.)?openactive\.io/(activity-list|facility-types)/?#")
_ACTIVITIES = ("activity", "facilityType")


def set_matching_keys(opportunity: Opportunity) -> Opportunity:
    """Return the Opportunity with the `venue` and `activities` that follow from its properties."""
    return replace(
        opportunity, venue=_venue(opportunity.properties), activities=tuple(_activities(opportunity.properties))
    )


def venue_of(family: Iterable[Opportunity]) -> str:
    """Return the venue of an Opportunity, or of its nearest parent with a venue; empty if there is none.

    Args:
        family: An Opportunity and its parents, nearest first.
    """
    return next((member.venue for member in family if member.venue), "")


def activities_of(family: Iterable[Opportunity]) -> tuple[str, ...]:
    """Return the activities of an Opportunity, or of its nearest parent with activities; empty if there are none.

    Args:
        family: An Opportunity and its parents, nearest first.
    """
    return next((member.activities for member in family if member.activities), ())


def names_by_key(opportunity: Opportunity) -> dict[str, str]:
    """Return the published names of the places and activities of an Opportunity, by their keys."""
    places = [place for place in _members(opportunity.properties.get("location")) if isinstance(place, Mapping)]
    concepts = [concept for name in _ACTIVITIES for concept in _members(opportunity.properties.get(name))]
    named = [(_venue_key(place), _text(place.get("name"))) for place in places]
    named += [(_concept_key(each), _text(each.get("prefLabel"))) for each in concepts if isinstance(each, Mapping)]
    return {key: name for key, name in named if key and name}


def normal_key(text: str) -> str:
    """Return the key with single blanks, and with one spelling of the URLs of the OpenActive vocabularies."""
    return _VOCABULARY.sub(r"https://openactive.io/\1#", " ".join(text.split()))


def _venue(properties: Mapping[str, Any]) -> str:
    """Return the key of the first location with an `@id`, an `identifier`, or a name and postcode; empty if none."""
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
    """Yield the key of each activity once: its `@id`, or else its `prefLabel`."""
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
    """Return a text, the digits of an integer, the value of a PropertyValue, or the first text of an array; else ""."""
    if isinstance(value, list | tuple):
        return next(filter(None, map(_text, value)), "")
    if isinstance(value, Mapping):
        value = value.get("value")
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return normal_key(str(value))
