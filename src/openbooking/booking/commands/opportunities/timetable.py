"""Commands that store and remove the entries of a Seller's timetable.

They change no Opportunity. The upkeep publishes the Opportunities afterwards, in batches
(`commands.publish_occurrences`).
"""

from collections.abc import Mapping
from typing import ClassVar

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.actor import Actor
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


class TimetableCommand(ActorCommand, frozen=True, kw_only=True):
    """The base of the commands that change the timetable of a Seller.

    Attributes:
        message: The message to Customers whose bookings the change cancels.
    """

    message: str | None = None

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.TIMETABLE_CHANGED

    def _revise(self, entry: TimetableEntry) -> TimetableEntry:
        return revised(entry, self.actor, self.message)

    def _entry_with(self, key: EntryKey, rule: TimetableRule, situation: Situation) -> TimetableEntry:
        """Return the entry with another rule than the stored one."""
        before = situation.timetable.get(key)
        new = TimetableEntry(seller=key.seller, key=key.key, rule=rule, changed_by=self.actor, revision=0)
        entry = replace(
            self._revise(replace(before or new, ended=False)),
            rule=rule,
            former_courts=_former_courts(before, rule),
        )
        return entry if has_occurrences(entry) else replace(entry, published_until=NO_END)

    def _removal(self, entry: TimetableEntry) -> EntrySet:
        """Return the change that marks an entry as ended, or removes a Venue or a Closure at once."""
        if has_occurrences(entry):
            return EntrySet(entry.entry_key, replace(self._revise(entry), ended=True))
        return EntrySet(entry.entry_key, None)

    def _with_others(self, changes: tuple[EntrySet, ...], situation: Situation) -> tuple[Change, ...]:
        """Return the changes. If they change a Venue or a Closure, all other entries are published again, too."""
        changed = {change.key for change in changes}
        entries = (change.entry or situation.timetable[change.key] for change in changes)
        if all(map(has_occurrences, entries)):
            return changes
        others = (entry for key, entry in situation.timetable.items() if key not in changed and has_occurrences(entry))
        return (*changes, *(EntrySet(other.entry_key, self._revise(other)) for other in others))


class EntryCommand(TimetableCommand, frozen=True, kw_only=True):
    """The base of the commands about one entry of a timetable.

    Attributes:
        key: The key of the entry.
        seen: The revision that the caller has seen; None for a new entry.
    """

    key: EntryKey
    seen: int | None = None

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
        entry = self._entry_with(self.key, self.rule, situation)
        return Decision(reply=entry, changes=self._with_others((EntrySet(self.key, entry),), situation))


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
        if isinstance(known.rule, Venue) and self.key.key in _venues_of(present_rules(situation.timetable)):
            raise UsedByTimetableError
        return Decision(reply=None, changes=self._with_others((self._removal(known),), situation))


class ApplyTimetable(TimetableCommand, frozen=True, kw_only=True):
    """Store some entries of the timetable of a Seller and remove others, all or none of them.

    Attributes:
        seller: The key of the Seller.
        seen: The revisions of all entries that the caller has seen, by key.
        rules: The rules to store, by key.
        removed: The keys of the entries to remove.
    """

    stores_more: ClassVar[bool] = True

    seller: str
    seen: Mapping[str, int]
    rules: Mapping[str, TimetableRule]
    removed: frozenset[str] = frozenset()

    def needs(self) -> Needs:
        """Return the timetable of the Seller."""
        return Needs(timetables=frozenset({self.seller}), sellers=frozenset({self.seller}))

    def decide(self, situation: Situation) -> Decision[None]:
        """Store and remove the entries. A rule that is stored already changes nothing.

        Raises:
            SellerNotFoundError: The Seller is unknown.
            TimetableChangedError: The timetable is not as the caller has seen it.
            UsedByTimetableError: A Venue is to be removed, and other entries are there.
        """
        if self.seller not in situation.sellers:
            raise SellerNotFoundError
        present = {key.key: entry for key, entry in situation.timetable.items() if not entry.ended}
        if {key: entry.revision for key, entry in present.items()} != self.seen or not self.removed <= present.keys():
            raise TimetableChangedError
        after = {key: rule for key, rule in present_rules(situation.timetable).items() if key not in self.removed}
        gone = {key for key in self.removed if isinstance(present[key].rule, Venue)}
        if gone & _venues_of({**after, **self.rules}):
            raise UsedByTimetableError
        changed = {key: rule for key, rule in self.rules.items() if after.get(key) != rule}
        keys = {key: EntryKey(self.seller, key) for key in changed}
        stored = (EntrySet(keys[key], self._entry_with(keys[key], rule, situation)) for key, rule in changed.items())
        changes = (*stored, *(self._removal(present[key]) for key in sorted(self.removed)))
        return Decision(reply=None, changes=self._with_others(changes, situation))


class GetTimetable(ActorCommand, frozen=True, kw_only=True):
    """Return the entries of the timetable of a Seller, also those that have ended and are still to be removed."""

    seller: str

    def needs(self) -> Needs:
        """Return the timetable."""
        return Needs(timetables=frozenset({self.seller}), likely_read_only=True)

    def decide(self, situation: Situation) -> Decision[Mapping[EntryKey, TimetableEntry]]:
        """Return the entries by key."""
        return Decision(reply=situation.timetable)


def revised(entry: TimetableEntry, actor: Actor, message: str | None = None) -> TimetableEntry:
    """Return the entry with a new revision, of which no date is published yet."""
    return replace(
        entry,
        revision=entry.revision + 1,
        published_until=None,
        stored_until=entry.reached,
        changed_by=actor,
        message=message,
        fault=None,
    )


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


def present_rules(timetable: Mapping[EntryKey, TimetableEntry]) -> dict[str, TimetableRule]:
    """Return the rules of a timetable by key, without those of entries that have ended."""
    return {key.key: entry.rule for key, entry in timetable.items() if not entry.ended}


def _venues_of(rules: Mapping[str, TimetableRule]) -> set[str]:
    """Return the keys of the Venues that rules name."""
    return {rule.venue for rule in rules.values() if not isinstance(rule, Venue)}
