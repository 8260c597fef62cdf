"""The week of a timetable, and the list of all its entries with the state of their publication."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any, NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from openbooking.booking.commands.opportunities.find_opportunities import FindOccurrences
from openbooking.booking.commands.opportunities.timetable import has_occurrences
from openbooking.booking.model.opportunity import Opportunity, SaleState
from openbooking.booking.model.situation import DatedChildren
from openbooking.booking.model.timetable import (
    NO_END,
    Closure,
    Event,
    Facility,
    TimetableEntry,
    Venue,
    WeeklyClass,
)
from openbooking.identity.partners.grants import current_grant
from openbooking.identity.records import EVERY_SELLER, Grant
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.timetable.check import bank_holiday_warning
from openbooking.timetable.identity import path_of
from openbooking.timetable.wall_clock import DateRange
from openbooking.web.console.addresses import SHEET_PATH, TIMETABLE_PATH, OpportunityPage, add_path, entry_path
from openbooking.web.console.console import Console, ConsoleVisit
from openbooking.web.console.timetable.choices import Timetable
from openbooking.web.console.timetable.editing import timetable_of
from openbooking.web.console.timetable.rule_forms import FORMS, NATIONS, RuleKind, kind_of
from openbooking.web.pages import PARTNERS_PATH

_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)


class WeekItem(NamedTuple):
    """A session or event of the week.

    Attributes:
        opportunity: The Opportunity.
        name: The name.
        path: The path of its register.
        booked: How many spaces are booked.
        state: `cancelled`, `off sale` or empty.
    """

    opportunity: Opportunity
    name: str
    path: str
    booked: int
    state: str


class WeekPages:
    """The page of the week and of all entries. Staff see the page, and managers also the links that change it."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        return [self._console.route("/timetable", self._week, menu="Timetable")]

    async def _week(self, visit: ConsoleVisit) -> Response:
        day = visit.day()
        monday = day - timedelta(days=day.weekday())
        timetable = await timetable_of(visit)
        items = await _items(visit, timetable, monday)
        days = [monday + number * _DAY for number in range(7)]
        return visit.page(
            "timetable/week.html",
            path=TIMETABLE_PATH,
            sheet_path=SHEET_PATH,
            monday=monday,
            sunday=monday + _WEEK - _DAY,
            before=monday - _WEEK,
            after=monday + _WEEK,
            is_this_week=monday <= visit.today < monday + _WEEK,
            days=[(each, items[each]) for each in days],
            is_empty=not any(items.values()),
            entries=[_entry_row(visit, entry) for entry in _ordered(timetable)],
            kinds=[(add_path(kind), FORMS[kind].noun) for kind in RuleKind],
            next_step=_next_step(timetable),
            is_alone=_has_occurrences(timetable) and not await _has_partner(visit),
            partners_path=PARTNERS_PATH,
            has_facilities=any(isinstance(entry.rule, Facility) for entry in timetable.values()),
            warning=_warning(visit, timetable),
        )


async def _items(visit: ConsoleVisit, timetable: Timetable, monday: date) -> defaultdict[date, list[WeekItem]]:
    """Return the sessions and events of a week by day, in the order of their starts."""
    entries = {each.source: each for each in timetable.values() if isinstance(each.rule, WeeklyClass | Event)}
    span = DateRange(monday, monday + _WEEK).span(visit.console.system.settings.policy.time_zone)
    series = (
        path_of(OpportunityType.SESSION_SERIES, each.entry_key)
        for each in entries.values()
        if isinstance(each.rule, WeeklyClass)
    )
    command = FindOccurrences(
        sources=frozenset(entries),
        paths=frozenset(
            path_of(OpportunityType.EVENT, each.entry_key) for each in entries.values() if isinstance(each.rule, Event)
        ),
        periods=frozenset(DatedChildren(parent, span.start, span.end) for parent in series),
        actor=visit.actor,
    )
    found = await visit.execute(command)
    by_day: defaultdict[date, list[WeekItem]] = defaultdict(list)
    shown = (each for each in found.opportunities.values() if not each.withdrawn)
    for each in sorted(shown, key=lambda each: (str(each.start), each.path)):
        if each.start and span.start <= each.start < span.end:
            item = WeekItem(
                opportunity=each,
                name=entries[each.source].rule.name,
                path=OpportunityPage.REGISTER.path(each.path),
                booked=found.booked.get(each.path, 0),
                state=_state(each, found.opportunities.get(each.parent or "")),
            )
            by_day[visit.local(each.start).date()].append(item)
    return by_day


