"""The effect of a change of several entries of a timetable, shown before it is applied (`commands.ApplyTimetable`)."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.booking.commands.timetable import has_occurrences
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.timetable import EntryKey, TimetableEntry, TimetableRule
from openbooking.timetable.changes import TimetableChanges, compare
from openbooking.timetable.occurrences import opportunities
from openbooking.timetable.surroundings import surroundings_of
from openbooking.timetable.wall_clock import DateRange


class TimetableEdit(NamedTuple):
    """A change of the timetable of a Seller.

    Attributes:
        seller: The key of the Seller.
        stored: The stored entries that have not ended, by key.
        rules: The rules to store, by key.
        removed: The keys of the entries to remove.
        actor: Who makes the change.
        site: The web page of the Seller (`surroundings.site_of`); empty for none.
    """

    seller: str
    stored: Mapping[str, TimetableEntry]
    rules: Mapping[str, TimetableRule]
    removed: frozenset[str]
    actor: Actor
    site: str

    @property
    def added(self) -> tuple[str, ...]:
        """The keys of the entries that are new."""
        return tuple(key for key in self.rules if key not in self.stored)

    @property
    def changed(self) -> tuple[str, ...]:
        """The keys of the entries with another rule."""
        return tuple(key for key, rule in self.rules.items() if key in self.stored and self.stored[key].rule != rule)

    @property
    def after(self) -> dict[str, TimetableEntry]:
        """The entries after the change, by key."""
        made = {
            key: replace(
                self.stored.get(key) or TimetableEntry(seller=self.seller, key=key, rule=rule, changed_by=self.actor),
                rule=rule,
            )
            for key, rule in self.rules.items()
        }
        return {key: entry for key, entry in {**self.stored, **made}.items() if key not in self.removed}

    @property
    def affected(self) -> tuple[TimetableEntry, ...]:
        """The entries whose occurrences can change; those that are removed as ended ones.

        They are all entries if a Venue or a closure changes.
        """
        edited = {*self.added, *self.changed, *self.removed}
        after = self.after
        both = {**self.stored, **after}
        if not all(has_occurrences(both[key]) for key in edited):
            edited = set(both)
        return tuple(
            after.get(key) or replace(both[key], ended=True) for key in sorted(edited) if has_occurrences(both[key])
        )


def effects(
    edit: TimetableEdit, stored: Iterable[Opportunity], booked: Mapping[str, int], policy: Policy, now: datetime
) -> Iterator[tuple[EntryKey, TimetableChanges]]:
    """Yield the changes of the Opportunities of each entry that is affected, in the days that are published.

    Args:
        edit: The change of the timetable.
        stored: The stored Opportunities of the Seller's timetable.
        booked: How many spaces are booked, by path.
        policy: The policy.
        now: The current time.
    """
    around = surroundings_of(edit.after.values(), policy, edit.site)
    by_source: dict[str, list[Opportunity]] = {}
    for item in stored:
        by_source.setdefault(item.source, []).append(item)
    for entry in edit.affected:
        dates = _dates(entry, policy, now)
        until = dates.span(around.zone).end
        known = (item for item in by_source.get(entry.source, ()) if _is_before(item, until))
        changes = compare(opportunities(entry, around, dates), known, booked, now)
        if changes.added or changes.changed or changes.removed:
            yield entry.entry_key, changes


def _dates(entry: TimetableEntry, policy: Policy, now: datetime) -> DateRange:
    """Return the days for which the entry is published; if it is not published yet, those for which it will be."""
    today = now.astimezone(policy.time_zone).date()
    horizon = today + policy.publish_ahead + timedelta(days=1)
    until = entry.published_until or horizon
    return DateRange(today, min(max(until, today), horizon))


def _is_before(item: Opportunity, until: datetime) -> bool:
    return item.start is None or item.parent is None or item.start < until
