"""The identity of a published thing: the path of the Opportunity that later imports update (OB-ID-01, OB-BKBL-28).

A thing is identified by its ids. A thing without ids is identified by its name, location and time together. Its
position in an array does not identify it, because positions change. Things that earlier versions of this system stored
keep their paths (`Identity.former`).
"""

from itertools import islice
from typing import Any, NamedTuple

import msgspec

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.rules.opportunities.ownership import shares_name_or_start
from openbooking.importing.reading.source import Source
from openbooking.openactive.ids import key_of, opportunity_path
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.published.values import (
    JsonObject,
    UnreadableError,
    derive_key,
    display_text,
    read_instant,
    read_text,
)

# Earlier versions numbered the embedded things that share a time or name. At most this many of them may be gone.
_MAX_GONE = 10
# If more things share a time or name, none of them gets former paths, because each would get thousands.
_MAX_ALIKE = 50
_MAX_FORMER = 200


class Container(NamedTuple):
    """The container of an embedded thing: the outer thing and the property that holds the embedded thing.

    Attributes:
        path: The path of the outer thing. Empty if a child embeds its parent, because the child does not identify the
            parent.
        former: The former paths of the outer thing.
        property_: The property that holds the embedded thing.
        alike: The number of things in that property with the same `time_or_name`.
    """

    path: str
    former: tuple[str, ...]
    property_: str
    alike: int = 1


class Identity(NamedTuple):
    """The path of a thing, and the values that the path was derived from.

    Attributes:
        path: The path.
        former: The paths under which earlier versions of this system may have stored the thing.
        by_id: Whether the path was derived from ids of the provider. If it was derived from name, location and time,
            an Opportunity under a former path is the same only if all three are the same.
        by_feed: Whether the RPDE `id` is the only id of the thing.
    """

    path: str
    former: tuple[str, ...]
    by_id: bool
    by_feed: bool = False


def identify(
    thing: JsonObject,
    type_: OpportunityType,
    source: Source,
    *,
    container: Container | None,
    rpde: tuple[str, str] | None,
) -> Identity:
    """Return the identity of a thing.

    Args:
        thing: The thing as published, cleaned.
        type_: The type of the thing.
        source: The source from which the thing is imported.
        container: The container of an embedded thing; None for an outermost thing.
        rpde: The `kind` and `id` of the RPDE item; None for an embedded thing, or without an RPDE envelope.

    Raises:
        UnreadableError: The thing has no id, and no name, location or time.
    """
    id_, identifier = read_text(thing.get("@id")), read_text(thing.get("identifier"))
    if id_:
        return _identity(type_, *(_key_of_id(id_, name) for name in source))
    if container and identifier:
        return _identity(type_, *_keys_of_identifier(identifier, source, container))
    if container and container.path:
        return _identify_embedded(thing, type_, container)
    if rpde:
        return _identity(type_, *(derive_key("rpde", name, *rpde) for name in source))._replace(by_feed=True)
    if identifier:
        return _identity(type_, *(derive_key("identifier", name, identifier) for name in source))
    return _identify_by_description(thing, type_, source)


def names_of(identity: Identity, source: Source) -> tuple[str, ...]:
    """Return the names of an item without an RPDE envelope, derived from the identity of its outermost thing."""
    paths = (identity.path, *identity.former) if identity.by_id else (identity.path,)
    return tuple(f"{source.name}#{key_of(path)}" for path in paths)


def names_by_ids(data: Any, source: Source) -> tuple[str, ...]:
    """Return the names of an item that is not understood and has no RPDE envelope.

    The names are derived from the ids of the item and do not depend on its type. An item without ids has no names.
    """
    thing = data if isinstance(data, dict) else {}
    ids = {"@id": thing.get("@id", thing.get("id")), "identifier": thing.get("identifier")}
    try:
        return names_of(identify(ids, OpportunityType.EVENT, source, container=None, rpde=None), source)
    except UnreadableError:
        return ()


def paths_of_reference(id_: str, types: tuple[OpportunityType, ...], source: Source) -> tuple[str, ...]:
    """Return the paths that a thing with this `@id` and one of these types may have."""
    keys = dict.fromkeys(_key_of_id(id_, name) for name in source)
    return tuple(opportunity_path(type_, key) for key in keys for type_ in types)


