"""The fields of a published thing: its status, its spaces, and the properties that are published unchanged."""

from typing import Any

from openbooking.jsonld.scalars import write_duration, write_instant
from openbooking.openactive.inheritance import DATES, LINKS, with_inherited
from openbooking.openactive.opportunity_row import CapacityProperties, Dates
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.published.times import Period
from openbooking.openactive.published.values import (
    MAX_COUNT,
    JsonObject,
    UnreadableError,
    display_text,
    members,
    read_count,
    read_flag,
    read_term,
    select_publishable,
    term_names,
    type_names,
)
from openbooking.openactive.terms import EventStatus

# Properties that this system publishes from fields of its own, or as Opportunities and Sellers of their own.
_NOT_KEPT = LINKS | {
    "@context", "@type", "@id", "offers", "organizer", "provider", "eventStatus", "isAccessibleForFree",
}  # fmt: skip
_CONCEPTS = ("activity", "facilityType")
_MOVED_ONLINE = "EventMovedOnline"


def read_status(thing: JsonObject) -> EventStatus | None:
    """Return the `eventStatus` of a thing; None if absent. Raise UnreadableError for an unknown status."""
    published = thing.get("eventStatus")
    if published is None:
        return None
    try:
        return _read_status(published)
    except UnreadableError as fault:
        raise UnreadableError(f"its eventStatus: {fault}") from fault


def _read_status(published: Any) -> EventStatus:
    names = term_names(published)
    others = [name for name in names if name != _MOVED_ONLINE]
    status = read_term(others, EventStatus) if others else EventStatus.SCHEDULED
    # EventMovedOnline is no status here: the event takes place.
    if len(others) < len(names) and status not in (EventStatus.SCHEDULED, EventStatus.RESCHEDULED):
        raise UnreadableError(f"{display_text(published)} is not known")
    return status


def read_free_access(thing: JsonObject) -> tuple[bool | None, list[str]]:
    """Return `isAccessibleForFree` and remarks. The value is None if it is absent or unreadable."""
    if "isAccessibleForFree" not in thing:
        return None, []
    try:
        return read_flag(thing["isAccessibleForFree"]), []
    except UnreadableError as fault:
        return None, [f"isAccessibleForFree: {fault}"]


def read_spaces(thing: JsonObject, capacity: CapacityProperties | None) -> tuple[int | None, list[str]]:
    """Return the spaces left at the provider, and remarks (OB-BKBL-12).

    The number is at most the maximum capacity. It is None if it is absent or unreadable.
    """
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


def inherit_from_event_series(thing: JsonObject, type_: OpportunityType) -> tuple[JsonObject, tuple[str, ...]]:
    """Return a thing with the properties that it inherits from the EventSeries that it embeds, and a remark (MOD)."""
    above = thing.get("superEvent")
    if type_.needs_parent or not isinstance(above, dict) or not (names := type_names(above)):
        return thing, ()
    if any(name in type_.parents for name in names):
        return thing, ()
    own = {name: value for name, value in thing.items() if name != "superEvent"}
    return with_inherited(own, above, type_, None), (f"properties of its {display_text(names[0])} taken over",)


def read_properties(thing: JsonObject, type_: OpportunityType, when: Period) -> tuple[dict[str, Any], list[str]]:
    """Return the properties that are published unchanged, and remarks on properties that are left out.

    Activities and facility types in plain text become Concepts.
    """
    row = type_.row
    # The dates of a bookable Opportunity are fields. A parent that is not bookable keeps its dates as published.
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
            parts = [
                _embedded_part(part, types[0], dates)
                for part in members(thing.get(property_))
                if isinstance(part, dict)
            ]
            kept |= {property_: parts} if parts else {}
    return select_publishable(kept, left_out=(name for name in row.excluded if name in thing))


def _written_dates(when: Period) -> JsonObject:
    """Return a period as the properties `startDate`, `endDate` and `duration`."""
    dates = {"startDate": when.start, "endDate": when.end}
    written = {name: write_instant(date) for name, date in dates.items() if date}
    lasts = {"duration": write_duration(when.end - when.start)} if when.start and when.end else {}
    return written | lasts


def _embedded_part(part: JsonObject, type_: OpportunityType, dates: JsonObject) -> JsonObject:
    """Return a part of an event as its parent embeds it. A part without dates gets the dates of its parent."""
    kept = {name: value for name, value in part.items() if name not in _NOT_KEPT}
    return {"@type": type_, **({} if "startDate" in kept else dates), **kept}


def identity_remarks(thing: JsonObject, type_: OpportunityType) -> list[str]:
    """Return remarks on a missing `@type` or `@id`."""
    remarks = []
    if not type_names(thing):
        remarks.append(f"no @type: taken for a {type_}")
    if "@id" not in thing:
        remarks.append("no @id: identified by its other properties")
    return remarks
