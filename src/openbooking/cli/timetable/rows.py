"""The rows of the lists of entries, and of the effects of a change."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum

from openbooking.back_office.descriptions import opportunity_name
from openbooking.back_office.plans.timetable_effects import EntryChanges, TimetableEffect
from openbooking.back_office.rows.tables import TableContext, TableRow
from openbooking.booking.model.opportunity import Opportunity, parents_among
from openbooking.booking.model.timetable import (
    NO_END,
    Closure,
    Course,
    Event,
    Facility,
    OnDemandItem,
    TimetableEntry,
    TimetableRule,
    Venue,
    WeeklyClass,
)
from openbooking.timetable.changes import TimetableChanges
from openbooking.timetable.edits import TimetableEdit
from openbooking.timetable.files.shapes import kind_of
from openbooking.timetable.files.words import write_date_time, write_days, write_time

_DAY = timedelta(days=1)


class EntryRow(TableRow, frozen=True, kw_only=True):
    """An entry of the timetable.

    Attributes:
        key: The key.
        kind: The kind, as in files.
        name: The name.
        venue: The key of the Venue.
        when: The days and times.
        capacity: The number of spaces of a session, event or course, or of uses at a time.
        published_until: The last date whose occurrences follow the entry; None if all or none are published.
        fault: Why the entry cannot be published; empty if it can.
    """

    key: str
    kind: str
    name: str
    venue: str
    when: str
    capacity: int | None
    published_until: date | None
    fault: str


class EditKind(StrEnum):
    """The change of an entry. An entry that stays the same can follow the change of a Venue or a closure."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    FOLLOWS = "follows"


class EffectRow(TableRow, frozen=True, kw_only=True):
    """The effect of a change on one entry, and on its occurrences in the days that are published.

    Attributes:
        change: The change of the entry.
        kind: The kind of the entry.
        key: The key of the entry.
        name: The name of the entry.
        added: The number of occurrences that are added.
        changed: The number of occurrences that change.
        removed: The number of occurrences that are removed.
        cancelled: The number of those removed that have bookings, which are cancelled.
    """

    change: EditKind
    kind: str
    key: str
    name: str
    added: int = 0
    changed: int = 0
    removed: int = 0
    cancelled: int = 0


class BookedRow(TableRow, frozen=True, kw_only=True):
    """An occurrence with bookings that a change cancels or changes.

    Attributes:
        effect: `cancelled`, or the names of what changes.
        occurrence: The path of the Opportunity.
        starts: When it starts.
        name: Its name.
        booked: The number of booked spaces.
    """

    effect: str
    occurrence: str
    starts: datetime | None
    name: str
    booked: int


def entry_row(entry: TimetableEntry) -> EntryRow:
    """Return the row of an entry."""
    rule, until = entry.rule, entry.published_until
    capacity = rule.uses if isinstance(rule, Facility) else getattr(rule, "capacity", None)
    return EntryRow(
        key=entry.key,
        kind=kind_of(rule),
        name=rule.name,
        venue="" if isinstance(rule, Venue) else rule.venue,
        when=_when(rule),
        capacity=capacity,
        published_until=None if until in (None, NO_END) else until - _DAY,
        fault=entry.fault or "",
    )


def effect_rows(edit: TimetableEdit, effect: TimetableEffect) -> Iterator[EffectRow]:
    """Yield the rows of a change: those of the changed entries first, then those of the entries that follow.

    Args:
        edit: The change.
        effect: Its effect.
    """
    after, changes = edit.after, {each.entry.key: each.changes for each in effect.entries}
    edited = {
        **dict.fromkeys(edit.added, EditKind.ADDED),
        **dict.fromkeys(edit.changed, EditKind.CHANGED),
        **dict.fromkeys(sorted(edit.removed), EditKind.REMOVED),
    }
    follows = {key: EditKind.FOLLOWS for key in changes if key not in edited}
    for key, change in {**edited, **follows}.items():
        rule = (after.get(key) or edit.stored[key]).rule
        row = EffectRow(change=change, kind=kind_of(rule), key=key, name=rule.name)
        yield _counted(row, changes[key]) if key in changes else row


def _counted(row: EffectRow, changes: TimetableChanges) -> EffectRow:
    return EffectRow(
        change=row.change,
        kind=row.kind,
        key=row.key,
        name=row.name,
        added=sum(item.type.bookable for item in changes.added),
        changed=sum(change.after.type.bookable for change in changes.changed),
        removed=sum(item.type.bookable for item in changes.removed),
        cancelled=len(changes.removed_booked),
    )


def booked_rows(entry: EntryChanges, context: TableContext) -> Iterator[BookedRow]:
    """Yield the rows of the occurrences of an entry that have bookings.

    Args:
        entry: The changes of the entry.
        context: The context of tables.
    """
    changes = entry.changes

    def row(effect: str, item: Opportunity) -> BookedRow:
        return BookedRow(
            effect=effect,
            occurrence=item.path,
            starts=context.local(item.start),
            name=opportunity_name(item, parents_among(entry.parents, item)),
            booked=changes.booked[item.path],
        )

    for item in changes.removed_booked:
        yield row("cancelled", item)
    for change in changes.changed_booked:
        yield row(f"changed: {', '.join(change.fields)}", change.after)


def _when(rule: TimetableRule) -> str:  # noqa: PLR0911 - one for each kind
    """Return the days and times of a rule."""
    match rule:
        case WeeklyClass(times=times) | Course(times=times):
            return ", ".join(f"{write_days(each.days)} {write_time(each.start)}" for each in times)
        case Facility(hours=hours):
            found = (f"{write_days(each.days)} {write_time(each.opens)}-{write_time(each.closes)}" for each in hours)
            return ", ".join(found)
        case Event(start=start):
            return write_date_time(start)
        case Closure(start=datetime() as start, end=datetime() as end):
            return f"{write_date_time(start)} to {write_date_time(end)}"
        case Closure(bank_holidays=nation):
            return f"bank holidays of {nation}"
        case OnDemandItem():
            return "at any time"
    return ""
