"""Published items, read as drafts of Opportunities (MOD, tables P-20 and P-21).

Each object that an item embeds becomes a thing with a draft of its own: the sessions of a series, the Slots of a
facility, the `superEvent` of a session. The path of a thing is derived from its ids (OB-ID-01, OB-BKBL-28). Therefore a
later import updates the same Opportunity, and a child can refer to a parent that has not been read yet.

An item that is not understood has faults (`ReadItem.faults`). The properties that a child inherits from its parent are
only marked here (`Opportunity.inherited`); `link_items` copies them.
"""

from collections import Counter
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Inherited, Opportunity
from openbooking.importing.reading.entries import Entry
from openbooking.importing.reading.fields import (
    identity_remarks,
    inherit_from_event_series,
    read_free_access,
    read_properties,
    read_spaces,
    read_status,
)
from openbooking.importing.reading.identity import (
    Container,
    Identity,
    identify,
    names_by_ids,
    names_of,
    paths_of_reference,
    time_or_name,
)
from openbooking.importing.reading.offers import key_of_offer, read_offers, split_offers
from openbooking.importing.reading.schedules import Horizon, expand_schedules
from openbooking.importing.reading.sellers import NamedSeller, read_seller
from openbooking.openactive.ids import key_of
from openbooking.openactive.opportunity_row import Dates
from openbooking.openactive.opportunity_types import TYPE_OF_NAME, OpportunityType
from openbooking.openactive.published.kinds import type_name
from openbooking.openactive.published.times import Period, read_period
from openbooking.openactive.published.values import (
    JsonObject,
    UnreadableError,
    clean,
    display_text,
    is_reference,
    members,
    read_text,
    type_names,
)
from openbooking.openactive.terms import EventStatus

MAX_THING_BYTES = 500_000

_EVENT_SERIES = "EventSeries"


