"""Items of other providers' feeds, as what this Booking System is to sell (MOD, tables P-20 and P-21).

Whatever an item embeds becomes a thing of its own: the sessions of a series, the Slots of a facility, the `superEvent`
of a session. Every thing gets an identifier of ours that always comes of its original one (OB-ID-01, OB-BKBL-28), so
that importing it again updates it, and a reference names its parent without anybody having seen it.
"""

from collections import Counter
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from openbooking.booking.opportunity import Inherited, Opportunity
from openbooking.importing.identity import (
    Identity,
    Whole,
    identify,
    names_by_ids,
    names_of,
    paths_of_reference,
    time_or_name,
)
from openbooking.importing.kinds import KINDS, Kind, type_name
from openbooking.importing.read_fields import (
    read_free,
    read_properties,
    read_spaces,
    read_status,
    remarks_on,
    with_event_series,
)
from openbooking.importing.read_offers import key_of_offer, read_offers, split_offers
from openbooking.importing.read_pages import Entry
from openbooking.importing.read_sellers import NamedSeller, read_seller
from openbooking.importing.read_times import When, read_when
from openbooking.importing.read_values import (
    JsonObject,
    UnreadableError,
    clean,
    is_reference,
    members,
    read_text,
    shown,
    type_names,
)
from openbooking.spec.ids import key_of
from openbooking.spec.terms import EventStatus, OpportunityType

MAX_THING_BYTES = 500_000

_EVENT_SERIES = "EventSeries"


class Fault(NamedTuple):
    """Something that cannot be imported, and why."""

    label: str
    reason: str


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What a thing is to become; its `opportunity` lacks the Seller and the parent until these have been looked up.

    `former` are the paths by which earlier versions may have known it, `by_id` whether ids identify it (`identity`).
    `parents` are the paths of which one is its parent's, and `parent_name` is how the item names that one.
    `embedded` tells that the item is about another thing, and `copy` that this is the parent of that, of which others
    may embed copies too.
    """

    label: str
    opportunity: Opportunity
    former: tuple[str, ...] = ()
    by_id: bool = True
    parents: tuple[str, ...] = ()
    parent_name: str | None = None
    seller: NamedSeller | None = None
    embedded: bool = False
    copy: bool = False
    remarks: tuple[str, ...] = ()


class Reading(msgspec.Struct, frozen=True):
    """What an item comes to: its name in reports, the things in it, and what in it cannot be imported.

    `sources` are the names of what comes of it, now and by earlier versions; none if nothing tells which item it is.
    `event_series` is an EventSeries, which is not sold itself, as published, and `belongs_to` the key of that which the
    item may belong to, by which it is kept (`event_series_key`).
    """

    label: str
    sources: tuple[str, ...]
    drafts: list[Draft] = []
    faults: list[Fault] = []
    event_series: JsonObject = {}
    belongs_to: str = ""


class _Above(NamedTuple):
    """What an item names as the parent: the paths of which one is that, and its `@id`."""

    paths: tuple[str, ...] = ()
    name: str | None = None


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where in an item a thing stands: the types it may have there, the one it has if it names none, what embeds it."""

    types: tuple[OpportunityType, ...]
    expected: str
    whole: Whole | None = None
    copy: bool = False

    @property
    def embedded(self) -> bool:
        """Whether the item is about another thing."""
        return self.whole is not None


def read_item(entry: Entry, event_series: JsonObject | None = None) -> Reading:
    """The things in an item, and whatever is wrong with it; `event_series` is what it belongs to, if that is known."""
    kind = type_name(entry.kind)
    walk = _Walk(entry)
    if entry.deleted:
        return Reading(_label(kind, {}, entry), walk.sources)
    try:
        data = _data(entry)
    except UnreadableError as fault:
        label = _label(kind, {}, entry)
        return Reading(label, walk.sources or names_by_ids(entry.data, entry.source), faults=[Fault(label, str(fault))])
    label = _label(kind, data, entry)
    if _EVENT_SERIES in (type_names(data) or [kind]):
        return Reading(label, walk.sources, event_series=data)
    if event_series:
        data = {**data, "superEvent": event_series}
    walk.read(data, _Place(types=tuple(OpportunityType), expected=kind))
    sources = walk.sources or names_by_ids(entry.data, entry.source)
    return Reading(label, sources, walk.drafts, walk.faults, belongs_to=_belongs_to(data, entry))


