"""The calendars of a class, of a facility or one of its courts, and of a Venue, as far as they are published on sale.

They are public, so they have nothing that the open feeds do not have, and neither leaders nor attendees.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from openbooking.booking.commands.opportunities.find_opportunities import FindOccurrences
from openbooking.booking.commands.opportunities.timetable import GetTimetable, present_rules
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Opportunity, is_on_sale, parents_among
from openbooking.booking.model.timetable import Course, EntryKey, Event, TimetableRule, Venue, WeeklyClass
from openbooking.booking.store import Feed, Store
from openbooking.booking.views import Views
from openbooking.openactive.ids import Identifiers, is_opportunity_path, key_of
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.web_addresses import is_web_address
from openbooking.timetable.calendars.writing import FIRST_CHANGE, CalendarEvent, write_calendar
from openbooking.timetable.identity import path_of

# Where the web application serves calendars (`web/api/calendars.py`).
CALENDAR_PATH, VENUES = "/calendar", "venues/"
MOST_EVENTS = 500
# A calendar has what starts from a day ago to a year ahead.
_BEFORE, _AHEAD = timedelta(days=1), timedelta(days=366)
_MOST_PARENTS = 200
_READER = Actor(ActorKind.SYSTEM, "calendar")
PARENTS = (OpportunityType.SESSION_SERIES, OpportunityType.FACILITY_USE, OpportunityType.INDIVIDUAL_FACILITY_USE)
_TYPES: Mapping[type, OpportunityType] = {
    WeeklyClass: OpportunityType.SESSION_SERIES,
    Event: OpportunityType.EVENT,
    Course: OpportunityType.COURSE_INSTANCE,
}


class CalendarSource(NamedTuple):
    """What calendars are made of.

    Attributes:
        store: The store.
        views: The views of the store.
        ids: The identifiers.
        zone: The time zone in which programs show the times.
    """

    store: Store
    views: Views
    ids: Identifiers
    zone: ZoneInfo


class _Member(NamedTuple):
    """An Opportunity on sale, with its parents, nearest first."""

    opportunity: Opportunity
    parents: tuple[Opportunity, ...]


def calendar_path(path: str) -> str:
    """Return the path of the calendar of a SessionSeries, a FacilityUse or an IndividualFacilityUse."""
    return f"{CALENDAR_PATH}/{path}.ics"


def venue_calendar_path(venue: EntryKey) -> str:
    """Return the path of the calendar of a Venue."""
    return f"{CALENDAR_PATH}/{VENUES}{venue.seller}/{venue.key}.ics"


async def _read(source: CalendarSource, paths: frozenset[str]) -> Mapping[str, Opportunity]:
    found = await source.store.execute(FindOccurrences(paths=paths, actor=_READER))
    return {path: member for path, member in found.opportunities.items() if not member.withdrawn}


async def opportunity_calendar(source: CalendarSource, path: str, now: datetime) -> bytes | None:
    """Return the calendar of a class, of a facility or of a court; None if it is not on sale.

    Args:
        source: What calendars are made of.
        path: The path of the SessionSeries, FacilityUse or IndividualFacilityUse.
        now: The current time.
    """
    if not is_opportunity_path(path):
        return None
    found = _on_sale(await _read(source, frozenset({path})), path)
    if found is None or found.opportunity.type not in PARENTS:
        return None
    members = await _below(source, found, now)
    return await _write(source, _name(found), members, now)


async def venue_calendar(source: CalendarSource, venue: EntryKey, now: datetime) -> bytes | None:
    """Return the calendar of the classes, events and courses at a Venue; None if the timetable has no such Venue.

    The Slots of its facilities are in the calendars of the facilities.

    Args:
        source: What calendars are made of.
        venue: The key of the Venue in the timetable.
        now: The current time.
    """
    rules = present_rules(await source.store.execute(GetTimetable(seller=venue.seller, actor=_READER)))
    rule = rules.get(venue.key)
    if not isinstance(rule, Venue):
        return None
    paths = sorted(_paths_at(venue, rules))[:_MOST_PARENTS]
    family = await _read(source, frozenset(paths))
    members: list[_Member] = []
    for path in paths:
        found = _on_sale(family, path)
        if found is None:
            continue
        if found.opportunity.type.bookable:
            members.append(found)
        else:
            members += await _below(source, found, now)
    return await _write(source, rule.name, [member for member in members if _is_shown(member, now)], now)


def _paths_at(venue: EntryKey, rules: Mapping[str, TimetableRule]) -> Iterator[str]:
    for key, rule in rules.items():
        if isinstance(rule, WeeklyClass | Event | Course) and rule.venue == venue.key:
            yield path_of(_TYPES[type(rule)], EntryKey(venue.seller, key))


async def _below(source: CalendarSource, parent: _Member, now: datetime) -> list[_Member]:
    """Return the occurrences below a parent that are on sale, the first ones of each court."""
    opportunity = parent.opportunity
    view = source.views.of(opportunity.seller).children
    found = await view(opportunity.path, now - _BEFORE, now + _AHEAD, MOST_EVENTS)
    above = (opportunity, *parent.parents)
    members: list[_Member] = []
    for child in found:
        member = _Member(child, above)
        if not is_on_sale(child, above):
            continue
        members += [member] if child.type.bookable else await _below(source, member, now)
    return members


def _on_sale(family: Mapping[str, Opportunity], path: str) -> _Member | None:
    opportunity = family.get(path)
    if opportunity is None:
        return None
    parents = parents_among(family, opportunity)
    return _Member(opportunity, parents) if is_on_sale(opportunity, parents) else None


def _is_shown(member: _Member, now: datetime) -> bool:
    ends = member.opportunity.over_at
    return ends is not None and now - _BEFORE <= ends <= now + _AHEAD


async def _write(source: CalendarSource, name: str, members: Sequence[_Member], now: datetime) -> bytes:
    first = sorted(members, key=lambda member: (str(member.opportunity.start), member.opportunity.path))[:MOST_EVENTS]
    changes = await _changes(source, [member.opportunity for member in first], now)
    events = [event for member in first for event in _events(source, member, changes)]
    return write_calendar(name, source.zone.key, events)


async def _changes(source: CalendarSource, shown: Sequence[Opportunity], now: datetime) -> Mapping[str, datetime]:
    """Return when the feed items of Opportunities changed, by path."""
    keys: dict[str, list[str]] = {}
    for opportunity in shown:
        keys.setdefault(opportunity.type.feed, []).append(opportunity.path)
    changed: dict[str, datetime] = {}
    for feed, paths in keys.items():
        numbers = await source.store.change_numbers(Feed(feed), paths)
        for path in paths:
            # An item without a number has changed just now.
            changed[path] = _changed_at(numbers[path]) if path in numbers else now
    return changed


def _changed_at(number: int) -> datetime:
    """Return the time of the change with a change number.

    Databases give numbers that are milliseconds since 1970 (`store.numbering`). Other stores may count changes: each
    change then gets a time of its own, which only orders the changes.
    """
    at = datetime.fromtimestamp(number // 1000, UTC)
    return at if at >= FIRST_CHANGE else FIRST_CHANGE + timedelta(seconds=number)


def _events(source: CalendarSource, member: _Member, changes: Mapping[str, datetime]) -> Iterator[CalendarEvent]:
    """Yield the event of an Opportunity, or an event for each date of a course."""
    opportunity, parents = member
    if opportunity.start is None or opportunity.end is None:
        return
    event = CalendarEvent(
        uid=source.ids.opportunity(opportunity.path),
        name=_name(member),
        start=opportunity.start.astimezone(UTC),
        end=opportunity.end.astimezone(UTC),
        changed=changes[opportunity.path],
        is_cancelled=not opportunity.takes_place,
        place=_place((opportunity, *parents)),
        description=str(_property((opportunity, *parents), "description") or ""),
        url=_url((opportunity, *parents)),
    )
    parts = opportunity.properties.get("subEvent") if opportunity.type is OpportunityType.COURSE_INSTANCE else None
    times = list(_times(parts))
    if not times:
        yield event
    for number, (start, end) in enumerate(times, 1):
        yield event._replace(uid=f"{event.uid}#/subEvent/{number}", start=start, end=end)


def _times(parts: Any) -> Iterator[tuple[datetime, datetime]]:
    """Yield the times of the dates of a course that have both a start and an end."""
    for part in parts if isinstance(parts, list | tuple) else ():
        try:
            start, end = (datetime.fromisoformat(part[name]) for name in ("startDate", "endDate"))
        except (KeyError, TypeError, ValueError):
            continue
        if start.tzinfo and end.tzinfo:
            yield start.astimezone(UTC), end.astimezone(UTC)


def _name(member: _Member) -> str:
    """Return the name of an Opportunity: that of a court follows the name of its facility."""
    names = [
        str(each.properties["name"]) for each in (member.opportunity, *member.parents) if each.properties.get("name")
    ]
    return ", ".join(dict.fromkeys(reversed(names))) or key_of(member.opportunity.path)


def _property(family: Sequence[Opportunity], name: str) -> Any:
    return next((each.properties[name] for each in family if each.properties.get(name)), None)


def _url(family: Sequence[Opportunity]) -> str:
    url = str(_property(family, "url") or "")
    return url if is_web_address(url) else ""


def _place(family: Sequence[Opportunity]) -> str:
    """Return the name and the address of the place where an Opportunity happens."""
    place = _property(family, "location")
    if not isinstance(place, Mapping):
        return ""
    address = place.get("address")
    lines = address if isinstance(address, Mapping) else {}
    parts = (place.get("name"), *(lines.get(name) for name in ("streetAddress", "addressLocality", "postalCode")))
    return ", ".join(str(part) for part in parts if part)
