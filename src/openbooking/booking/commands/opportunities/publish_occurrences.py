"""Publishes the occurrences of one entry of a timetable for some dates, and removes those that follow it no more.

`openbooking.timetable` makes the batches, and executes them until nothing is due.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from typing import ClassVar

import msgspec
from msgspec.structs import replace

from openbooking.booking.command import BaseCommand, Decision
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.withdraw import withdrawal
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Opportunity, SaleState, Seller
from openbooking.booking.model.situation import (
    Change,
    DatedChildren,
    EntrySet,
    Needs,
    OpportunitySet,
    Situation,
    evolve_all,
)
from openbooking.booking.model.timetable import NO_END, EntryKey, TimetableEntry
from openbooking.booking.rules.opportunities.planned_times import is_moved
from openbooking.booking.store import join_needs

TIMETABLE = Actor(ActorKind.SYSTEM, "timetable")


class DueTimetable(msgspec.Struct, frozen=True):
    """An entry with dates to publish, its Seller, and the whole timetable of the Seller."""

    seller: Seller
    entry: TimetableEntry
    timetable: Mapping[EntryKey, TimetableEntry]


class GetDueTimetable(BaseCommand, frozen=True):
    """Return an entry with dates to publish, with the timetable of its Seller; None if no entry is due."""

    @property
    def actor(self) -> Actor:
        """The timetable."""
        return TIMETABLE

    def needs(self) -> Needs:
        """Return the timetable of one Seller with an entry that is due."""
        return Needs(due_timetable=True, likely_read_only=True)

    def decide(self, situation: Situation) -> Decision[DueTimetable | None]:
        """Return the entry that is due first."""
        last = situation.policy.last_published_date(situation.now)
        dates = {key: entry.next_date for key, entry in situation.timetable.items()}
        due = sorted((day, key) for key, day in dates.items() if day is not None and day <= last)
        if not due:
            return Decision(reply=None)
        key = due[0][1]
        return Decision(
            reply=DueTimetable(situation.sellers[key.seller], situation.timetable[key], situation.timetable)
        )


class NoteTimetableFault(BaseCommand, frozen=True, kw_only=True):
    """Store the reason why an entry cannot be published. It is not due any more until somebody changes it.

    Attributes:
        entry: The entry, as it was when it could not be published.
        fault: The reason.
    """

    stores_more: ClassVar[bool] = True

    entry: TimetableEntry
    fault: str

    @property
    def actor(self) -> Actor:
        """The timetable."""
        return TIMETABLE

    def needs(self) -> Needs:
        """Return the timetable of the Seller."""
        return Needs(timetables=frozenset({self.entry.seller}))

    def decide(self, situation: Situation) -> Decision[None]:
        """Store the reason, unless the entry has changed."""
        key = self.entry.entry_key
        if situation.timetable.get(key) != self.entry:
            return Decision(reply=None)
        return Decision(reply=None, changes=(EntrySet(key, replace(self.entry, fault=self.fault)),))


class OccurrenceBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The occurrences of one entry for some dates.

    Attributes:
        entry: The entry, as it was when the batch was made.
        opportunities: The Opportunities, and in the first batch of a revision their parents.
        periods: The stored occurrences in these periods that are not among `opportunities` follow the entry no more.
        undated: The paths of stored Opportunities that may follow the entry no more, and are not found by a period.
        retired: The paths of parents that have no coming occurrences any more; they leave the open feeds.
        until: The dates before this one are published afterwards. None if another part of these dates follows.
    """

    entry: TimetableEntry
    opportunities: tuple[Opportunity, ...] = ()
    periods: frozenset[DatedChildren] = frozenset()
    undated: frozenset[str] = frozenset()
    retired: frozenset[str] = frozenset()
    until: date | None = NO_END


class BatchOutcome(msgspec.Struct, frozen=True):
    """The outcome of a batch.

    Attributes:
        is_done: Whether the batch was published. If not, and the other fields are empty, the entry has changed or
            another process has published the batch.
        to_remove: The paths of stored occurrences that follow the entry no more. The command must name them.
        booked: Those that have bookings. The caller cancels them first (`CancelOpportunity`).
    """

    is_done: bool
    to_remove: frozenset[str] = frozenset()
    booked: frozenset[str] = frozenset()


