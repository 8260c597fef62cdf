"""The effect that a changed entry will have on what is on sale and on bookings, before it is saved."""

import asyncio
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from openbooking.booking.commands.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.find_opportunities import FindOccurrences, FoundOccurrences
from openbooking.booking.commands.preview import Preview
from openbooking.booking.commands.timetable import has_occurrences
from openbooking.booking.model.errors import NothingToCancelError
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.situation import DatedChildren
from openbooking.booking.model.timetable import Closure, Described, EntryKey, TimetableEntry, TimetableRule, Venue
from openbooking.booking.rules.cancellation_effects import cancelled_bookings
from openbooking.openactive.errors import NotFoundError
from openbooking.timetable.changes import TimetableChanges, compare
from openbooking.timetable.occurrences import occurrences, undated_opportunities
from openbooking.timetable.surroundings import Surroundings, site_of, surroundings_of
from openbooking.timetable.wall_clock import DateRange
from openbooking.web.console.console import ConsoleVisit

Timetable = Mapping[EntryKey, TimetableEntry]
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


class EntryChanges(NamedTuple):
    """The changes of the Opportunities of one entry."""

    entry: TimetableEntry
    changes: TimetableChanges


class Effect(NamedTuple):
    """The effect of a changed entry.

    Attributes:
        entries: The entries with changes.
        bookings: The Orders and proposals that it cancels.
    """

    entries: tuple[EntryChanges, ...]
    bookings: frozenset[OrderKey]

    @property
    def added(self) -> tuple[Opportunity, ...]:
        """The Opportunities that it puts on sale."""
        return tuple(item for _, changes in self.entries for item in changes.added)

    @property
    def removed(self) -> tuple[Opportunity, ...]:
        """The Opportunities that it takes off sale."""
        return tuple(item for _, changes in self.entries for item in changes.removed)

    @property
    def booked(self) -> Mapping[str, int]:
        """The numbers of booked spaces of the changed and removed Opportunities, by path."""
        return {path: spaces for _, changes in self.entries for path, spaces in changes.booked.items()}

    @property
    def seen(self) -> str:
        """A digest of the affected bookings, by which a form is recognised that was made for other bookings."""
        told = [sorted(self.bookings), sorted(self.booked.items())]
        return hashlib.sha256(repr(told).encode()).hexdigest()


async def effect_of(visit: ConsoleVisit, timetable: Timetable, after: TimetableEntry) -> Effect:
    """Return the effect of an entry on what is on sale, within the time for which occurrences are published.

    Args:
        visit: The visit.
        timetable: The stored timetable of the Seller.
        after: The entry as it will be stored; ended if it will be removed.
    """
    policy = visit.console.system.settings.policy
    before = timetable.get(after.entry_key)
    coming = {**timetable, after.entry_key: after}
    site = site_of(visit.seller)
    around, former = surroundings_of(coming.values(), policy, site), surroundings_of(timetable.values(), policy, site)
    dates = _dates(before, after, DateRange(visit.today, visit.today + policy.publish_ahead + _DAY))
    concerned = [entry for entry in coming.values() if _is_concerned(entry, before, after)]
    entries = [await _changes(visit, entry, timetable, (former, around), dates) for entry in concerned]
    entries = [each for each in entries if each.changes.published or each.changes.removed]
    paths = (item.path for each in entries for item in each.changes.removed_booked)
    return Effect(tuple(entries), frozenset([key for path in paths for key in await _bookings(visit, path)]))


async def _changes(
    visit: ConsoleVisit,
    entry: TimetableEntry,
    timetable: Timetable,
    around: tuple[Surroundings, Surroundings],
    dates: DateRange,
) -> EntryChanges:
    """Return the changes of one entry from its surroundings now to those afterwards.

    The stored Opportunities are read week by week, so that bookings wait a short time only.
    """
    former, coming = around
    before = timetable.get(entry.entry_key, entry)
    parents = frozenset(item.path for each in (before, entry) for item in undated_opportunities(each, former))
    found: list[TimetableChanges] = []
    for number, week in enumerate(_weeks(dates)):
        span = week.span(coming.zone)
        stored = await visit.execute(
            FindOccurrences(
                sources=frozenset({entry.source}),
                paths=frozenset() if number else parents,
                periods=frozenset(DatedChildren(parent, span.start, span.end) for parent in parents),
                actor=visit.actor,
            )
        )
        own = frozenset[str]() if number else parents
        found.append(await asyncio.to_thread(_compare, visit, _Week(entry, coming, week, own), stored))
    return EntryChanges(entry, _joined(found))