class Fault(NamedTuple):
    """The label of a thing that cannot be imported, and the reason."""

    label: str
    reason: str


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A thing that was read. `link_items.link` joins it with its parent and its Seller.

    Attributes:
        label: The name of the thing in reports.
        opportunity: The Opportunity. Its Seller and parent are still empty.
        former: The paths under which earlier versions of this system may have stored the thing.
        by_id: Whether ids of the provider identify the thing (`identity.Identity`).
        by_feed: Whether the RPDE `id` is the only id of the thing.
        parents: The paths that the parent may have.
        parent_name: The `@id` by which the item names the parent.
        seller: The Seller that the thing names.
        embedded: Whether the thing is embedded in the outermost thing of the item.
        copy: Whether the thing is a parent that its child embeds. Other children may embed copies of the same parent.
        remarks: Remarks on values that were assumed or left out.
    """

    label: str
    opportunity: Opportunity
    former: tuple[str, ...] = ()
    by_id: bool = True
    by_feed: bool = False
    parents: tuple[str, ...] = ()
    parent_name: str | None = None
    seller: NamedSeller | None = None
    embedded: bool = False
    copy: bool = False
    remarks: tuple[str, ...] = ()


class ReadItem(msgspec.Struct, frozen=True):
    """An item that was read.

    Attributes:
        label: The name of the item in reports.
        sources: The name of the item, and the names that earlier versions gave it. Empty if nothing identifies it.
        drafts: The drafts of the things in the item.
        faults: The things in the item that cannot be imported.
        event_series: The item as published, if it is an EventSeries; empty otherwise. An EventSeries is not bookable.
        belongs_to: The key of the EventSeries that the item may belong to (`event_series_key`); empty if none.
    """

    label: str
    sources: tuple[str, ...]
    drafts: list[Draft] = []
    faults: list[Fault] = []
    event_series: JsonObject = {}
    belongs_to: str = ""


class _ParentReference(NamedTuple):
    """The parent of a thing: the paths that the parent may have, and its `@id`. Both are empty without a parent."""

    paths: tuple[str, ...] = ()
    name: str | None = None


class _Context(msgspec.Struct, frozen=True, kw_only=True):
    """The context of a thing within an item.

    Attributes:
        types: The types that a thing may have in this context.
        expected: The type of a thing without an `@type`.
        container: The container of an embedded thing; None for the outermost thing.
        copy: Whether the thing is a parent that its child embeds.
    """

    types: tuple[OpportunityType, ...]
    expected: str
    container: Container | None = None
    copy: bool = False

    @property
    def embedded(self) -> bool:
        """Whether the thing is embedded in another thing."""
        return self.container is not None


def read_item(entry: Entry, event_series: JsonObject | None = None, horizon: Horizon | None = None) -> ReadItem:
    """Return the drafts of the things in an item, and the faults of the item.

    Args:
        entry: The item.
        event_series: The EventSeries that the item belongs to; None if it is unknown.
        horizon: The instants between which the sessions of Schedules are made; None to make none.
    """
    kind = type_name(entry.kind)
    walk = _ItemReader(entry, horizon)
    if entry.deleted:
        return ReadItem(_label(kind, {}, entry), walk.sources)
    try:
        data = _clean_data(entry)
    except UnreadableError as fault:
        label = _label(kind, {}, entry)
        return ReadItem(
            label, walk.sources or names_by_ids(entry.data, entry.source), faults=[Fault(label, str(fault))]
        )
    label = _label(kind, data, entry)
    if _EVENT_SERIES in (type_names(data) or [kind]):
        return ReadItem(label, walk.sources, event_series=data)
    if event_series:
        data = {**data, "superEvent": event_series}
    walk.read(data, _Context(types=tuple(OpportunityType), expected=kind))
    sources = walk.sources or names_by_ids(entry.data, entry.source)
    return ReadItem(label, sources, walk.drafts, walk.faults, belongs_to=_belongs_to(data, entry))


def event_series_key(id_: str, entry: Entry) -> str:
    """Return the key of the EventSeries with this `@id`."""
    return key_of(paths_of_reference(id_, (OpportunityType.SESSION_SERIES,), entry.source)[0])


def _belongs_to(data: JsonObject, entry: Entry) -> str:
    """Return the key of the `superEvent` that a thing names by its `@id`; empty if it names none or embeds it."""
    parent = data.get("superEvent")
    if isinstance(parent, dict) and not is_reference(parent):
        return ""
    name = read_text(parent.get("@id") if isinstance(parent, dict) else parent)
    return event_series_key(name, entry) if name else ""


def _clean_data(entry: Entry) -> JsonObject:
    """Return the JSON-LD of an item in the form of the models. Raise UnreadableError if it cannot be read."""
    if entry.fault:
        raise UnreadableError(entry.fault)
    data = clean(entry.data)
    if not isinstance(data, dict):
        raise UnreadableError("it has no data" if data is None else "it is no JSON object")
    return data


class _ItemReader:
    """Reads one item and the things that it embeds."""

    def __init__(self, entry: Entry, horizon: Horizon | None) -> None:
        self._entry = entry
        self._horizon = horizon
        self.sources: tuple[str, ...] = ()
        if entry.id:
            names = (entry.source.item(entry.kind, entry.id), entry.source.former_item(entry.kind, entry.id))
            self.sources = tuple(name for name in names if name)
        self.drafts: list[Draft] = []
        self.faults: list[Fault] = []

    def read(self, thing: JsonObject, context: _Context) -> Draft | None:
        """Read a thing and the things that it embeds. Return the draft of the thing; None if it cannot be imported."""
        label = _label(context.expected, thing, self._entry)
        try:
            type_ = _read_type(thing, context)
            thing, taken_over = inherit_from_event_series(thing, type_)
            expanded = expand_schedules(thing, type_, None if context.copy else self._horizon)
            thing = expanded.thing
            self.faults += (Fault(label, fault) for fault in expanded.faults)
            identity = self._identify(thing, type_, context)
            draft = self._read_draft(thing, type_, context, label, identity)
            draft = replace(draft, remarks=(*taken_over, *expanded.remarks, *draft.remarks))
            _check_size(draft)
        except UnreadableError as fault:
            self.faults.append(Fault(label, str(fault)))
            return None
        self.drafts.append(draft)
        # A parent that its child embeds has an item of its own, from which its other children are read.
        if not context.copy:
            self._read_children(thing, draft)
        return draft

    def _identify(self, thing: JsonObject, type_: OpportunityType, context: _Context) -> Identity:
        """Return the identity of a thing. Name the item after its outermost thing if it has no RPDE envelope."""
        entry = self._entry
        rpde = (entry.kind, entry.id) if entry.id and not context.embedded else None
        identity = identify(thing, type_, entry.source, container=context.container, rpde=rpde)
        if not self.sources and not context.embedded:
            self.sources = names_of(identity, entry.source)
        return identity

    def _read_children(self, thing: JsonObject, parent: Draft) -> None:
        """Read the things that a thing embeds. Things that cannot be distinguished become faults."""
        parent_type = parent.opportunity.type
        for name, types in parent_type.children.items():
            children = [child for child in members(thing.get(name)) if not _is_not_sold_here(child, parent_type)]
            alike = Counter(time_or_name(child) for child in children if isinstance(child, dict))
            for same in self._by_identity(children, types, Container(parent.opportunity.path, parent.former, name)):
                child = same[0]
                if not isinstance(child, dict):
                    self.faults.append(Fault(f"{name} of {parent.label}", f"{display_text(child)} is no JSON object"))
                elif len(same) == 1 or (_has_id(child) and all(other == child for other in same)):
                    container = Container(parent.opportunity.path, parent.former, name, alike[time_or_name(child)])
                    self.read(child, _Context(types=types, expected=types[0], container=container))
                else:
                    label = _label(types[0], child, self._entry)
                    self.faults.append(Fault(label, f"{len(same)} {name} of {parent.label} cannot be distinguished"))

    def _by_identity(
        self, children: list[Any], types: tuple[OpportunityType, ...], container: Container
    ) -> list[list[Any]]:
        """Return embedded things grouped by identity. The things of a group cannot be distinguished."""
        found: dict[Any, list[Any]] = {}
        for number, child in enumerate(children):
            key: Any = number
            if isinstance(child, dict):
                type_ = next((type_ for type_ in types if type_ in type_names(child)), types[0])
                with suppress(UnreadableError):
                    key = identify(child, type_, self._entry.source, container=container, rpde=None).path
            found.setdefault(key, []).append(child)
        return list(found.values())

    def _read_draft(
        self, thing: JsonObject, type_: OpportunityType, context: _Context, label: str, identity: Identity
    ) -> Draft:
        path, row = identity.path, type_.row
        parent = self._parent_reference(thing, type_, context)
        has_own_dates = _has_own_dates(thing, type_, parent)
        when = read_period(thing, in_days=row.dates is Dates.DAYS) if has_own_dates else Period()
        own_status = read_status(thing)
        free, on_free = read_free_access(thing)
        capacity, on_capacity = read_spaces(thing, row.capacity)
        named_offers, full_offers = split_offers(thing.get("offers"))
        offers, on_offers = read_offers(full_offers, path)
        offers_unknown = "offers" in thing and not offers and not named_offers
        properties, on_properties = read_properties(thing, type_, when)
        inherited = Inherited(
            status=own_status is None,
            dates=not has_own_dates and type_.is_dated,
            duration=when.start is not None and when.end is None and row.parent is not None,
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
                source=self._source(path, context),
                inherited=None if inherited == Inherited() else inherited,
                properties=properties,
            ),
            former=identity.former,
            by_id=identity.by_id,
            by_feed=identity.by_feed,
            parents=parent.paths,
            parent_name=parent.name,
            seller=read_seller(thing.get("organizer") or thing.get("provider"), self._entry.source),
            embedded=context.embedded,
            copy=context.copy,
            remarks=(
                *identity_remarks(thing, type_),
                *when.remarks,
                *on_free,
                *on_capacity,
                *on_offers,
                *on_properties,
            ),
        )

    def _source(self, path: str, context: _Context) -> str:
        """Return the source of a thing: the name of its item. All copies of an embedded parent share one source."""
        return f"{self._entry.source.name}#copy-of-{key_of(path)}" if context.copy else self.sources[0]

    def _parent_reference(self, thing: JsonObject, type_: OpportunityType, context: _Context) -> _ParentReference:
        """Return the reference to the parent of a thing. Read the parent too, if the thing embeds it."""
        if context.container and not context.copy:
            return _ParentReference((context.container.path,))
        link = type_.row.parent
        if link is None:
            return _ParentReference()
        parent = thing.get(link.property)
        if isinstance(parent, dict) and not is_reference(parent):
            container = Container("", (), link.property)
            copy = self.read(
                parent, _Context(types=type_.parents, expected=type_.parents[0], container=container, copy=True)
            )
            if copy is None:
                raise UnreadableError(f"its {link.property} is not understood")
            return _ParentReference((copy.opportunity.path,), read_text(parent.get("@id")))
        name = read_text(parent.get("@id") if isinstance(parent, dict) else parent)
        if name:
            return _ParentReference(paths_of_reference(name, type_.parents, self._entry.source), name)
        if link.required:
            missing = f"it has no {link.property}"
            raise UnreadableError(missing if parent is None else f"its {link.property} is unreadable")
        return _ParentReference()


def _is_not_sold_here(child: Any, parent_type: OpportunityType) -> bool:
    """Return whether an embedded thing is only a reference, or a part without Offers of its own."""
    if isinstance(child, str) or (isinstance(child, dict) and is_reference(child)):
        return True
    return parent_type.row.has_parts and isinstance(child, dict) and "offers" not in child


def _has_id(child: JsonObject) -> bool:
    return any(read_text(child.get(name)) for name in ("@id", "identifier"))


def _has_own_dates(thing: JsonObject, type_: OpportunityType, parent: _ParentReference) -> bool:
    """Return whether a thing has its own dates. A part of an event without a start has the dates of the event."""
    parent_gives_dates = type_.row.parent is not None and type_.row.parent.gives_dates and bool(parent.paths)
    return type_.is_dated and ("startDate" in thing or not parent_gives_dates)


def _check_size(draft: Draft) -> None:
    """Raise UnreadableError if a draft is too large to be stored."""
    if len(msgspec.json.encode(draft)) > MAX_THING_BYTES:
        raise UnreadableError(f"without what it embeds, it is larger than {MAX_THING_BYTES:,} bytes")


def _label(expected: str, thing: JsonObject, entry: Entry) -> str:
    """Return the name of a thing in reports: its type, and its id or name at the provider."""
    names = [read_text(thing.get(name)) for name in ("@id", "identifier", "url", "name")]
    kind = ", ".join(type_names(thing)) or expected or "item"
    return f"{display_text(kind)} {display_text(next((name for name in (*names, entry.id) if name), entry.position))}"


def _read_type(thing: JsonObject, context: _Context) -> OpportunityType:
    """Return the type of a thing. Raise UnreadableError for a type that is unknown or not possible here."""
    names = type_names(thing) or [context.expected]
    for name in names:
        if name in context.types:
            return TYPE_OF_NAME[name]
    if not any(names):
        raise UnreadableError("it has no @type")
    raise UnreadableError(f"its type is none that is sold here: {', '.join(map(display_text, names))}")
