"""The effect that a change of a timetable will have on what is on sale and on bookings, before it is made."""

import asyncio
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from openbooking.back_office.plans.cancellations import cancellation_effect
from openbooking.booking.commands.opportunities.find_opportunities import FindOccurrences, FoundOccurrences
from openbooking.booking.model.errors import NothingToCancelError
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.situation import DatedChildren
from openbooking.booking.model.timetable import TimetableEntry
from openbooking.booking.store import Store
from openbooking.openactive.errors import NotFoundError
from openbooking.timetable.changes import TimetableChanges, compare
from openbooking.timetable.edits import TimetableEdit
from openbooking.timetable.occurrences import occurrences, undated_opportunities
from openbooking.timetable.surroundings import Surroundings, surroundings_of
from openbooking.timetable.wall_clock import DateRange, start_of_day

_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


class EntryChanges(NamedTuple):
    """The changes of the Opportunities of one entry.

    Attributes:
        entry: The entry after the change; ended if it is removed.
        changes: The changes.
        parents: The stored Opportunities that are not made for dates, by path.
    """

    entry: TimetableEntry
    changes: TimetableChanges
    parents: Mapping[str, Opportunity]


class TimetableEffect(NamedTuple):
    """The effect of a change of a timetable.

    Attributes:
        entries: The entries with changes.
        bookings: The Orders and proposals that it cancels.
    """

    entries: tuple[EntryChanges, ...]
    bookings: frozenset[OrderKey]

    @property
    def added(self) -> tuple[Opportunity, ...]:
        """The Opportunities that it puts on sale."""
        return tuple(item for each in self.entries for item in each.changes.added)

    @property
    def removed(self) -> tuple[Opportunity, ...]:
        """The Opportunities that it takes off sale."""
        return tuple(item for each in self.entries for item in each.changes.removed)

    @property
    def cancelled(self) -> tuple[Opportunity, ...]:
        """The Opportunities with bookings among those that it takes off sale."""
        return tuple(item for each in self.entries for item in each.changes.removed_booked)

    @property
    def booked(self) -> Mapping[str, int]:
        """The numbers of booked spaces of the changed and removed Opportunities, by path."""
        return {path: spaces for each in self.entries for path, spaces in each.changes.booked.items()}

    @property
    def seen(self) -> str:
        """A digest of the affected bookings, by which a form is recognised that was made for other bookings."""
        told = [sorted(self.bookings), sorted(self.booked.items())]
        return hashlib.sha256(repr(told).encode()).hexdigest()


async def timetable_effect(store: Store, edit: TimetableEdit, policy: Policy, now: datetime) -> TimetableEffect:
    """Return the effect of a change, within the time for which occurrences are published.

    Args:
        store: The store.
        edit: The change.
        policy: The policy.
        now: The current time.
    """
    reader = _Reader(store, edit, policy, now)
    found = [await reader.changes_of(entry) for entry in edit.affected]
    entries = tuple(each for each in found if each.changes.published or each.changes.removed)
    bookings = [await reader.bookings_of(item) for each in entries for item in each.changes.removed_booked]
    return TimetableEffect(entries, frozenset(key for keys in bookings for key in keys))


class _Reader:
    """Compares what is stored with what the timetable makes after a change."""

    def __init__(self, store: Store, edit: TimetableEdit, policy: Policy, now: datetime) -> None:
        self._store, self._edit, self._policy, self._now = store, edit, policy, now
        self._before = surroundings_of(edit.stored.values(), policy, edit.site)
        self._after = surroundings_of(edit.after.values(), policy, edit.site)

    async def changes_of(self, entry: TimetableEntry) -> EntryChanges:
        """Return the changes of an entry.

        The stored Opportunities are read week by week, so that bookings wait a short time only.
        """
        former = self._edit.stored.get(entry.key, entry)
        today = self._now.astimezone(self._policy.time_zone).date()
        horizon = self._policy.last_published_date(self._now) + _DAY
        published = DateRange(today, max(horizon, former.reached or horizon))
        undated = (*undated_opportunities(former, self._before), *undated_opportunities(entry, self._after))
        parents = frozenset(item.path for item in undated)
        found: list[TimetableChanges] = []
        known: dict[str, Opportunity] = {}
        for week in _weeks(self._edit.dates_of(entry, published)):
            read = _Week(entry, self._after, week, frozenset() if found else parents)
            stored = await self._store.execute(self._read(read, parents))
            known |= {path: item for path, item in stored.opportunities.items() if path in parents}
            found.append(await asyncio.to_thread(read.compare, stored, self._now))
        return EntryChanges(entry, self._due(entry, _joined(found)), known)

    def _read(self, week: "_Week", parents: frozenset[str]) -> FindOccurrences:
        span = week.dates.span(self._after.zone)
        return FindOccurrences(
            sources=frozenset({week.entry.source}),
            paths=week.undated,
            periods=frozenset(DatedChildren(parent, span.start, span.end) for parent in parents),
            actor=self._edit.actor,
        )

    def _due(self, entry: TimetableEntry, changes: TimetableChanges) -> TimetableChanges:
        """Return the changes without the occurrences that would be added anyway, because they are not published yet."""
        if entry.published_until is None:
            return changes
        until = start_of_day(entry.published_until, self._after.zone)
        added = tuple(item for item in changes.added if not (_is_dated(item) and item.start and item.start >= until))
        return changes._replace(added=added)

    async def bookings_of(self, item: Opportunity) -> list[OrderKey]:
        """Return the keys of the Orders and proposals that the cancellation of an Opportunity concerns."""
        with suppress(NothingToCancelError, NotFoundError):
            effect = await cancellation_effect(self._store, item.path, self._edit.actor)
            return [booking.key for booking in effect.bookings]
        return []


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

    def compare(self, found: FoundOccurrences, now: datetime) -> TimetableChanges:
        """Return the changes from what was found to what the entry makes."""
        stored = (item for item in found.opportunities.values() if self._has(item))
        return compare(self._wanted(), stored, found.booked, now)

    def _wanted(self) -> Iterator[Opportunity]:
        """Yield the Opportunities that the entry makes."""
        if self.undated:
            yield from undated_opportunities(self.entry, self.around)
        yield from occurrences(self.entry, self.around, self.dates)

    def _has(self, item: Opportunity) -> bool:
        """Return whether a stored Opportunity belongs to the week. Overlapping Slots of other weeks do not."""
        span = self.dates.span(self.around.zone)
        is_in_week = item.start is not None and span.start <= item.start < span.end and _is_dated(item)
        return item.path in self.undated or is_in_week


def _is_dated(item: Opportunity) -> bool:
    """Return whether an Opportunity is made for a date."""
    return item.type.needs_parent


def _joined(found: Iterable[TimetableChanges]) -> TimetableChanges:
    """Return the changes of several weeks as one."""
    weeks = list(found)
    return TimetableChanges(
        added=tuple(item for week in weeks for item in week.added),
        changed=tuple(item for week in weeks for item in week.changed),
        removed=tuple(item for week in weeks for item in week.removed),
        booked={path: spaces for week in weeks for path, spaces in week.booked.items()},
    )