def _weeks(dates: DateRange) -> Iterator[DateRange]:
    """Yield the dates in ranges of a week at most; one empty range if there are none."""
    day = dates.first
    while day < dates.until or day == dates.first:
        yield DateRange(day, min(day + _WEEK, dates.until))
        day += _WEEK


class _Week(NamedTuple):
    """A week of an entry.

    Attributes:
        entry: The entry.
        around: Its surroundings.
        dates: The days.
        undated: The paths of its Opportunities that are not made for dates; none except for the first week.
    """

    entry: TimetableEntry
    around: Surroundings
    dates: DateRange
    undated: frozenset[str]

    def wanted(self) -> Iterator[Opportunity]:
        """Yield the Opportunities that the entry makes."""
        if self.undated:
            yield from undated_opportunities(self.entry, self.around)
        yield from occurrences(self.entry, self.around, self.dates)

    def has(self, item: Opportunity) -> bool:
        """Return whether a stored Opportunity belongs to the week. Overlapping Slots of other weeks do not."""
        span = self.dates.span(self.around.zone)
        is_in_week = item.start is not None and span.start <= item.start < span.end and item.type.needs_parent
        return item.path in self.undated or is_in_week


def _compare(visit: ConsoleVisit, week: _Week, found: FoundOccurrences) -> TimetableChanges:
    stored = (item for item in found.opportunities.values() if week.has(item))
    return compare(week.wanted(), stored, found.booked, visit.console.system.clock())


def _joined(found: Iterable[TimetableChanges]) -> TimetableChanges:
    """Return the changes of several weeks as one."""
    weeks = list(found)
    return TimetableChanges(
        added=tuple(item for week in weeks for item in week.added),
        changed=tuple(item for week in weeks for item in week.changed),
        removed=tuple(item for week in weeks for item in week.removed),
        booked={path: spaces for week in weeks for path, spaces in week.booked.items()},
    )


def _is_concerned(entry: TimetableEntry, before: TimetableEntry | None, after: TimetableEntry) -> bool:
    """Return whether the changed entry concerns the Opportunities of an entry."""
    if not has_occurrences(entry):
        return False
    if has_occurrences(after):
        return entry.entry_key == after.entry_key
    rules = [each.rule for each in (before, after) if each]
    return not entry.ended and any(_names(rule, after.key, entry) for rule in rules)


def _names(rule: TimetableRule, key: str, entry: TimetableEntry) -> bool:
    venue = entry.rule.venue if isinstance(entry.rule, Described) else ""
    if isinstance(rule, Venue):
        return venue == key
    return isinstance(rule, Closure) and rule.venue in ("", venue) and rule.entry in ("", entry.key)


def _dates(before: TimetableEntry | None, after: TimetableEntry, horizon: DateRange) -> DateRange:
    """Return the dates on which the entry changes something: those of closures, or all that are published."""
    rules: Iterable[TimetableRule] = (each.rule for each in (before, after) if each)
    spans = list(_closed_dates(rules, horizon))
    if not spans:
        return horizon
    first, until = min(span.first for span in spans), max(span.until for span in spans)
    return DateRange(min(max(first, horizon.first), horizon.until), max(min(until, horizon.until), horizon.first))


def _closed_dates(rules: Iterable[TimetableRule], horizon: DateRange) -> Iterator[DateRange]:
    for rule in rules:
        if isinstance(rule, Closure) and rule.start and rule.end:
            yield DateRange(_before(rule.start.date()), rule.end.date() + _DAY)
        elif isinstance(rule, Closure):
            yield horizon


def _before(day: date) -> date:
    """Return the day before: an occurrence of the night before can reach into a closure."""
    return day - _DAY


async def _bookings(visit: ConsoleVisit, path: str) -> list[OrderKey]:
    """Return the keys of the Orders and proposals that the cancellation of an Opportunity concerns."""
    command = CancelOpportunity(opportunity=path, actor=visit.actor)
    try:
        previewed = await visit.execute(Preview(command=command, actor=visit.actor))
    except (NothingToCancelError, NotFoundError):
        return []
    return [booking.key for booking in cancelled_bookings(previewed.changes)]
