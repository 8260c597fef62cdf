"""Commands that store and remove the entries of a Seller's timetable.

They change no Opportunity. The upkeep publishes the Opportunities afterwards, in batches
(`commands.publish_occurrences`).
"""

from collections.abc import Mapping
from typing import ClassVar

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.errors import TimetableChangedError, UsedByTimetableError
from openbooking.booking.model.situation import Change, EntrySet, Needs, Situation
from openbooking.booking.model.timetable import (
    NO_END,
    Closure,
    EntryKey,
    Facility,
    TimetableEntry,
    TimetableRule,
    Venue,
)
from openbooking.openactive.errors import NotFoundError, SellerNotFoundError


class EntryCommand(ActorCommand, frozen=True, kw_only=True):
    """The base of the commands about one entry of a timetable.

    Attributes:
        key: The key of the entry.
        seen: The revision that the caller has seen; None for a new entry.
        message: The message to Customers whose bookings the change cancels.
    """

    key: EntryKey
    seen: int | None = None
    message: str | None = None

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.TIMETABLE_CHANGED

    def needs(self) -> Needs:
        """Return the timetable of the Seller."""
        return Needs(timetables=frozenset({self.key.seller}), sellers=frozenset({self.key.seller}))

    def _seen_entry(self, situation: Situation) -> TimetableEntry | None:
        """Return the stored entry, or None if there is none or it has ended.

        Raises:
            SellerNotFoundError: The Seller is unknown.
            TimetableChangedError: The entry is not as the caller has seen it.
        """
        if self.key.seller not in situation.sellers:
            raise SellerNotFoundError
        stored = situation.timetable.get(self.key)
        known = None if stored is None or stored.ended else stored
        if (known.revision if known else None) != self.seen:
            raise TimetableChangedError
        return known

    def _revise(self, entry: TimetableEntry) -> TimetableEntry:
        """Return the entry with a new revision, of which no date is published yet."""
        return replace(
            entry,
            revision=entry.revision + 1,
            published_until=None,
            changed_by=self.actor,
            message=self.message,
            fault=None,
        )

    def _revise_others(self, situation: Situation) -> tuple[Change, ...]:
        """Return the changes by which all other entries of the Seller are published again."""
        others = (entry for key, entry in situation.timetable.items() if key != self.key and has_occurrences(entry))
        return tuple(EntrySet(other.entry_key, self._revise(other)) for other in others)


class SaveTimetableEntry(EntryCommand, frozen=True, kw_only=True):
    """Add an entry to the timetable of a Seller, or replace its rule.

    Attributes:
        rule: The rule.
    """

    stores_more: ClassVar[bool] = True

    rule: TimetableRule

    def decide(self, situation: Situation) -> Decision[TimetableEntry]:
        """Store the entry. If it is a Venue or a Closure, all other entries of the Seller are published again.

        Raises:
            SellerNotFoundError: The Seller is unknown.
            TimetableChangedError: The entry is not as the caller has seen it.
        """
        known = self._seen_entry(situation)
        if known is not None and known.rule == self.rule:
            return Decision(reply=known)
        before = situation.timetable.get(self.key)
        new = TimetableEntry(
            seller=self.key.seller, key=self.key.key, rule=self.rule, changed_by=self.actor, revision=0
        )
        entry = replace(
            self._revise(replace(before or new, ended=False)),
            rule=self.rule,
            former_courts=_former_courts(before, self.rule),
        )
        if has_occurrences(entry):
            return Decision(reply=entry, changes=(EntrySet(self.key, entry),))
        entry = replace(entry, published_until=NO_END)
        return Decision(reply=entry, changes=(EntrySet(self.key, entry), *self._revise_others(situation)))


class RemoveTimetableEntry(EntryCommand, frozen=True, kw_only=True):
    """Remove an entry from the timetable of a Seller. Its coming occurrences are removed afterwards."""

    def decide(self, situation: Situation) -> Decision[None]:
        """Mark the entry as ended, or remove a Venue or a Closure at once.

        Raises:
            SellerNotFoundError: The Seller is unknown.
            NotFoundError: There is no such entry.
            TimetableChangedError: The entry is not as the caller has seen it.
            UsedByTimetableError: The entry is a Venue, and other entries are there.
        """
        known = self._seen_entry(situation)
        if known is None:
            raise NotFoundError("There is no such entry in the timetable.")
        if isinstance(known.rule, Venue) and self.key.key in _venues_in_use(situation.timetable):
            raise UsedByTimetableError
        if has_occurrences(known):
            return Decision(reply=None, changes=(EntrySet(self.key, replace(self._revise(known), ended=True)),))
        return Decision(reply=None, changes=(EntrySet(self.key, None), *self._revise_others(situation)))


class GetTimetable(ActorCommand, frozen=True, kw_only=True):
    """Return the entries of the timetable of a Seller, also those that have ended and are still to be removed."""

    seller: str

    def needs(self) -> Needs:
        """Return the timetable."""
        return Needs(timetables=frozenset({self.seller}), likely_read_only=True)

    def decide(self, situation: Situation) -> Decision[Mapping[EntryKey, TimetableEntry]]:
        """Return the entries by key."""
        return Decision(reply=situation.timetable)


def has_occurrences(entry: TimetableEntry) -> bool:
    """Return whether Opportunities are made of the entry."""
    return not isinstance(entry.rule, Venue | Closure)


def _former_courts(before: TimetableEntry | None, rule: TimetableRule) -> tuple[str, ...]:
    """Return the keys of the courts that the entry had before and has not any more."""
    if before is None or not isinstance(before.rule, Facility):
        return ()
    had = {court.key for court in before.rule.courts} | set(before.former_courts)
    has = {court.key for court in rule.courts} if isinstance(rule, Facility) else set()
    return tuple(sorted(had - has))


def _venues_in_use(timetable: Mapping[EntryKey, TimetableEntry]) -> set[str]:
    rules = [entry.rule for entry in timetable.values() if not entry.ended]
    return {rule.venue for rule in rules if not isinstance(rule, Venue)}
