"""A change of a timetable that is not made yet: its entries, and the entries and days that it affects."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.booking.commands.opportunities.timetable import has_occurrences
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.timetable import Closure, Described, TimetableEntry, TimetableRule, Venue
from openbooking.timetable.wall_clock import DateRange

_DAY = timedelta(days=1)


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
    def edited(self) -> frozenset[str]:
        """The keys of the entries that are new, changed or removed."""
        return frozenset({*self.added, *self.changed, *self.removed})

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
        """The entries whose Opportunities can change, as they are afterwards; those that are removed as ended ones.

        They are the edited entries, and those that an edited Venue or closure names.
        """
        edited = self.edited
        return tuple(
            replace(entry, ended=key in self.removed)
            for key, entry in sorted({**self.stored, **self.after}.items())
            if has_occurrences(entry) and (key in edited or any(self._reasons(entry)))
        )

    def dates_of(self, entry: TimetableEntry, published: DateRange) -> DateRange:
        """Return the days on which the occurrences of an affected entry can change: those of closures, or all.

        Args:
            entry: The entry.
            published: The days that are published.
        """
        spans = [_closed_dates(rule) for rule in self._reasons(entry)]
        closed = [span for span in spans if span]
        if entry.key in self.edited or len(closed) < len(spans):
            return published
        first, until = min(span.first for span in closed), max(span.until for span in closed)
        return DateRange(
            min(max(first, published.first), published.until), max(min(until, published.until), published.first)
        )

    def _reasons(self, entry: TimetableEntry) -> Iterator[TimetableRule]:
        """Yield the Venues and closures, before and after the change, for which another entry can change."""
        for key in sorted(self.edited - {entry.key}):
            yield from (rule for rule in self._rules_of(key) if _names(rule, key, entry))

    def _rules_of(self, key: str) -> Iterable[TimetableRule]:
        """Return the rules of an edited entry before and after the change."""
        before = [self.stored[key].rule] if key in self.stored else []
        return [*before, *([self.rules[key]] if key in self.rules else [])]


def _names(rule: TimetableRule, key: str, entry: TimetableEntry) -> bool:
    """Return whether a rule is the Venue of an entry, or a closure of it."""
    venue = entry.rule.venue if isinstance(entry.rule, Described) else ""
    if isinstance(rule, Venue):
        return venue == key
    return isinstance(rule, Closure) and rule.venue in ("", venue) and rule.entry in ("", entry.key)


def _closed_dates(rule: TimetableRule) -> DateRange | None:
    """Return the days of a closure, and the day before: an occurrence of the night before can reach into it.

    None for a Venue, and for a closure on bank holidays.
    """
    if not isinstance(rule, Closure) or rule.start is None or rule.end is None:
        return None
    return DateRange(rule.start.date() - _DAY, rule.end.date() + _DAY)
