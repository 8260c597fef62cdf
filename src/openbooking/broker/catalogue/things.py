"""The things in an item of a feed: the outermost object, its parts, and the parents of both (MOD "Parent-child …").

An item is one thing. A thing may embed its children, such as the Slots of a FacilityUse, which are things too. It names
its parent by `@id`, or embeds the parent. An embedded parent counts only if no item of the feeds is that parent.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from openbooking.openactive.inheritance import with_inherited
from openbooking.openactive.opportunity_types import (
    CAPACITY_PROPERTIES,
    CHILD_PROPERTIES,
    PARENT_PROPERTIES,
    TYPE_OF_NAME,
    OpportunityType,
)
from openbooking.openactive.published.kinds import type_of_kind
from openbooking.openactive.published.values import (
    JsonObject,
    UnreadableError,
    clean,
    is_reference,
    members,
    read_text,
    type_names,
)

MOST_PARENTS = 4
_MOST_PARTS = 10_000
# The properties that the index depends on, under all names without a namespace.
_INDEXED = (
    PARENT_PROPERTIES
    | CHILD_PROPERTIES
    | CAPACITY_PROPERTIES
    | {
        "@type", "type", "@id", "id", "name", "startDate", "endDate", "duration", "location", "activity",
        "facilityType", "organizer", "provider", "offers", "eventStatus",
    }
)  # fmt: skip
# The properties of an Offer that the index depends on.
_OFFER_INDEXED = frozenset(
    {
        "@type", "type", "@id", "id", "price", "priceCurrency", "availableChannel", "openBookingInAdvance",
        "advanceBooking", "openBookingFlowRequirement", "validFrom", "validThrough", "validFromBeforeStartDate",
        "validThroughBeforeStartDate",
    }
)  # fmt: skip

_decode = msgspec.json.Decoder().decode


class Thing(NamedTuple):
    """A thing in an item.

    Attributes:
        id: The `@id`. For a thing without an `@id`, a name that no other thing has.
        path: Where the thing is in its item, as `subEvent/2`; empty for the outermost thing.
        type: The type; None for an EventSeries and for other things that are not sold.
        data: The properties, cleaned.
        parent: The `id` of the parent; empty without a parent.
        embedded: The parent that the thing embeds; None otherwise.
    """

    id: str
    path: str
    type: OpportunityType | None
    data: JsonObject
    parent: str = ""
    embedded: "Thing | None" = None


def read_things(content: bytes, name: str, *, whole: bool) -> list[Thing]:
    """Return the things of an item, the outermost first. An item that cannot be read has none.

    Args:
        content: The item with its RPDE envelope.
        name: A name of the item that no other item has.
        whole: Whether the things have all their properties; otherwise those that the index depends on.
    """
    try:
        item = _decode(content)
        data = item.get("data")
        if not isinstance(data, dict):
            return []
        cleaned = clean(data if whole else _select_indexed(data)) or {}
    except (msgspec.MsgspecError, ValueError, RecursionError, AttributeError, UnreadableError):
        return []
    kind = type_of_kind(read_text(item.get("kind")) or "")
    things: list[Thing] = []
    for thing in _walk(cleaned, kind, name, ""):
        things.append(thing)
        if len(things) == _MOST_PARTS:
            break
    return things


def join(things: Sequence[Thing]) -> dict[str, Any]:
    """Return the properties of a thing together with those that it inherits (OB-BKBL-31, OB-BKBL-32).

    Args:
        things: The thing and its parents, the nearest first.
    """
    *below, above = things
    joined = dict(above.data)
    for thing in reversed(below):
        if thing.type is None:
            joined, above = dict(thing.data), thing
            continue
        # A parent of a type that is not one of the model gives what an EventSeries gives.
        parent_type = above.type if above.type in thing.type.parents else None
        joined = with_inherited(thing.data, joined, thing.type, parent_type)
        above = thing
    return joined


# The parent of many things is named by each of them.
@lru_cache(20_000)
def digest(system: str, id_: str) -> int:
    """Return a number of 64 bits for an id of a Booking System; never 0."""
    content = f"{system} {id_}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), signed=True) or 1


def _select_indexed(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: [_select(offer, _OFFER_INDEXED) or offer for offer in value if isinstance(offer, dict)] or value
        if name == "offers" and isinstance(value, list)
        else value
        for name, value in _select(data, _INDEXED).items()
    }


def _select(data: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {
        name: value for name, value in data.items() if name in names or (":" in name and not name.startswith("beta:"))
    }


def _walk(
    data: JsonObject, kind: OpportunityType | None, name: str, path: str, container: Thing | None = None
) -> Iterator[Thing]:
    """Yield a thing and the things that it embeds as its children."""
    type_ = _type_of(data, kind)
    id_ = read_text(data.get("@id")) or f"{name}#{path}"
    if container is not None:
        thing = Thing(id_, path, type_, data, container.id)
    else:
        parent, embedded = _parent(data, type_, name, path, 1)
        thing = Thing(id_, path, type_, data, parent, embedded)
    yield thing
    if type_ is None or path.count("/") >= MOST_PARENTS:
        return
    for property_, types in type_.children.items():
        for number, part in enumerate(members(data.get(property_))):
            if isinstance(part, dict) and not is_reference(part):
                inner = f"{path}/{property_}/{number}" if path else f"{property_}/{number}"
                yield from _walk(part, types[0], name, inner, thing)


def _parent(
    data: JsonObject, type_: OpportunityType | None, name: str, path: str, depth: int
) -> tuple[str, Thing | None]:
    """Return the id of the parent of a thing, and the parent if it is embedded."""
    property_ = (type_.parent_property if type_ else None) or "superEvent"
    stated = members(data.get(property_))
    if not stated or depth > MOST_PARENTS:
        return "", None
    above = stated[0]
    if not isinstance(above, dict):
        return read_text(above) or "", None
    above_path = f"{path}/{property_}"
    id_ = read_text(above.get("@id")) or f"{name}#{above_path}"
    if is_reference(above):
        return id_, None
    above_type = _type_of(above, None)
    grandparent, embedded = _parent(above, above_type, name, above_path, depth + 1)
    return id_, Thing(id_, above_path, above_type, above, grandparent, embedded)


def _type_of(data: JsonObject, kind: OpportunityType | None) -> OpportunityType | None:
    names = type_names(data)
    return next((TYPE_OF_NAME[name] for name in names if name in TYPE_OF_NAME), None) if names else kind
