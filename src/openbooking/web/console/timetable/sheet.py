"""The booking sheet: the Slots of a facility on one day, by court and time, with their bookings."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.descriptions import person_name
from openbooking.back_office.formats import day_bounds
from openbooking.back_office.pages import read_rows
from openbooking.booking.commands.opportunities.find_opportunities import FindOccurrences, FoundOccurrences
from openbooking.booking.model.opportunity import Opportunity, SaleState
from openbooking.booking.model.situation import DatedChildren
from openbooking.booking.model.spaces import Spaces, busiest_spaces
from openbooking.booking.model.timetable import Facility, TimetableEntry
from openbooking.booking.views import OrderQuery
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.timetable.identity import path_of
from openbooking.timetable.occurrences import occurrences, undated_opportunities
from openbooking.timetable.surroundings import Where, site_of, surroundings_of
from openbooking.timetable.wall_clock import DateRange, TimeSpan
from openbooking.web.console.addresses import CLOSE_PATH, SHEET_PATH, OpportunityPage
from openbooking.web.console.bookings.orders import order_path
from openbooking.web.console.console import Console, ConsoleVisit, NotFoundOnConsoleError
from openbooking.web.console.timetable.choices import Timetable
from openbooking.web.console.timetable.editing import timetable_of

_DAY = timedelta(days=1)
_ROWS = 200


class SlotState(StrEnum):
    """The state of a Slot on the sheet, in words."""

    FREE = "free"
    BOOKED = "booked"
    TAKEN = "taken by another time"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    OFF_SALE = "off sale"
    NOT_YET = "not on sale yet"
    OVER = "over"


class Booking(NamedTuple):
    """A booking of a Slot: the name of the Customer, the path of its Order, and the path that moves it."""

    name: str
    path: str
    move_path: str


class Cell(NamedTuple):
    """A Slot on the sheet.

    Attributes:
        slot: The Slot.
        minutes: The length.
        state: The state.
        free: How many uses are free; None if their number is not limited.
        bookings: The bookings.
        register_path: The path of the register.
        desk_path: The path of the form that books the Slot.
        close_path: The path of the form that closes the court at this time.
    """

    slot: Opportunity
    minutes: int
    state: SlotState
    free: int | None
    bookings: Sequence[Booking]
    register_path: str
    desk_path: str
    close_path: str


class Day(NamedTuple):
    """What is known of a facility on one day.

    Attributes:
        entry: The entry of the facility.
        span: The day.
        wanted: The Slots of its opening hours without closures.
        found: The stored Slots, and those of other days that overlap them.
        bookings: The bookings by the paths of the Slots.
        closed: The times at which each court is closed.
    """

    entry: TimetableEntry
    span: TimeSpan
    wanted: Mapping[str, Opportunity]
    found: FoundOccurrences
    bookings: Mapping[str, Sequence[Booking]]
    closed: Mapping[str, Sequence[TimeSpan]]


class SheetPages:
    """The booking sheet, which all staff sees."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        return [self._console.route("/timetable/sheet", self._sheet)]

    async def _sheet(self, visit: ConsoleVisit) -> Response:
        timetable, day = await timetable_of(visit), visit.day()
        facilities = {key.key: each for key, each in timetable.items() if isinstance(each.rule, Facility)}
        chosen = visit.query.get("entry") or next(iter(sorted(facilities)), "")
        if chosen and chosen not in facilities:
            raise NotFoundOnConsoleError
        known = await _read_day(visit, timetable, facilities[chosen], day) if chosen else None
        return visit.page(
            "timetable/sheet.html",
            path=SHEET_PATH,
            day=day,
            day_before=day - _DAY,
            day_after=day + _DAY,
            chosen=chosen,
            facilities={key: each.rule.name for key, each in sorted(facilities.items())},
            courts=list(_courts(known.entry).values()) if known else [],
            rows=_rows(visit, known) if known else [],
            words=SlotState,
        )


def _courts(entry: TimetableEntry) -> dict[str, str]:
    """Return the names of the courts of a facility, or of the facility itself, by the paths of the parents of Slots."""
    rule = entry.rule
    if isinstance(rule, Facility) and rule.courts:
        type_ = OpportunityType.INDIVIDUAL_FACILITY_USE
        return {path_of(type_, entry.entry_key, court.key): court.name for court in rule.courts}
    return {path_of(OpportunityType.FACILITY_USE, entry.entry_key): rule.name}


def _court_key(entry: TimetableEntry, path: str) -> str:
    """Return the key of the court with this path; empty for the facility itself."""
    courts = entry.rule.courts if isinstance(entry.rule, Facility) else ()
    type_ = OpportunityType.INDIVIDUAL_FACILITY_USE
    return next((court.key for court in courts if path_of(type_, entry.entry_key, court.key) == path), "")


