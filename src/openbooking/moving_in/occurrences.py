"""Finds the Opportunity that a row of a file of bookings names."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from openbooking.booking.commands.opportunities.find_opportunities import FindOccurrences, FoundOccurrences
from openbooking.booking.commands.opportunities.timetable import GetTimetable
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.opportunity import Opportunity, parents_among
from openbooking.booking.model.situation import DatedChildren
from openbooking.booking.model.timetable import (
    Course,
    EntryKey,
    Event,
    Facility,
    OnDemandItem,
    TimetableEntry,
    WeeklyClass,
)
from openbooking.booking.store import Store
from openbooking.moving_in.columns import BookingRow, RowFault
from openbooking.openactive.ids import is_opportunity_path, type_of_path
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.timetable.files.shapes import kind_of
from openbooking.timetable.identity import path_of
from openbooking.timetable.wall_clock import instant, start_of_day

_INSTANT = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_WHOLE: dict[type, OpportunityType] = {
    Event: OpportunityType.EVENT,
    Course: OpportunityType.COURSE_INSTANCE,
    OnDemandItem: OpportunityType.ON_DEMAND_EVENT,
}


class Place(NamedTuple):
    """The place of an occurrence in the catalogue.

    Attributes:
        path: The path of the Opportunity, or of the parent of its occurrences.
        has_occurrences: Whether the path is that of a parent.
    """

    path: str
    has_occurrences: bool


class FoundRow(NamedTuple):
    """A row with the Opportunity that it names, and with its parents, nearest first."""

    row: BookingRow
    opportunity: Opportunity
    parents: tuple[Opportunity, ...]


class OccurrenceFinder:
    """Finds the Opportunities of the rows of one Seller.

    Args:
        store: The store.
        seller: The key of the Seller.
        zone: The time zone of the wall clock.
        now: The present time.
        actor: The reader.
    """

    def __init__(self, store: Store, seller: str, zone: ZoneInfo, now: datetime, actor: Actor) -> None:
        self._store, self._seller, self._zone, self._now, self._actor = store, seller, zone, now, actor

    async def find(self, rows: Sequence[BookingRow]) -> tuple[list[FoundRow], list[RowFault]]:
        """Return the rows with their Opportunities, and the faults of the rows without one."""
        timetable = await self._store.execute(GetTimetable(seller=self._seller, actor=self._actor))
        faults: list[RowFault] = []
        placed: list[tuple[BookingRow, Place]] = []
        for row in rows:
            with _collecting(faults, row):
                placed.append((row, _place(row, EntryKey(self._seller, row.what), timetable)))
        stored = await self._store.execute(
            FindOccurrences(
                paths=frozenset(place.path for _, place in placed),
                periods=frozenset(self._periods(placed)),
                actor=self._actor,
            )
        )
        own = self._own(stored)
        found: list[FoundRow] = []
        missed: list[tuple[int, datetime, Place]] = []
        for row, place in placed:
            with _collecting(faults, row):
                opportunity = self._choose(row, place, own)
                if opportunity is not None:
                    found.append(FoundRow(row, opportunity, parents_among(own, opportunity)))
                elif row.start:
                    missed.append((row.line, row.start, place))
        return found, [*faults, *await self._missed_starts(missed)]

    def _own(self, stored: FoundOccurrences) -> dict[str, Opportunity]:
        known = stored.opportunities.items()
        return {path: member for path, member in known if member.seller == self._seller and not member.withdrawn}

    async def _missed_starts(self, missed: Sequence[tuple[int, datetime, Place]]) -> list[RowFault]:
        """Return the faults of rows at whose start nothing starts. They name other starts of the day.

        Args:
            missed: The line of each row, its start on the wall clock, and the parent of its occurrence.
        """
        if not missed:
            return []
        days = [self._day_of(start, place) for _, start, place in missed]
        stored = await self._store.execute(FindOccurrences(periods=frozenset(days), actor=self._actor))
        own = self._own(stored).values()
        return [
            RowFault(line, "start", self._missed_start(instant(start, self._zone), day, own))
            for (line, start, _), day in zip(missed, days, strict=True)
        ]

    def _day_of(self, start: datetime, place: Place) -> DatedChildren:
        first = start_of_day(start.date(), self._zone)
        return DatedChildren(place.path, first, start_of_day(start.date() + _DAY, self._zone))

    def _missed_start(self, wanted: datetime, day: DatedChildren, known: Iterable[Opportunity]) -> str:
        if wanted < self._now:
            return "It is in the past. Past dates cannot be booked."
        starts = {each.start for each in known if each.parent == day.parent and each.start}
        on_day = [start for start in starts if day.since <= start < day.until]
        if not on_day:
            return (
                "Nothing that is published takes place on this day."
                " `openbooking timetable list` shows how far ahead the timetable is published."
            )
        nearest = sorted(sorted(on_day, key=lambda start: abs(start - wanted))[:2])
        times = " and ".join(f"{start.astimezone(self._zone):%H:%M}" for start in nearest)
        return f"Nothing starts then. The nearest starts of the day: {times}."

    def _periods(self, placed: Sequence[tuple[BookingRow, Place]]) -> Iterator[DatedChildren]:
        for row, place in placed:
            if place.has_occurrences and row.start:
                start = instant(row.start, self._zone)
                yield DatedChildren(place.path, start, start + _INSTANT)

    def _choose(self, row: BookingRow, place: Place, known: Mapping[str, Opportunity]) -> Opportunity | None:
        """Return the Opportunity of a row, or None if nothing starts then; raise _NotFoundError for other faults."""
        if place.path not in known:
            raise _NotFoundError("what", "Nothing is published under this name yet. Start the server, and wait for it.")
        start = instant(row.start, self._zone) if row.start else None
        if not place.has_occurrences:
            opportunity = known[place.path]
            if start and opportunity.start != start:
                raise _NotFoundError("start", f"It starts at {self._local(opportunity.start)}.")
            return opportunity
        starting = [each for each in known.values() if each.parent == place.path and each.start == start]
        if not starting:
            return None
        fitting = [each for each in starting if row.minutes in (None, _minutes_of(each))]
        if len(fitting) != 1:
            lengths = ", ".join(map(str, sorted(map(_minutes_of, starting))))
            raise _NotFoundError("minutes", f"Give the length of what starts then: {lengths}.")
        return fitting[0]

    def _local(self, at: datetime | None) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M}" if at else "any time"


def _minutes_of(opportunity: Opportunity) -> int:
    if opportunity.start is None or opportunity.end is None:
        return 0
    return round((opportunity.end - opportunity.start) / timedelta(minutes=1))


def _place(row: BookingRow, name: EntryKey, timetable: Mapping[EntryKey, TimetableEntry]) -> Place:
    """Return the place that a name in the column `what` means; raise _NotFoundError if it means none."""
    if is_opportunity_path(name.key):
        place = Place(name.key, has_occurrences=not type_of_path(name.key).bookable)
    else:
        place = _entry_place(name, timetable)
    if place.has_occurrences and row.start is None:
        raise _NotFoundError("start", "Give the start.")
    return place


def _entry_place(name: EntryKey, timetable: Mapping[EntryKey, TimetableEntry]) -> Place:
    key, _, court = name.key.partition("/")
    entry = timetable.get(EntryKey(name.seller, key))
    if entry is None or entry.ended:
        raise _NotFoundError("what", _unknown_key(name, timetable))
    if isinstance(entry.rule, Facility):
        return _facility(entry.entry_key, entry.rule, court)
    if court:
        raise _NotFoundError("what", f"{key} has no courts.")
    if isinstance(entry.rule, WeeklyClass):
        return Place(path_of(OpportunityType.SESSION_SERIES, entry.entry_key), has_occurrences=True)
    if type(entry.rule) not in _WHOLE:
        raise _NotFoundError("what", f"{key} is a {kind_of(entry.rule)}, which cannot be booked.")
    return Place(path_of(_WHOLE[type(entry.rule)], entry.entry_key), has_occurrences=False)


def _unknown_key(name: EntryKey, timetable: Mapping[EntryKey, TimetableEntry]) -> str:
    similar = [key.key for key, entry in timetable.items() if key.key.startswith(name.key) and not entry.ended]
    if name.key and len(similar) == 1:
        return f"The timetable has no such key. Did you mean {similar[0]}?"
    return "It is no key in `openbooking timetable list`, and not the path of an Opportunity."


def _facility(key: EntryKey, rule: Facility, court: str) -> Place:
    courts = [each.key for each in rule.courts]
    if not courts and not court:
        return Place(path_of(OpportunityType.FACILITY_USE, key), has_occurrences=True)
    if court not in courts:
        choices = ", ".join(f"{key.key}/{each}" for each in courts) or key.key
        raise _NotFoundError("what", f"Give one of {choices}.")
    return Place(path_of(OpportunityType.INDIVIDUAL_FACILITY_USE, key, court), has_occurrences=True)


class _NotFoundError(Exception):
    """A row names no Opportunity. The arguments are the column and the text of the fault."""


@contextmanager
def _collecting(faults: list[RowFault], row: BookingRow) -> Iterator[None]:
    """Add the fault of a row to the list, and go on."""
    try:
        yield
    except _NotFoundError as fault:
        column, text = fault.args
        faults.append(RowFault(row.line, column, text))