def event_series_key(id_: str, entry: Entry) -> str:
    """The key of the EventSeries with this `@id`."""
    return key_of(paths_of_reference(id_, (OpportunityType.SESSION_SERIES,), entry.source)[0])


def _belongs_to(data: JsonObject, entry: Entry) -> str:
    """The key of what a `superEvent` names by its `@id` alone; empty where nothing is named so."""
    above = data.get("superEvent")
    if isinstance(above, dict) and not is_reference(above):
        return ""
    name = read_text(above.get("@id") if isinstance(above, dict) else above)
    return event_series_key(name, entry) if name else ""


def _data(entry: Entry) -> JsonObject:
    if entry.fault:
        raise UnreadableError(entry.fault)
    data = clean(entry.data)
    if not isinstance(data, dict):
        raise UnreadableError("it has no data" if data is None else "it is no JSON object")
    return data


class _Walk:
    """Goes through one item and what it embeds."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self.sources: tuple[str, ...] = ()
        if entry.id:
            names = (entry.source.item(entry.kind, entry.id), entry.source.former_item(entry.kind, entry.id))
            self.sources = tuple(name for name in names if name)
        self.drafts: list[Draft] = []
        self.faults: list[Fault] = []

    def read(self, thing: JsonObject, place: _Place) -> Draft | None:
        """Read a thing and what it embeds; return its draft, or None where it cannot be imported."""
        label = _label(place.expected, thing, self._entry)
        try:
            type_ = _type(thing, place)
            thing, taken_over = with_event_series(thing, KINDS[type_])
            identity = self._identify(thing, type_, place)
            draft = self._draft(thing, type_, place, label, identity)
            draft = replace(draft, remarks=(*taken_over, *draft.remarks))
            _check_size(draft)
        except UnreadableError as fault:
            self.faults.append(Fault(label, str(fault)))
            return None
        self.drafts.append(draft)
        # What a parent within its child embeds besides is the business of an item about that parent.
        if not place.copy:
            self._read_children(thing, draft)
        return draft

    def _identify(self, thing: JsonObject, type_: OpportunityType, place: _Place) -> Identity:
        """Its identity, and the source of the item, which without an RPDE envelope is that of what it is about."""
        entry = self._entry
        rpde = (entry.kind, entry.id) if entry.id and not place.embedded else None
        identity = identify(thing, type_, entry.source, whole=place.whole, rpde=rpde)
        if not self.sources and not place.embedded:
            self.sources = names_of(identity, entry.source)
        return identity

    def _read_children(self, thing: JsonObject, parent: Draft) -> None:
        kind = KINDS[parent.opportunity.type]
        for name, type_ in kind.children.items():
            children = [child for child in members(thing.get(name)) if not _is_elsewhere(child, kind)]
            alike = Counter(time_or_name(child) for child in children if isinstance(child, dict))
            for same in self._by_identity(children, type_, Whole(parent.opportunity.path, parent.former, name)):
                child = same[0]
                if not isinstance(child, dict):
                    self.faults.append(Fault(f"{name} of {parent.label}", f"{shown(child)} is no JSON object"))
                elif len(same) == 1 or (_has_id(child) and all(other == child for other in same)):
                    whole = Whole(parent.opportunity.path, parent.former, name, alike[time_or_name(child)])
                    self.read(child, _Place(types=(type_,), expected=type_, whole=whole))
                else:
                    label = _label(type_, child, self._entry)
                    self.faults.append(Fault(label, f"nothing tells {len(same)} {name} of {parent.label} apart"))

    def _by_identity(self, children: list[Any], type_: OpportunityType, whole: Whole) -> list[list[Any]]:
        """The embedded things, those together that nothing tells apart."""
        found: dict[Any, list[Any]] = {}
        for number, child in enumerate(children):
            key: Any = number
            if isinstance(child, dict):
                with suppress(UnreadableError):
                    key = identify(child, type_, self._entry.source, whole=whole, rpde=None).path
            found.setdefault(key, []).append(child)
        return list(found.values())

    def _draft(self, thing: JsonObject, type_: OpportunityType, place: _Place, label: str, identity: Identity) -> Draft:
        path, kind = identity.path, KINDS[type_]
        above = self._above(thing, type_, place)
        told = _told_dates(thing, type_, above)
        when = read_when(thing, in_days=kind.in_days) if told else When()
        own_status = read_status(thing)
        free, on_free = read_free(thing)
        capacity, on_capacity = read_spaces(thing, kind.remaining)
        named_offers, full_offers = split_offers(thing.get("offers"))
        offers, on_offers = read_offers(full_offers, path)
        offers_unknown = "offers" in thing and not offers and not named_offers
        properties, on_properties = read_properties(thing, type_, when)
        inherited = Inherited(
            status=own_status is None,
            dates=not told and type_.bookable and not type_.at_any_time,
            duration=when.start is not None and when.end is None and kind.parent is not None,
            offers=tuple(map(key_of_offer, named_offers)),
        )
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
                inherited=None if inherited == Inherited() else inherited,
                properties=properties,
            ),
            former=identity.former,
            by_id=identity.by_id,
            parents=above.paths,
            parent_name=above.name,
            seller=read_seller(thing.get("organizer") or thing.get("provider"), self._entry.source),
            embedded=place.embedded,
            copy=place.copy,
            remarks=(*remarks_on(thing, type_), *when.remarks, *on_free, *on_capacity, *on_offers, *on_properties),
        )

    def _source(self, path: str, place: _Place) -> str:
        """That of the item; but a parent within its child outlives it, for others may embed it too."""
        return f"{self._entry.source.name}#copy-of-{key_of(path)}" if place.copy else self.sources[0]

    def _above(self, thing: JsonObject, type_: OpportunityType, place: _Place) -> _Above:
        """The parent that the item names; one that it embeds is read too."""
        if place.whole and not place.copy:
            return _Above((place.whole.path,))
        kind = KINDS[type_]
        parent = thing.get(kind.parent) if kind.parent else None
        if isinstance(parent, dict) and not is_reference(parent):
            whole = Whole("", (), str(kind.parent))
            copy = self.read(parent, _Place(types=kind.parents, expected=kind.parents[0], whole=whole, copy=True))
            if copy is None:
                raise UnreadableError(f"its {kind.parent} is not understood")
            return _Above((copy.opportunity.path,), read_text(parent.get("@id")))
        name = read_text(parent.get("@id") if isinstance(parent, dict) else parent)
        if name:
            return _Above(paths_of_reference(name, kind.parents, self._entry.source), name)
        if kind.needs_parent:
            raise UnreadableError(f"it has no {kind.parent}" if parent is None else f"its {kind.parent} is unreadable")
        return _Above()


def _is_elsewhere(child: Any, kind: Kind) -> bool:
    """Whether an embedded thing is only named, for it is published by itself, or is a part that is not sold."""
    if isinstance(child, str) or (isinstance(child, dict) and is_reference(child)):
        return True
    return kind.has_parts and isinstance(child, dict) and "offers" not in child


def _has_id(child: JsonObject) -> bool:
    return any(read_text(child.get(name)) for name in ("@id", "identifier"))


def _told_dates(thing: JsonObject, type_: OpportunityType, above: _Above) -> bool:
    """Whether to look for dates: a part of an event that has none takes place when the whole event does."""
    dated = type_.bookable and not type_.at_any_time
    return dated and ("startDate" in thing or type_ is not OpportunityType.EVENT or not above.paths)


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