async def _read_day(visit: ConsoleVisit, timetable: Timetable, entry: TimetableEntry, day: date) -> Day:
    policy = visit.console.system.settings.policy
    around = surroundings_of(timetable.values(), policy, site_of(visit.seller))
    dates = DateRange(day, day + _DAY)
    span = dates.span(around.zone)
    parents = [item.path for item in undated_opportunities(entry, around)]
    found = await visit.execute(
        FindOccurrences(
            sources=frozenset({entry.source}),
            periods=frozenset(DatedChildren(parent, span.start, span.end) for parent in parents),
            actor=visit.actor,
        )
    )
    always_open = around._replace(closures=())
    wanted = {slot.path: slot for slot in occurrences(entry, always_open, dates)}
    venue = entry.rule.venue if isinstance(entry.rule, Facility) else ""
    closed = {
        path: around.closed_times(Where(venue, entry.key, _court_key(entry, path)), dates.widened())
        for path in _courts(entry)
    }
    return Day(entry, span, wanted, found, await _bookings(visit, day), closed)


async def _bookings(visit: ConsoleVisit, day: date) -> Mapping[str, Sequence[Booking]]:
    """Return the bookings of a day by the paths of the Slots."""
    since, until = day_bounds(day, visit.console.zone)
    query = OrderQuery(session_from=since, session_before=until)
    found: dict[str, list[Booking]] = defaultdict(list)
    async for record in read_rows(lambda after: visit.views.orders(query, after, _ROWS)):
        personal = record.order.personal
        name = person_name(personal.customer if personal else None) or "No name"
        path = order_path(record.key)
        for item, state in record.items():
            if not state.status.cancelled:
                found[item.opportunity.path].append(Booking(name, path, f"{path}/replace/{item.number}"))
    return found


def _rows(visit: ConsoleVisit, day: Day) -> list[tuple[datetime, list[tuple[str, list[Cell]]]]]:
    """Return the rows of the sheet: a start, and for each court its name and the Slots that start then."""
    stored = {path: slot for path, slot in day.found.opportunities.items() if slot.start and not slot.withdrawn}
    by_start: dict[datetime, dict[str, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    courts = _courts(day.entry)
    for path in sorted(day.wanted.keys() | stored.keys()):
        slot = stored.get(path) or day.wanted[path]
        if slot.start and slot.parent in courts and day.span.start <= slot.start < day.span.end:
            by_start[slot.start][slot.parent].append(_cell(visit, day, slot, stored))
    return [
        (start, [(name, sorted(cells[parent], key=lambda cell: cell.minutes)) for parent, name in courts.items()])
        for start, cells in sorted(by_start.items())
    ]


def _cell(visit: ConsoleVisit, day: Day, slot: Opportunity, stored: Mapping[str, Opportunity]) -> Cell:
    start, end = visit.local(slot.start or visit.now), visit.local(slot.end or visit.now)
    bookings = day.bookings.get(slot.path, ())
    free = _free(day, slot, stored.values())
    fields = {
        "entry": day.entry.key,
        "court": _court_key(day.entry, slot.parent or ""),
        "start": f"{start:%Y-%m-%dT%H:%M}",
        "end": f"{end:%Y-%m-%dT%H:%M}",
    }
    return Cell(
        slot=slot,
        minutes=round((end - start) / timedelta(minutes=1)),
        state=_state(visit, day, slot, is_stored=slot.path in stored, is_booked=bool(bookings), free=free),
        free=free,
        bookings=bookings,
        register_path=OpportunityPage.REGISTER.path(slot.path),
        desk_path=OpportunityPage.DESK.path(slot.path),
        close_path=f"{CLOSE_PATH}?{urlencode(fields)}",
    )


def _free(day: Day, slot: Opportunity, stored: Iterable[Opportunity]) -> int | None:
    """Return how many uses of a Slot are free, if those of overlapping Slots of its court are taken, too."""
    time = slot.court_time
    if slot.capacity is None or time is None:
        return slot.capacity
    taken = [
        (other.court_time, Spaces(booked=day.found.booked.get(other.path, 0)))
        for other in stored
        if other.court_time and other.court_time.overlaps(time)
    ]
    return max(slot.capacity - busiest_spaces(time, taken).booked, 0)


def _state(  # noqa: PLR0913 - the facts on which the state depends
    visit: ConsoleVisit, day: Day, slot: Opportunity, *, is_stored: bool, is_booked: bool, free: int | None
) -> SlotState:
    time = TimeSpan(slot.start or visit.now, slot.end or visit.now)
    states = (
        (is_booked and slot.takes_place, SlotState.BOOKED),
        (time.end <= visit.now, SlotState.OVER),
        (any(time.overlaps(each) for each in day.closed[slot.parent or ""]), SlotState.CLOSED),
        (not slot.takes_place, SlotState.CANCELLED),
        (not is_stored, SlotState.NOT_YET),
        (slot.sale is not SaleState.ON_SALE, SlotState.OFF_SALE),
        (free == 0, SlotState.TAKEN),
    )
    return next((state for applies, state in states if applies), SlotState.FREE)
