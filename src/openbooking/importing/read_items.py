"""Items of other providers' feeds, as what this Booking System is to sell (MOD, tables P-20 and P-21).

Whatever an item embeds becomes a thing of its own: the sessions of a series, the Slots of a facility, the `superEvent`
of a session. Every thing gets an identifier of ours that always comes of its original one (OB-ID-01, OB-BKBL-28), so
that importing it again updates it, and a reference names its parent without anybody having seen it.
"""

from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from openbooking.booking.opportunity import Opportunity
from openbooking.importing.kinds import KINDS, LINKS, Kind
from openbooking.importing.read_offers import read_offers
from openbooking.importing.read_pages import Entry
from openbooking.importing.read_sellers import NamedSeller, read_seller
from openbooking.importing.read_times import When, read_when
from openbooking.importing.read_values import (
    MAX_COUNT,
    JsonObject,
    UnreadableError,
    clean,
    derive_key,
    members,
    publishable,
    read_count,
    read_flag,
    read_term,
    read_text,
    shown,
    term_names,
    type_names,
)
from openbooking.spec.ids import key_of, opportunity_path
from openbooking.spec.terms import EventStatus, OpportunityType

MAX_THING_BYTES = 500_000

# What this system renders itself, or publishes as a thing of its own.
_NOT_KEPT = LINKS | {
    "@context", "@type", "@id", "offers", "organizer", "provider", "eventStatus", "isAccessibleForFree",
}  # fmt: skip
# What is bookable takes place at one time; parents keep their dates as published.
_DATES = frozenset({"startDate", "endDate", "duration"})
# What a thing does not take over from one of a type that is not sold here (OB-BKBL-32, OB-BKBL-31).
_NOT_INHERITED = _DATES | LINKS | {"@context", "@type", "@id", "url", "identifier", "eventSchedule", "offers"}
_CONCEPTS = ("activity", "facilityType")
_REFERENCE = frozenset({"@id", "@type"})
_MOVED_ONLINE = "EventMovedOnline"


class Fault(NamedTuple):
    """Something that cannot be imported, and why."""

    label: str
    reason: str


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What a thing is to become; its `opportunity` lacks the Seller and the parent until these have been looked up.

    `parents` are the paths of which one is its parent's, and `parent_name` is how the item names that one.
    `own_status` tells whether its status is its own. `embedded` tells that the item is about another thing, and `copy`
    that this is the parent of that, of which others may embed copies too.
    """

    label: str
    opportunity: Opportunity
    parents: tuple[str, ...] = ()
    parent_name: str | None = None
    seller: NamedSeller | None = None
    own_status: bool = False
    embedded: bool = False
    copy: bool = False
    remarks: tuple[str, ...] = ()


class Reading(msgspec.Struct, frozen=True):
    """What an item comes to: its name in reports, the things in it, and what in it cannot be imported.

    `source` is the name of what comes of it; empty where nothing does.
    """

    label: str
    source: str
    drafts: list[Draft]
    faults: list[Fault]


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where in an item a thing stands: the types it may have there, and the one it has if it names none.

    `key_parts` come of its surroundings and identify it where nothing better does.
    """

    types: tuple[OpportunityType, ...]
    expected: str
    key_parts: tuple[str, ...] = ()
    parent: str | None = None
    embedded: bool = True
    copy: bool = False


def read_item(entry: Entry) -> Reading:
    """The things in an item, and whatever is wrong with it."""
    kind = entry.kind.rpartition("/")[2]
    if entry.deleted:
        return Reading(_label(kind, {}, entry), entry.own_source, [], [])
    try:
        data = _data(entry)
    except UnreadableError as fault:
        label = _label(kind, {}, entry)
        return Reading(label, "", [], [Fault(label, str(fault))])
    parts = ("rpde", entry.source, entry.kind, entry.id) if entry.id else ()
    place = _Place(types=tuple(OpportunityType), expected=kind, key_parts=parts, embedded=False)
    walk = _Walk(entry)
    path = walk.read(data, place)
    return Reading(_label(kind, data, entry), walk.source if path else "", walk.drafts, walk.faults)


def _data(entry: Entry) -> JsonObject:
    data = clean(entry.data)
    if not isinstance(data, dict):
        raise UnreadableError("it has no data" if data is None else "it is no JSON object")
    return data