class PublishOccurrences(BaseCommand, frozen=True, kw_only=True):
    """Publish a batch of occurrences, or nothing.

    Attributes:
        batch: The batch.
        remove: The paths of the stored occurrences that follow the entry no more.
    """

    stores_more: ClassVar[bool] = True

    batch: OccurrenceBatch
    remove: frozenset[str] = frozenset()

    @property
    def actor(self) -> Actor:
        """The timetable."""
        return TIMETABLE

    def needs(self) -> Needs:
        """Return the timetable, the stored occurrences, and the records that claim those to be removed."""
        own = Needs(
            timetables=frozenset({self.batch.entry.seller}),
            dated_children=self.batch.periods,
            opportunities=self.batch.undated | self.batch.retired | self.remove,
            claims_on=self.remove,
        )
        return join_needs([own, self._publication().needs()])

    def decide(self, situation: Situation) -> Decision[BatchOutcome]:
        """Publish and remove occurrences, and note the dates as published.

        Nothing changes if an occurrence that is to be removed is not named, or has bookings.
        """
        entry = self.batch.entry
        if situation.timetable.get(entry.entry_key) != entry:
            return Decision(reply=BatchOutcome(is_done=False))
        gone = self._outdated(situation)
        booked = frozenset(path for path in gone if situation.spaces_of(path).booked)
        if booked or not gone <= self.remove:
            return Decision(reply=BatchOutcome(is_done=False, to_remove=gone, booked=booked))
        changes = list(self._publication(self._moved_paths(situation)).decide(situation).changes)
        changes += withdrawal(evolve_all(situation, changes), gone, self.stamp(situation))
        changes += self._retirement(situation)
        if self.batch.until is not None:
            changes.append(EntrySet(entry.entry_key, self._entry_after(self.batch.until)))
        return Decision(reply=BatchOutcome(is_done=True), changes=tuple(changes))

    def _publication(self, moved: AbstractSet[str] = frozenset()) -> Publish:
        made = tuple(opportunity for opportunity in self.batch.opportunities if opportunity.path not in moved)
        return Publish(made, keep_cancelled_here=True, actor=self.actor)

    def _moved_paths(self, situation: Situation) -> set[str]:
        """Return the paths of the occurrences that staff has moved. They stay where they are until the entry ends."""
        if self.batch.entry.ended:
            return set()
        return {path for path, member in situation.opportunities.items() if is_moved(member)}

    def _entry_after(self, until: date) -> TimetableEntry | None:
        """Return the entry after the batch; None if it has ended, and nothing of it is left to remove."""
        entry = self.batch.entry
        if entry.ended and until == NO_END:
            return None
        return replace(entry, published_until=until, former_courts=() if self.batch.retired else entry.former_courts)

    def _outdated(self, situation: Situation) -> frozenset[str]:
        """Return the coming occurrences that follow the entry no more. Cancelled ones stay until they are over."""
        wanted = {opportunity.path for opportunity in self.batch.opportunities} | self._moved_paths(situation)
        return frozenset(
            path
            for path, member in situation.opportunities.items()
            if member.source == self.batch.entry.source
            and path not in wanted
            and (path in self.batch.undated or self._is_in_period(member))
            and not (member.is_over(situation.now) or member.cancelled_here or member.withdrawn)
        )

    def _is_in_period(self, member: Opportunity) -> bool:
        return member.start is not None and any(
            member.parent == period.parent and period.since <= member.start < period.until
            for period in self.batch.periods
        )

    def _retirement(self, situation: Situation) -> list[Change]:
        """Return the changes by which parents without coming occurrences leave the open feeds."""
        known = [situation.opportunities[path] for path in sorted(self.batch.retired & situation.opportunities.keys())]
        return [OpportunitySet(replace(parent, sale=SaleState.OVER)) for parent in known]
