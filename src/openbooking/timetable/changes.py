"""The difference between the Opportunities that a timetable wants and those that are stored.

A page shows the difference before a rule is saved, and a batch publishes it. The state of a stored Opportunity that
does not come from a rule, such as a cancellation or an unpublished state, makes no difference.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.rules.opportunities.planned_times import is_moved
from openbooking.openactive.opportunity_row import Dates


class Changed(NamedTuple):
    """An Opportunity that the timetable wants in another version than the stored one."""

    before: Opportunity
    after: Opportunity

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields of Opportunity that differ."""
        return tuple(name for name in _FIELDS if getattr(self.before, name) != getattr(self.after, name))


class TimetableChanges(NamedTuple):
    """The changes that make the stored Opportunities those of the timetable.

    Attributes:
        added: The Opportunities that are not on sale yet, each parent before its children.
        changed: The Opportunities with other properties, prices or spaces.
        removed: The Opportunities that are not wanted any more.
        booked: How many spaces are booked, by path, of those changed and removed Opportunities that have bookings.
    """

    added: tuple[Opportunity, ...]
    changed: tuple[Changed, ...]
    removed: tuple[Opportunity, ...]
    booked: Mapping[str, int]

    @property
    def published(self) -> tuple[Opportunity, ...]:
        """The Opportunities to publish: those that are added and those that are changed."""
        return (*self.added, *(change.after for change in self.changed))

    @property
    def removed_unbooked(self) -> tuple[Opportunity, ...]:
        """The removed Opportunities without bookings."""
        return tuple(item for item in self.removed if item.path not in self.booked)

    @property
    def removed_booked(self) -> tuple[Opportunity, ...]:
        """The removed Opportunities with bookings, which the removal cancels."""
        return tuple(item for item in self.removed if item.path in self.booked)

    @property
    def changed_booked(self) -> tuple[Changed, ...]:
        """The changed Opportunities with bookings."""
        return tuple(change for change in self.changed if change.after.path in self.booked)


# The fields of an Opportunity that follow from a rule.
_FIELDS = ("type", "parent", "start", "end", "capacity", "offers", "court", "properties")


def compare(
    wanted: Iterable[Opportunity], stored: Iterable[Opportunity], booked: Mapping[str, int], now: datetime
) -> TimetableChanges:
    """Return the changes from the stored Opportunities of an entry to those that its rule makes.

    Opportunities that have begun, courses that have ended, and occurrences that staff has moved stay as they are. A
    stored Opportunity that was withdrawn, or that its Seller cancelled here, counts as removed already. No rule
    reverses a cancellation.

    Args:
        wanted: The Opportunities that the rule makes, each parent before its children.
        stored: The stored Opportunities of the entry with the paths of those that are wanted, and all with a start in
            the same range of dates.
        booked: How many spaces are booked, by path.
        now: The time.
    """
    stored = tuple(stored)
    moved = {item.path for item in stored if is_moved(item)}
    known = {item.path: item for item in stored if item.path not in moved and not _is_settled(item, now)}
    coming = {item.path: item for item in wanted if item.path not in moved and not _is_settled(item, now)}
    added = tuple(item for path, item in coming.items() if path not in known or known[path].withdrawn)
    pairs = (_changed(known[path], item) for path, item in coming.items() if path in known)
    changed = tuple(pair for pair in pairs if not pair.before.withdrawn and pair.fields)
    removed = tuple(item for path, item in known.items() if path not in coming and _is_left(item))
    affected = {*(pair.after.path for pair in changed), *(item.path for item in removed)}
    return TimetableChanges(added, changed, removed, {path: booked[path] for path in affected if booked.get(path)})


def _changed(before: Opportunity, wanted: Opportunity) -> Changed:
    """Return the change of an Opportunity. A session keeps the name and location that staff gave to it alone."""
    return Changed(before, replace(wanted, properties=before.properties) if wanted.type.needs_parent else wanted)


def _is_settled(item: Opportunity, now: datetime) -> bool:
    """Return whether no change of a rule reaches the Opportunity any more."""
    until = item.end if item.type.row.dates is Dates.DAYS else item.start
    return until is not None and until <= now


def _is_left(stored: Opportunity) -> bool:
    """Return whether a stored Opportunity is still to be removed."""
    return not stored.withdrawn and not stored.cancelled_here