class _Walk:
    """Goes through one item and what it embeds."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self.source = entry.own_source if entry.id else ""
        self.drafts: list[Draft] = []
        self.faults: list[Fault] = []

    def read(self, thing: JsonObject, place: _Place) -> str | None:
        """Read a thing and what it embeds; return its path, or None where it cannot be imported."""
        label = _label(place.expected, thing, self._entry)
        try:
            type_ = _type(thing, place)
            thing, inherited = _with_inherited(thing, KINDS[type_])
            draft = self._draft(thing, type_, place, label)
            draft = replace(draft, remarks=(*inherited, *draft.remarks))
            _check_size(draft)
        except UnreadableError as fault:
            self.faults.append(Fault(label, str(fault)))
            return None
        self.drafts.append(draft)
        # What a parent within its child embeds besides is the business of an item about that parent.
        if not place.copy:
            self._read_children(thing, draft)
        return draft.opportunity.path

    def _read_children(self, thing: JsonObject, parent: Draft) -> None:
        path = parent.opportunity.path
        kind = KINDS[parent.opportunity.type]
        for name, type_ in kind.children.items():
            seen: dict[tuple[str, ...], int] = {}
            for child in members(thing.get(name)):
                # A reference names something that is published by itself.
                if isinstance(child, str) or (isinstance(child, dict) and child.keys() <= _REFERENCE):
                    continue
                if kind.has_parts and isinstance(child, dict) and "offers" not in child:
                    continue
                if not isinstance(child, dict):
                    self.faults.append(Fault(f"{name} of {parent.label}", f"{shown(child)} is no JSON object"))
                    continue
                parts = (path, name, str(child.get("startDate") or child.get("name")))
                seen[parts] = seen.get(parts, 0) + 1
                self.read(
                    child,
                    _Place(types=(type_,), expected=type_, key_parts=(*parts, str(seen[parts])), parent=path),
                )

    def _draft(self, thing: JsonObject, type_: OpportunityType, place: _Place, label: str) -> Draft:
        path = opportunity_path(type_, self._key(thing, place))
        kind = KINDS[type_]
        dated = type_.bookable and not type_.at_any_time
        when = read_when(thing, in_days=kind.in_days) if dated else When()
        own_status = _status(thing)
        free, on_free = _free(thing)
        capacity, on_capacity = _capacity(thing, kind.remaining)
        offers, on_offers = read_offers(thing.get("offers"), path)
        offers_unknown = "offers" in thing and not offers
        if offers_unknown and type_.inherits_offers and capacity is not None:
            # With them, whoever reads its feed would take it for bookable at the Offers of its parent.
            capacity = None
            on_capacity.append(f"{kind.remaining} left out: its own Offers are not known")
        parents, parent_name = self._parents(thing, type_, place)
        properties, on_properties = _properties(thing, type_)
        return Draft(
            label=label,
            opportunity=Opportunity(
                path=path,
                type=type_,
                seller="",
                start=when.start,
                end=when.end,
                capacity=capacity,
                status=own_status or EventStatus.SCHEDULED,
                accessible_for_free=free,
                offers=offers,
                offers_unknown=offers_unknown,
                source=self._source(path, place),
                properties=properties,
            ),
            parents=parents,
            parent_name=parent_name,
            seller=read_seller(thing.get("organizer") or thing.get("provider"), self._entry.source),
            own_status=own_status is not None,
            embedded=place.embedded,
            copy=place.copy,
            remarks=(*_remarks(thing, type_), *when.remarks, *on_free, *on_capacity, *on_offers, *on_properties),
        )

    def _source(self, path: str, place: _Place) -> str:
        """That of the item, of which one without an RPDE envelope is known by the thing it is about.

        A parent within its child outlives it, for others may embed it too.
        """
        if place.copy:
            return f"{self._entry.source}#copy-of-{key_of(path)}"
        if not self.source:
            self.source = f"{self._entry.source}#{key_of(path)}"
        return self.source

    def _key(self, thing: JsonObject, place: _Place) -> str:
        """By the best that identifies the thing; `url` comes late, for many things may share one."""
        id_ = read_text(thing.get("@id"))
        if id_:
            return self._key_of_id(id_)
        identifier = read_text(thing.get("identifier"))
        if place.embedded and identifier:
            return derive_key("identifier", self._entry.source, place.parent or "", identifier)
        if place.key_parts:
            return derive_key(*place.key_parts)
        for name in ("identifier", "url", "name"):
            text = read_text(thing.get(name))
            if text:
                return derive_key(name, self._entry.source, text)
        raise UnreadableError("nothing identifies it: it has no @id, identifier, url or name")

    def _key_of_id(self, id_: str) -> str:
        """The key of an `@id`; one that is no absolute URI holds within its source only."""
        return derive_key("@id", id_) if ":" in id_ else derive_key("@id", self._entry.source, id_)

    def _parents(self, thing: JsonObject, type_: OpportunityType, place: _Place) -> tuple[tuple[str, ...], str | None]:
        """The paths of which one is the parent's, and how the item names it; a parent it embeds is read too."""
        if place.parent:
            return (place.parent,), None
        kind = KINDS[type_]
        parent = thing.get(kind.parent) if kind.parent else None
        if isinstance(parent, dict) and not parent.keys() <= _REFERENCE:
            path = self.read(parent, _Place(types=kind.parents, expected=kind.parents[0], copy=True))
            if path:
                return (path,), read_text(parent.get("@id"))
        name = read_text(parent.get("@id") if isinstance(parent, dict) else parent)
        if name:
            return tuple(opportunity_path(type_, self._key_of_id(name)) for type_ in kind.parents), name
        if kind.needs_parent:
            raise UnreadableError(f"it has no {kind.parent}" if parent is None else f"its {kind.parent} is unreadable")
        return (), None


