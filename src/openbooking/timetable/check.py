"""The check of an entry of a timetable before it is saved. Pages, files and commands report the same faults."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from openbooking.booking.model.timetable import (
    Closure,
    Course,
    Described,
    EntryKey,
    Event,
    Facility,
    OnDemandItem,
    TimetableEntry,
    TimetableRule,
    Venue,
    WeeklyClass,
    WeeklyTime,
)
from openbooking.timetable.bank_holidays import bank_holidays_known_until
from openbooking.timetable.checking.descriptions import check_description, check_venue
from openbooking.timetable.checking.facilities import check_facility
from openbooking.timetable.checking.faults import LONGEST_MINUTES, Fault, Faults
from openbooking.timetable.checking.prices import (
    MOST_SPACES,
    check_changes,
    check_minutes,
    check_prices,
    check_single,
)
from openbooking.timetable.identity import fits
from openbooking.timetable.recurrence import weekly_times
from openbooking.timetable.single_items import LONGEST_COURSE

_LONGEST_EVENT = 31 * LONGEST_MINUTES
_MOST_DATES = 366


def check(
    entry: TimetableEntry, others: Iterable[TimetableEntry], site: str, known: Iterable[Fault] = ()
) -> tuple[Fault, ...]:
    """Return the faults of an entry; none if it can be saved.

    Args:
        entry: The entry.
        others: The other entries of the Seller, to which the rule may refer.
        site: The web page of the Seller (`surroundings.site_of`), which rules without one have; empty for none.
        known: The known faults, of fields that could not be read.
    """
    rules = {other.key: other.rule for other in others if not other.ended and other.key != entry.key}
    faults, rule = Faults(found=list(known)), entry.rule
    if faults.require_key(entry.key, "key"):
        faults.require(fits(entry.entry_key, minutes=LONGEST_MINUTES), "key", "Use a shorter key.")
    if isinstance(rule, Venue):
        check_venue(rule, faults)
    elif isinstance(rule, Closure):
        _check_closure(rule, rules, faults)
    else:
        check_description(rule, _keys_of(rules, Venue), site, faults)
        _check_times_and_prices(entry.entry_key, rule, faults)
    return tuple(faults.found)


def check_removal(entry: TimetableEntry, others: Iterable[TimetableEntry]) -> tuple[Fault, ...]:
    """Return the reasons why an entry cannot be removed: the other entries that name it.

    Args:
        entry: The entry.
        others: The other entries of the Seller.
    """
    names = [other.key for other in others if not other.ended and entry.key in _named_by(other.rule)]
    return tuple(Fault("", f"{name} names this entry. Change or remove {name} first.") for name in names)


def bank_holiday_warning(closures: Iterable[Closure], until: date) -> str | None:
    """Return a warning if a closure on bank holidays is used for dates whose bank holidays are not known yet.

    Args:
        closures: The closures.
        until: The date until which occurrences are published.
    """
    known = bank_holidays_known_until()
    if until <= known or not any(closure.bank_holidays for closure in closures):
        return None
    last = known - timedelta(days=1)
    return f"Bank holidays are known until {last:%d %B %Y}. Enter later ones as closures, or update this system."


def _keys_of(rules: Mapping[str, TimetableRule], kind: type) -> frozenset[str]:
    return frozenset(key for key, rule in rules.items() if isinstance(rule, kind))


def _named_by(rule: TimetableRule) -> tuple[str, ...]:
    """Return the keys of the entries that a rule names."""
    if isinstance(rule, Closure):
        return (rule.venue, rule.entry)
    return (rule.venue,) if isinstance(rule, Described) else ()


def _check_times_and_prices(key: EntryKey, rule: Described, faults: Faults) -> None:
    if isinstance(rule, WeeklyClass):
        _check_class(rule, faults)
    elif isinstance(rule, Facility):
        check_facility(key, rule, faults)
    elif isinstance(rule, Event):
        faults.require_date(rule.start, "start")
        faults.require_time(rule.start, "start")
        check_minutes(rule.minutes, "minutes", faults, most=_LONGEST_EVENT)
        faults.require_number(rule.capacity, "capacity", 0, MOST_SPACES)
        check_prices(rule.prices, faults)
    elif isinstance(rule, Course):
        _check_course(rule, faults)
    elif isinstance(rule, OnDemandItem):
        check_prices(rule.prices, faults, has_start=False)


def _check_class(rule: WeeklyClass, faults: Faults) -> None:
    _check_weekly(rule.times, faults)
    faults.require_dates(rule.first, rule.last)
    _check_without(rule.without, faults)
    faults.require_number(rule.capacity, "capacity", 0, MOST_SPACES)
    check_prices(rule.prices, faults)
    check_changes(rule.changes, faults)
    check_single(rule.single, (), faults)


def _check_course(rule: Course, faults: Faults) -> None:
    _check_weekly(rule.times, faults)
    faults.require_date(rule.first, "first")
    _check_without(rule.without, faults)
    faults.require_number(rule.dates, "dates", 1, _MOST_DATES)
    faults.require_number(rule.capacity, "capacity", 0, MOST_SPACES)
    check_prices(rule.prices, faults)
    if not faults.found:
        times = weekly_times(rule.times, rule.first, rule.first + LONGEST_COURSE)
        days = [local for local in times if local.start.date() not in rule.without]
        faults.require(len(days) >= rule.dates, "dates", "The course would take more than three years.")


def _check_weekly(times: Sequence[WeeklyTime], faults: Faults) -> None:
    faults.require(bool(times), "times", "Give at least one time.")
    for number, each in enumerate(times):
        part = faults.part("times", number)
        part.require(bool(each.days), "days", "Give at least one day.")
        part.require_days(each.days)
        part.require_time(each.start, "start")
        check_minutes(each.minutes, "minutes", part)


def _check_without(without: Sequence[date], faults: Faults) -> None:
    faults.require(len(without) <= _MOST_DATES, "without", f"Give at most {_MOST_DATES} dates.")
    for number, day in enumerate(without):
        faults.require_date(day, f"without.{number}")


def _check_closure(rule: Closure, rules: Mapping[str, TimetableRule], faults: Faults) -> None:
    faults.require_name(rule.name)
    if rule.bank_holidays:
        is_alone = rule.start is None and rule.end is None
        faults.require(is_alone, "start", "Leave out the times of a closure on bank holidays.")
    else:
        _check_closed_time(rule, faults)
    faults.require(rule.venue in ("", *_keys_of(rules, Venue)), "venue", f"There is no venue {rule.venue}.")
    dated = {key for key, each in rules.items() if isinstance(each, WeeklyClass | Facility | Event | Course)}
    faults.require(rule.entry in ("", *dated), "entry", f"There is no class, facility, event or course {rule.entry}.")
    facility = rules.get(rule.entry)
    courts = [court.key for court in facility.courts] if isinstance(facility, Facility) else []
    faults.require(rule.court in ("", *courts), "court", "Give the key of a court of the facility.")


def _check_closed_time(rule: Closure, faults: Faults) -> None:
    for field, at in (("start", rule.start), ("end", rule.end)):
        if faults.require(at is not None, field, "Give a date and time.") and at:
            faults.require_date(at, field)
            faults.require_time(at, field)
    if rule.start and rule.end and not faults.found:
        faults.require(rule.start < rule.end, "end", "The closure ends before it starts.")
