"""Puts the entries of a calendar into the timetable of a Seller.

A later import of the same calendar changes the entries of the first one. It changes only what the calendar says: the
name, the text and the dates. Capacities, prices and other details that were changed meanwhile stay.
"""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.timetable import Event, TimetableEntry, TimetableRule, WeeklyClass
from openbooking.timetable.calendars.reading import LeftOut, ReadCalendar
from openbooking.timetable.check import check
from openbooking.timetable.surroundings import site_of

_READER = Actor(ActorKind.SYSTEM, "calendar")
# The names of fields for people, where they differ from those of the structs.
_NAMES = {"concepts": "activities"}


class CalendarEdit(NamedTuple):
    """The edit of a timetable by a calendar.

    Attributes:
        rules: The rules to store, by key.
        left_out: The events that are left out, in the order of their lines.
    """

    rules: Mapping[str, TimetableRule]
    left_out: tuple[LeftOut, ...]


def edit_by_calendar(read: ReadCalendar, stored: Mapping[str, TimetableRule], seller: Seller) -> CalendarEdit:
    """Return the edit of a timetable. An event whose entry has faults is left out.

    Args:
        read: What was read of the calendar.
        stored: The stored rules of the Seller, by key.
        seller: The Seller.
    """

    def entry_of(key: str, rule: TimetableRule) -> TimetableEntry:
        return TimetableEntry(seller=seller.key, key=key, rule=rule, changed_by=_READER)

    others = [entry_of(key, rule) for key, rule in stored.items()]
    rules: dict[str, TimetableRule] = {}
    left_out = list(read.left_out)
    for entry in read.entries:
        # The name of an event can change, but its UID does not.
        key = next((known for known in stored if known.endswith(f"-{entry.digest}")), entry.key)
        rule = _updated(stored.get(key), entry.rule)
        faults = check(entry_of(key, rule), others, site_of(seller))
        if faults:
            texts = " ".join(f"{_NAMES.get(fault.field, fault.field)}: {fault.text}" for fault in faults)
            left_out.append(LeftOut(entry.line, entry.uid, texts))
        else:
            rules[key] = rule
    return CalendarEdit(rules, tuple(sorted(left_out)))


def _updated(before: TimetableRule | None, new: WeeklyClass | Event) -> WeeklyClass | Event:
    """Return the stored rule with what the calendar says; the new rule if there is none of the same kind."""
    if isinstance(before, WeeklyClass) and isinstance(new, WeeklyClass):
        return replace(
            before,
            name=new.name,
            description=new.description,
            times=new.times,
            first=new.first,
            last=new.last,
            without=new.without,
        )
    if isinstance(before, Event) and isinstance(new, Event):
        return replace(before, name=new.name, description=new.description, start=new.start, minutes=new.minutes)
    return new
