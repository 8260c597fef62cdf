"""Publishes what is due of all timetables, in batches (`publish_due`).

A batch has the occurrences of some days. It is published in parts, so that bookings wait for a part a few milliseconds
only. Several processes may publish at the same time: a part that is published already changes nothing.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.publish_occurrences import (
    DueTimetable,
    GetDueTimetable,
    NoteTimetableFault,
    OccurrenceBatch,
    PublishOccurrences,
)
from openbooking.booking.model.errors import NothingToCancelError
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.situation import DatedChildren
from openbooking.booking.model.timetable import NO_END, Facility, TimetableEntry, WeeklyClass
from openbooking.booking.store import Store
from openbooking.openactive.errors import OpenBookingError
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.timetable.identity import path_of
from openbooking.timetable.occurrences import occurrences, undated_opportunities
from openbooking.timetable.surroundings import Surroundings, site_of, surroundings_of
from openbooking.timetable.wall_clock import DateRange

# A batch ends after the day with which it has this number of occurrences. A day of ten courts has some 500.
MOST_OCCURRENCES = 100
# A part ends after the start with which it has this number of occurrences of a class or court. Others wait for a part,
# which takes some twenty milliseconds.
MOST_IN_A_PART = 20
_DAY = timedelta(days=1)
# The fault of an entry of which no batch can be made, for people.
SOFTWARE_FAULT = (
    "The software failed on this entry; its log says why. Tell the people who run it. It tries again when the entry is "
    "changed."
)
# An occurrence can be booked while its batch is published. It is then cancelled, and the batch is tried again.
_ATTEMPTS = 5
_UNDATED_TYPES = (OpportunityType.EVENT, OpportunityType.COURSE_INSTANCE, OpportunityType.ON_DEMAND_EVENT)


class PublishedPart(NamedTuple):
    """A part of a batch that was published, or an entry that cannot be published.

    Attributes:
        entry: The entry.
        fault: A fault of the software because of which no batch could be made of the entry, for the log.
    """

    entry: TimetableEntry
    fault: Exception | None = None


async def publish_due(store: Store, policy: Policy, clock: Callable[[], datetime]) -> AsyncIterator[PublishedPart]:
    """Publish batches until nothing is due; yield after each part, so that the caller can pause.

    An entry that cannot be published keeps its fault until it is changed, and does not keep back the others.
    """
    while (due := await store.execute(GetDueTimetable())) is not None:
        try:
            parts = parts_of(next_batch(due, policy, clock()))
        except Exception as fault:  # noqa: BLE001 - no store is used here, and the other entries must be published
            await store.execute(NoteTimetableFault(entry=due.entry, fault=SOFTWARE_FAULT))
            yield PublishedPart(due.entry, fault)
            continue
        for part in parts:
            try:
                is_done = await _publish(store, part)
            except OpenBookingError as fault:
                await store.execute(NoteTimetableFault(entry=due.entry, fault=str(fault)))
                is_done = False
            yield PublishedPart(due.entry)
            if not is_done:
                break


async def _publish(store: Store, batch: OccurrenceBatch) -> bool:
    """Publish a batch, and return whether it is published; False if the entry has changed.

    Occurrences that are booked and follow the entry no more are cancelled before.
    """
    remove: frozenset[str] = frozenset()
    for _ in range(_ATTEMPTS):
        outcome = await store.execute(PublishOccurrences(batch=batch, remove=remove))
        if outcome.is_done:
            return True
        for path in sorted(outcome.booked):
            await _cancel(store, path, batch.entry)
        remove = outcome.to_remove
    return False


async def _cancel(store: Store, path: str, entry: TimetableEntry) -> None:
    command = CancelOpportunity(opportunity=path, message=entry.message, actor=entry.changed_by)
    try:
        await store.execute(command)
    except NothingToCancelError:
        # Another process has cancelled it, or it has ended.
        return


def next_batch(due: DueTimetable, policy: Policy, now: datetime) -> OccurrenceBatch:
    """Return the next batch of an entry that is due.

    Dates in the past are not published, so that a system that was stopped for a month continues with today.

    Args:
        due: The entry, and the timetable of its Seller.
        policy: The policy.
        now: The current time.
    """
    entry, around = due.entry, surroundings_of(due.timetable.values(), policy, site_of(due.seller))
    if not isinstance(entry.rule, WeeklyClass | Facility):
        made = tuple(undated_opportunities(entry, around))
        undated = frozenset(path_of(type_, entry.entry_key) for type_ in _UNDATED_TYPES)
        return OccurrenceBatch(entry=entry, opportunities=made, undated=undated)
    today = now.astimezone(around.zone).date()
    since = max(entry.published_until or today, today)
    horizon = max(policy.last_published_date(now) + _DAY, since, entry.stored_until or since)
    found, until = _next_occurrences(entry, around, DateRange(since, horizon))
    parents = () if entry.published_until else tuple(undated_opportunities(entry, around))
    is_last = until == horizon and (entry.ended or (entry.ends_before is not None and entry.ends_before <= horizon))
    span = DateRange(since, until).span(around.zone)
    return OccurrenceBatch(
        entry=entry,
        opportunities=(*parents, *(member for member in found if not member.is_over(now))),
        periods=frozenset(DatedChildren(parent, span.start, span.end) for parent in _parents(entry)),
        retired=_retired(entry) if until == horizon else frozenset(),
        until=NO_END if is_last else until,
    )


def parts_of(batch: OccurrenceBatch) -> list[OccurrenceBatch]:
    """Return batches that together publish and remove what this batch does. The last one notes the dates.

    The first part has the parents. A part has about `MOST_IN_A_PART` occurrences. A court without occurrences, whose
    stored ones are removed, has a part of its own.
    """
    dated: dict[str, list[Opportunity]] = {period.parent: [] for period in batch.periods}
    undated: list[Opportunity] = []
    for member in batch.opportunities:
        (dated[member.parent] if member.parent in dated and member.start else undated).append(member)
    parts = [replace(batch, opportunities=tuple(undated), periods=frozenset(), retired=frozenset(), until=None)]
    for period in sorted(batch.periods):
        for piece, members in _divide(period, dated[period.parent]):
            last = parts[-1]
            is_full = last.opportunities and len(last.opportunities) + len(members) > MOST_IN_A_PART
            if is_full or (last.periods and not members):
                parts.append(OccurrenceBatch(entry=batch.entry, until=None))
            last = parts[-1]
            together = last.opportunities + members
            parts[-1] = replace(last, opportunities=together, periods=last.periods | {piece})
    return [*parts[:-1], replace(parts[-1], retired=batch.retired, until=batch.until)]


def _divide(
    period: DatedChildren, members: list[Opportunity]
) -> Iterator[tuple[DatedChildren, tuple[Opportunity, ...]]]:
    """Yield parts of a period that meet without gap, each with the occurrences that start in it."""
    by_start: dict[datetime, list[Opportunity]] = {}
    for member in members:
        if member.start:
            by_start.setdefault(member.start, []).append(member)
    since, part = period.since, list[Opportunity]()
    for start in sorted(by_start):
        if len(part) >= MOST_IN_A_PART:
            yield period._replace(since=since, until=start), tuple(part)
            since, part = start, []
        part += by_start[start]
    yield period._replace(since=since), tuple(part)


def _next_occurrences(entry: TimetableEntry, around: Surroundings, dates: DateRange) -> tuple[list[Opportunity], date]:
    """Return the occurrences of the first of these days, and the day after the last of them.

    A facility without Slots on a day is closed or removed. The stored Slots of this day may be many, so the day is the
    last one.
    """
    found: list[Opportunity] = []
    day = dates.first
    step = _DAY if isinstance(entry.rule, Facility) else 28 * _DAY
    while day < dates.until and len(found) < MOST_OCCURRENCES:
        end = min(day + step, dates.until)
        made = list(occurrences(entry, around, DateRange(day, end)))
        found += made
        day = end
        if not made and isinstance(entry.rule, Facility):
            break
    return found, day


def _parents(entry: TimetableEntry) -> Iterator[str]:
    """Yield the paths of the parents of all occurrences that the entry has, or had before its last change."""
    if isinstance(entry.rule, WeeklyClass):
        yield path_of(OpportunityType.SESSION_SERIES, entry.entry_key)
    elif isinstance(entry.rule, Facility):
        yield path_of(OpportunityType.FACILITY_USE, entry.entry_key)
        for court in (*(court.key for court in entry.rule.courts), *entry.former_courts):
            yield path_of(OpportunityType.INDIVIDUAL_FACILITY_USE, entry.entry_key, court)


def _retired(entry: TimetableEntry) -> frozenset[str]:
    """Return the paths of the parents that leave the open feeds when all dates of the entry are published."""
    if entry.ended:
        return frozenset(_parents(entry))
    return frozenset(
        path_of(OpportunityType.INDIVIDUAL_FACILITY_USE, entry.entry_key, court) for court in entry.former_courts
    )