def _state(opportunity: Opportunity, parent: Opportunity | None) -> str:
    if not opportunity.takes_place:
        return "cancelled"
    is_off = SaleState.UNPUBLISHED in (opportunity.sale, parent.sale if parent else None)
    return "off sale" if is_off else ""


def _ordered(timetable: Timetable) -> list[TimetableEntry]:
    """Return the entries by kind and name."""
    kinds = list(RuleKind)
    return sorted(timetable.values(), key=lambda each: (kinds.index(kind_of(each.rule)), each.rule.name.casefold()))


def _entry_row(visit: ConsoleVisit, entry: TimetableEntry) -> dict[str, Any]:
    return {
        "name": entry.rule.name,
        "kind": FORMS[kind_of(entry.rule)].noun,
        "path": "" if entry.ended else entry_path(entry.key),
        "when": _when(entry),
        "state": _publication(visit, entry),
        "fault": entry.fault,
    }


def _when(entry: TimetableEntry) -> str:
    """Return when a closure is, in words; empty for other entries."""
    rule = entry.rule
    if not isinstance(rule, Closure):
        return ""
    if rule.bank_holidays:
        return NATIONS[rule.bank_holidays]
    return f"{rule.start:%d %b %Y %H:%M} to {rule.end:%d %b %Y %H:%M}" if rule.start and rule.end else ""


def _publication(visit: ConsoleVisit, entry: TimetableEntry) -> str:
    """Return how far an entry is published, in words; empty for one from which nothing is made."""
    if entry.ended:
        return "being removed"
    if not has_occurrences(entry):
        return ""
    if entry.published_until == NO_END:
        return "published"
    last = visit.console.system.settings.policy.last_published_date(visit.now)
    if entry.published_until is None or (entry.next_date and entry.next_date <= last):
        return "being published"
    until = entry.published_until - _DAY
    return f"published until {until.day} {until:%B %Y}"


def _next_step(timetable: Timetable) -> str:
    """Return what a new club does next: `venue`, `class`, `facility`, or empty if all are there."""
    rules = [entry.rule for entry in timetable.values() if not entry.ended]
    for kind, type_ in ((RuleKind.VENUE, Venue), (RuleKind.CLASS, WeeklyClass), (RuleKind.FACILITY, Facility)):
        if not any(isinstance(rule, type_) for rule in rules):
            return kind
    return ""


def _has_occurrences(timetable: Timetable) -> bool:
    return any(has_occurrences(entry) and not entry.ended for entry in timetable.values())


async def _has_partner(visit: ConsoleVisit) -> bool:
    """Return whether a Booking Partner can book from the Seller."""
    store, seller = visit.console.system.identity.store, visit.seller.key
    by_partner: dict[str, list[Grant]] = defaultdict(list)
    for grant in (*await store.find(Grant, seller=seller), *await store.find(Grant, seller=EVERY_SELLER)):
        by_partner[grant.partner].append(grant)
    current = (current_grant(grants, seller) for grants in by_partner.values())
    return any(grant.allows_booking for grant in current if grant)


def _warning(visit: ConsoleVisit, timetable: Timetable) -> str | None:
    rules = (entry.rule for entry in timetable.values() if not entry.ended)
    closures = [rule for rule in rules if isinstance(rule, Closure)]
    return bank_holiday_warning(closures, visit.console.system.settings.policy.last_published_date(visit.now))
