"""The checks of facilities."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import islice

from openbooking.booking.model.timetable import EntryKey, Facility, OpeningHours
from openbooking.timetable.checking.faults import LONGEST_MINUTES, Faults
from openbooking.timetable.checking.prices import check_bands, check_changes, check_minutes, check_single
from openbooking.timetable.identity import fits
from openbooking.timetable.offers import prices_of_slot
from openbooking.timetable.properties import WEEKDAYS
from openbooking.timetable.recurrence import LocalTime, open_times, slot_times

_LEAST_STEP = 5
_MOST_USES = 1_000
_MOST_COURTS = 200
_MOST_SLOTS_A_WEEK = 50_000
_MONDAY = date(2024, 1, 1)


def check_facility(key: EntryKey, rule: Facility, faults: Faults) -> None:
    """Check a facility, except what people read about it."""
    _check_hours(rule.hours, faults)
    faults.require(bool(rule.lengths), "lengths", "Give at least one length.")
    for number, minutes in enumerate(rule.lengths):
        check_minutes(minutes, f"lengths.{number}", faults)
    faults.require_unique(rule.lengths, "lengths", "lengths")
    faults.require_number(rule.step, "step", _LEAST_STEP, LONGEST_MINUTES)
    faults.require_number(rule.uses, "uses", 1, _MOST_USES)
    faults.require_dates(rule.first, rule.last)
    _check_courts(key, rule, faults)
    courts, most = [court.key for court in rule.courts], 1 if rule.courts else rule.uses
    check_bands(rule.prices, rule.lengths, faults)
    check_changes(rule.changes, faults, most=most)
    check_single(rule.single, courts, faults, most=most)
    if not faults.found:
        _check_week(rule, faults)


def _check_hours(hours: Iterable[OpeningHours], faults: Faults) -> None:
    for number, each in enumerate(hours):
        part = faults.part("hours", number)
        part.require(bool(each.days), "days", "Give at least one day.")
        part.require_days(each.days)
        part.require_time(each.opens, "opens")
        part.require_time(each.closes, "closes")


def _check_courts(key: EntryKey, rule: Facility, faults: Faults) -> None:
    faults.require(len(rule.courts) <= _MOST_COURTS, "courts", f"Give at most {_MOST_COURTS} courts.")
    for number, court in enumerate(rule.courts):
        part = faults.part("courts", number)
        if part.require_key(court.key, "key"):
            part.require(fits(key, court.key, LONGEST_MINUTES), "key", "Use a shorter key.")
        part.require_name(court.name)
        _check_hours(court.hours, part)
    faults.require_unique((court.key for court in rule.courts), "courts", "keys of courts")
    faults.require_unique((court.name for court in rule.courts), "courts", "names of courts")
    are_all_open = all(court.hours for court in rule.courts) and bool(rule.courts)
    faults.require(bool(rule.hours) or are_all_open, "hours", "Give opening hours.")


def _check_week(rule: Facility, faults: Faults) -> None:
    """Check that an ordinary week has Slots, not too many, and that each has a price."""
    all_hours = [court.hours or rule.hours for court in rule.courts] or [rule.hours]
    week = (local for hours in all_hours for local in _slots_of_week(hours, rule))
    slots = list(islice(week, _MOST_SLOTS_A_WEEK + 1))
    faults.require(len(slots) <= _MOST_SLOTS_A_WEEK, "step", f"These are over {_MOST_SLOTS_A_WEEK:,} Slots a week.")
    fitting = {local.minutes for local in slots}
    for number, minutes in enumerate(rule.lengths):
        faults.require(minutes in fitting, f"lengths.{number}", "No Slot of this length fits into the opening hours.")
    without = next((local for local in slots if not prices_of_slot(rule.prices, local.start, local.minutes)), None)
    if without:
        when = f"{without.minutes} minutes at {without.start:%H:%M} on {WEEKDAYS[without.start.weekday()]}"
        faults.require(is_right=False, field="prices", text=f"There is no price for a Slot of {when}.")


def _slots_of_week(hours: Iterable[OpeningHours], rule: Facility) -> Iterator[LocalTime]:
    for open_time in open_times(hours, _MONDAY, _MONDAY + timedelta(days=6)):
        for minutes in rule.lengths:
            yield from slot_times(open_time, minutes, rule.step)