def is_same_thing(stored: Opportunity, read: Opportunity, *, by_id: bool) -> bool:
    """Return whether an Opportunity stored under a former path is the thing that was read.

    A thing with ids is the same if it shares the name or the start of the Opportunity. The id alone is not enough:
    earlier versions of this system ignored the query of a feed URL, so things of two feeds may share an id. A thing
    without ids is the same if its name, location and time are the same.

    Args:
        stored: The stored Opportunity.
        read: The Opportunity that was read.
        by_id: Whether ids identify the thing.
    """
    if by_id:
        return shares_name_or_start(stored, read)
    same_time = (stored.start, stored.end) == (read.start, read.end) or not stored.type.bookable
    return same_time and _name_and_location(stored.properties) == _name_and_location(read.properties)


def time_or_name(thing: JsonObject) -> str:
    """Return the start of a thing, or else its name.

    Earlier versions of this system numbered the things of one property that share this value.
    """
    return str(thing.get("startDate") or thing.get("name"))


def _identity(type_: OpportunityType, key: str, *former: str) -> Identity:
    paths = dict.fromkeys(opportunity_path(type_, known) for known in former if known != key)
    return Identity(opportunity_path(type_, key), tuple(paths), by_id=True)


def _key_of_id(id_: str, source: str) -> str:
    """Return the key of an `@id`. A relative `@id` identifies a thing within its source only."""
    return derive_key("@id", id_) if ":" in id_ else derive_key("@id", source, id_)


def _keys_of_identifier(identifier: str, source: Source, container: Container) -> list[str]:
    containers = (container.path, *container.former)
    return [derive_key("identifier", name, path, identifier) for path in containers for name in source]


def _identify_embedded(thing: JsonObject, type_: OpportunityType, container: Container) -> Identity:
    """Return the identity of an embedded thing without ids: its container, name, location and time."""
    described_by = _describing_values(thing, type_)
    if not any(described_by):
        raise UnreadableError("nothing identifies it: it has no @id, identifier, name, location or startDate")
    former = (
        derive_key(path, container.property_, time_or_name(thing), str(number))
        for path in ((container.path, *container.former) if container.alike <= _MAX_ALIKE else ())
        for number in range(1, container.alike + _MAX_GONE + 1)
    )
    key = derive_key(container.path, container.property_, *described_by)
    return _identity(type_, key, *islice(former, _MAX_FORMER))._replace(by_id=False)


def _identify_by_description(thing: JsonObject, type_: OpportunityType, source: Source) -> Identity:
    """Return the identity of an outermost thing without ids: its name or URL, location and time."""
    described_by = _describing_values(thing, type_)
    if not described_by[0]:
        described_by = (read_text(thing.get("url")) or "", *described_by[1:])
    if not any(described_by):
        raise UnreadableError("nothing identifies it: it has no @id, identifier, name, url or location")
    texts = ((name, read_text(thing.get(name))) for name in ("url", "name"))
    former = next(([derive_key(name, one, text) for one in source] for name, text in texts if text), [])
    key = derive_key("described", source.name, *described_by)
    return _identity(type_, key, *former)._replace(by_id=False)


def _describing_values(thing: JsonObject, type_: OpportunityType) -> tuple[str, ...]:
    """Return name, location, start and end. A parent that is not bookable has no start and end here: they change."""
    if not type_.bookable or type_.at_any_time:
        return _name_and_location(thing)
    ends = _instant_text(thing.get("endDate")) or str(thing.get("duration") or "")
    return (*_name_and_location(thing), _instant_text(thing.get("startDate")), ends)


def _name_and_location(properties: JsonObject) -> tuple[str, str]:
    return read_text(properties.get("name")) or "", _location(properties.get("location"))


def _location(location: Any) -> str:
    """Return the `@id`, identifier or name of a location, or all its properties if it has none of these."""
    if not isinstance(location, dict):
        return read_text(location) or ""
    names = (read_text(location.get(name)) for name in ("@id", "identifier", "name"))
    return next((name for name in names if name), None) or msgspec.json.encode(location, order="sorted").decode()


def _instant_text(value: Any) -> str:
    if value is None:
        return ""
    try:
        return str(read_instant(value).at.timestamp())
    except UnreadableError:
        return display_text(value)