def _check_size(draft: Draft) -> None:
    if len(msgspec.json.encode(draft)) > MAX_THING_BYTES:
        raise UnreadableError(f"without what it embeds, it is larger than {MAX_THING_BYTES:,} bytes")


def _label(expected: str, thing: JsonObject, entry: Entry) -> str:
    """How a thing is called in reports: its type, and what its provider calls it."""
    names = [read_text(thing.get(name)) for name in ("@id", "identifier", "url", "name")]
    kind = ", ".join(type_names(thing)) or expected or "item"
    return f"{shown(kind)} {shown(next((name for name in (*names, entry.id) if name), entry.where))}"


def _type(thing: JsonObject, place: _Place) -> OpportunityType:
    names = type_names(thing) or [place.expected]
    for name in names:
        if name in place.types:
            return OpportunityType(name)
    if not any(names):
        raise UnreadableError("it has no @type")
    raise UnreadableError(f"its type is none that is sold here: {', '.join(map(shown, names))}")


def _status(thing: JsonObject) -> EventStatus | None:
    """The status that the thing itself has, or None if it has none. Raise UnreadableError for one that is not known."""
    told = thing.get("eventStatus")
    if told is None:
        return None
    try:
        return _read_status(told)
    except UnreadableError as fault:
        raise UnreadableError(f"its eventStatus: {fault}") from fault


def _read_status(told: Any) -> EventStatus:
    names = term_names(told)
    others = [name for name in names if name != _MOVED_ONLINE]
    status = read_term(others, EventStatus) if others else EventStatus.SCHEDULED
    # An event that moved online takes place.
    if len(others) < len(names) and status not in (EventStatus.SCHEDULED, EventStatus.RESCHEDULED):
        raise UnreadableError(f"{shown(told)} is not known")
    return status


def _free(thing: JsonObject) -> tuple[bool | None, list[str]]:
    """Whether it is accessible for free; None where that is not known."""
    if "isAccessibleForFree" not in thing:
        return None, []
    try:
        return read_flag(thing["isAccessibleForFree"]), []
    except UnreadableError as fault:
        return None, [f"isAccessibleForFree: {fault}"]


def _capacity(thing: JsonObject, name: str | None) -> tuple[int | None, list[str]]:
    """The places left at the provider, limited by its maximum; None where they are not known (OB-BKBL-12)."""
    if name is None or name not in thing:
        return None, []
    try:
        left = read_count(thing[name])
    except UnreadableError as fault:
        return None, [f"{name}: {fault}"]
    remarks = [f"{name}: cut to the largest number that can be kept"] if left == MAX_COUNT else []
    most_name = name.replace("remaining", "maximum")
    if most_name not in thing:
        return left, remarks
    try:
        most = read_count(thing[most_name])
    except UnreadableError as fault:
        return left, [*remarks, f"{most_name}: {fault}"]
    return min(left, most), [
        *remarks,
        f"{name} {left} is more than {most_name}: {most} taken",
    ] if left > most else remarks


def _with_inherited(thing: JsonObject, kind: Kind) -> tuple[JsonObject, tuple[str, ...]]:
    """The thing with what it inherits from an embedded `superEvent` that is nothing sold here, an EventSeries (MOD)."""
    above = thing.get("superEvent")
    if kind.needs_parent or not isinstance(above, dict) or not (names := type_names(above)):
        return thing, ()
    if any(name in kind.parents for name in names):
        return thing, ()
    inherited = {name: value for name, value in above.items() if name not in _NOT_INHERITED}
    own = {name: value for name, value in thing.items() if name != "superEvent"}
    return {**inherited, **own}, (f"what its {shown(names[0])} tells taken over",)


def _properties(thing: JsonObject, type_: OpportunityType) -> tuple[dict[str, Any], list[str]]:
    """What no rule looks at, as published, if it can be; but activities in plain text become Concepts. With remarks on
    what is left out.
    """
    kind = KINDS[type_]
    dropped = _NOT_KEPT.union(kind.never, _DATES if type_.bookable else ())
    kept = {name: value for name, value in thing.items() if name not in dropped}
    for name in _CONCEPTS:
        if name in kept:
            kept[name] = [
                {"@type": "Concept", "prefLabel": concept} if isinstance(concept, str) else concept
                for concept in members(kept[name])
            ]
    if kind.has_parts and "eventSchedule" not in kept:
        parts = [_part(part) for part in members(thing.get("subEvent")) if isinstance(part, dict)]
        kept |= {"subEvent": parts} if parts else {}
    return publishable(kept, left_out=(name for name in kind.never if name in thing))


def _part(part: JsonObject) -> JsonObject:
    """What a part that may be sold by itself tells within the whole."""
    return {"@type": "Event", **{name: value for name, value in part.items() if name not in _NOT_KEPT}}


def _remarks(thing: JsonObject, type_: OpportunityType) -> list[str]:
    remarks = []
    if not type_names(thing):
        remarks.append(f"no @type: taken for a {type_}")
    if "@id" not in thing:
        remarks.append("no @id: known by what else tells it apart")
    return remarks
