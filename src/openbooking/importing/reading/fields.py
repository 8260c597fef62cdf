"""The fields of a published thing: its status, its spaces, and the properties that no rule looks at."""

from typing import Any

from openbooking.importing.reading.times import Period
from openbooking.importing.reading.values import (
    MAX_COUNT,
    JsonObject,
    UnreadableError,
    members,
    publishable,
    read_count,
    read_flag,
    read_term,
    shown,
    term_names,
    type_names,
)
from openbooking.jsonld.scalars import write_duration, write_instant
from openbooking.openactive.inheritance import DATES, LINKS, with_inherited
from openbooking.openactive.opportunity_row import CapacityProperties, Dates
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import EventStatus

# What this system renders itself, or publishes as a thing of its own.
_NOT_KEPT = LINKS | {
    "@context", "@type", "@id", "offers", "organizer", "provider", "eventStatus", "isAccessibleForFree",
}  # fmt: skip
_CONCEPTS = ("activity", "facilityType")
_MOVED_ONLINE = "EventMovedOnline"


def read_status(thing: JsonObject) -> EventStatus | None:
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


def read_free(thing: JsonObject) -> tuple[bool | None, list[str]]:
    """Whether it is accessible for free, or None if that is not known. With remarks."""
    if "isAccessibleForFree" not in thing:
        return None, []
    try:
        return read_flag(thing["isAccessibleForFree"]), []
    except UnreadableError as fault:
        return None, [f"isAccessibleForFree: {fault}"]


def read_spaces(thing: JsonObject, capacity: CapacityProperties | None) -> tuple[int | None, list[str]]:
    """The spaces left at the provider, its maximum at most; None if they are not known (OB-BKBL-12). With remarks."""
    if capacity is None or capacity.remaining not in thing:
        return None, []
    most_name, name = capacity
    try:
        left = read_count(thing[name])
    except UnreadableError as fault:
        return None, [f"{name}: {fault}"]
    remarks = [f"{name}: cut to the largest number that can be kept"] if left == MAX_COUNT else []
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


def with_event_series(thing: JsonObject, type_: OpportunityType) -> tuple[JsonObject, tuple[str, ...]]:
    """The thing with what it inherits from an embedded `superEvent` that is not sold here: an EventSeries (MOD)."""
    above = thing.get("superEvent")
    if type_.needs_parent or not isinstance(above, dict) or not (names := type_names(above)):
        return thing, ()
    if any(name in type_.parents for name in names):
        return thing, ()
    own = {name: value for name, value in thing.items() if name != "superEvent"}
    return with_inherited(own, above, type_, None), (f"what its {shown(names[0])} tells taken over",)


def read_properties(thing: JsonObject, type_: OpportunityType, when: Period) -> tuple[dict[str, Any], list[str]]:
    """The properties that no rule looks at, as published, and remarks on what is left out.

    Activities and facility types in plain text become Concepts.
    """
    row = type_.row
    # A parent that is not bookable keeps its dates as published.
    dropped = _NOT_KEPT.union(row.excluded, DATES if type_.bookable else ())
    kept = {name: value for name, value in thing.items() if name not in dropped}
    for name in _CONCEPTS:
        if name in kept:
            kept[name] = [
                {"@type": "Concept", "prefLabel": concept} if isinstance(concept, str) else concept
                for concept in members(kept[name])
            ]
    if row.has_parts and "eventSchedule" not in kept:
        dates = {} if row.dates is Dates.DAYS else _written_dates(when)
        for property_, types in type_.children.items():
            parts = [_part(part, types[0], dates) for part in members(thing.get(property_)) if isinstance(part, dict)]
            kept |= {property_: parts} if parts else {}
    return publishable(kept, left_out=(name for name in row.excluded if name in thing))


def _written_dates(when: Period) -> JsonObject:
    dates = {"startDate": when.start, "endDate": when.end}
    written = {name: write_instant(date) for name, date in dates.items() if date}
    lasts = {"duration": write_duration(when.end - when.start)} if when.start and when.end else {}
    return written | lasts


def _part(part: JsonObject, type_: OpportunityType, dates: JsonObject) -> JsonObject:
    """A part as the whole embeds it, with the dates of the whole if it has none."""
    told = {name: value for name, value in part.items() if name not in _NOT_KEPT}
    return {"@type": type_, **({} if "startDate" in told else dates), **told}


def remarks_on(thing: JsonObject, type_: OpportunityType) -> list[str]:
    """Remarks on how a thing was identified."""
    remarks = []
    if not type_names(thing):
        remarks.append(f"no @type: taken for a {type_}")
    if "@id" not in thing:
        remarks.append("no @id: known by what else tells it apart")
    return remarks
