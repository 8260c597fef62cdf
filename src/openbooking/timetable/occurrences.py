"""The Opportunities of an entry of a timetable.

Some do not depend on dates: a series, a facility with its courts, an event, a course and an on-demand item. They are
on sale from the day on which the entry is saved. The sessions of a class and the Slots of a facility are made for a
range of dates.
"""

from collections.abc import Iterator

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.timetable import (
    Course,
    Event,
    Facility,
    OnDemandItem,
    TimetableEntry,
    WeeklyClass,
)
from openbooking.timetable import sessions, single_items, slots
from openbooking.timetable.surroundings import Surroundings
from openbooking.timetable.wall_clock import DateRange


def opportunities(entry: TimetableEntry, around: Surroundings, dates: DateRange) -> Iterator[Opportunity]:
    """Yield the Opportunities of an entry, each parent before its children. An ended entry has none.

    Args:
        entry: The entry.
        around: The surroundings of the Seller's timetable.
        dates: The dates of the sessions and Slots.
    """
    yield from undated_opportunities(entry, around)
    yield from occurrences(entry, around, dates)


def undated_opportunities(entry: TimetableEntry, around: Surroundings) -> Iterator[Opportunity]:
    """Yield the Opportunities of an entry that are not made for a range of dates, each parent before its children."""
    key, rule = entry.entry_key, entry.rule
    if entry.ended:
        return
    if isinstance(rule, WeeklyClass):
        yield sessions.series(key, rule, around)
    elif isinstance(rule, Facility):
        yield from slots.facility_uses(key, rule, around)
    elif isinstance(rule, Event):
        yield from single_items.event(key, rule, around)
    elif isinstance(rule, Course):
        yield from single_items.course(key, rule, around)
    elif isinstance(rule, OnDemandItem):
        yield single_items.on_demand_item(key, rule, around)


def occurrences(entry: TimetableEntry, around: Surroundings, dates: DateRange) -> Iterator[Opportunity]:
    """Yield the sessions or Slots of an entry that start on these dates."""
    if entry.ended:
        return
    if isinstance(entry.rule, WeeklyClass):
        yield from sessions.sessions(entry.entry_key, entry.rule, around, dates)
    elif isinstance(entry.rule, Facility):
        yield from slots.slots(entry.entry_key, entry.rule, around, dates)
