"""A change of a timetable names the entries and the days that it affects."""

from collections.abc import Iterable, Mapping
from datetime import date

import pytest
from msgspec.structs import replace

from openbooking.booking.model.timetable import Closure, Nation, TimetableRule
from openbooking.timetable.edits import TimetableEdit
from openbooking.timetable.wall_clock import DateRange
from support.parties import MANAGER
from support.timetables import HALL, SPIN, SQUASH, VENUE, closed, entry

RULES: dict[str, TimetableRule] = {
    "hall": replace(HALL, venue=""), "riverside": VENUE, "spin": SPIN, "squash": SQUASH,
}  # fmt: skip
PUBLISHED = DateRange(date(2026, 10, 18), date(2026, 12, 14))
FLOOR = closed("2026-10-29T08:00", "2026-10-31T20:00", entry="squash")
CLOSED = DateRange(date(2026, 10, 28), date(2026, 11, 1))


def edit(
    stored: Mapping[str, TimetableRule], rules: Mapping[str, TimetableRule] | None = None, removed: Iterable[str] = ()
) -> TimetableEdit:
    entries = {key: entry(rule, key) for key, rule in stored.items()}
    return TimetableEdit("centre", entries, rules or {}, frozenset(removed), MANAGER, "")


def affected(change: TimetableEdit) -> dict[str, bool]:
    """Return whether the affected entries end, by key."""
    return {each.key: each.ended for each in change.affected}


def test_the_same_rules_change_nothing() -> None:
    change = edit(RULES, RULES)
    assert (change.added, change.changed, change.affected) == ((), (), ())


def test_added_changed_and_removed_entries_are_affected() -> None:
    stored = {key: rule for key, rule in RULES.items() if key != "hall"}
    change = edit(stored, {"hall": HALL, "spin": replace(SPIN, capacity=5)}, ["squash"])
    assert (change.added, change.changed) == (("hall",), ("spin",))
    assert affected(change) == {"hall": False, "spin": False, "squash": True}
    assert [change.dates_of(each, PUBLISHED) for each in change.affected] == [PUBLISHED] * 3


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"riverside": replace(VENUE, town="Bath")}, {"spin", "squash"}),
        ({"floor": FLOOR}, {"squash"}),
        ({"floor": replace(FLOOR, entry="")}, {"hall", "spin", "squash"}),
        ({"floor": replace(FLOOR, venue="riverside", entry="hall")}, set()),
    ],
)
def test_a_venue_and_a_closure_affect_the_entries_that_they_name(
    rules: dict[str, TimetableRule], expected: set[str]
) -> None:
    assert affected(edit(RULES, rules)).keys() == expected


def test_the_end_of_a_closure_affects_what_was_closed() -> None:
    assert affected(edit({**RULES, "floor": FLOOR}, removed=["floor"])) == {"squash": False}


@pytest.mark.parametrize(
    ("closure", "expected"),
    [
        (FLOOR, CLOSED),
        (replace(FLOOR, start=None, end=None, bank_holidays=Nation.WALES), PUBLISHED),
        (
            closed("2026-10-01T08:00", "2026-10-20T20:00", entry="squash"),
            DateRange(PUBLISHED.first, date(2026, 10, 21)),
        ),
        (closed("2027-10-01T08:00", "2027-10-20T20:00"), DateRange(PUBLISHED.until, PUBLISHED.until)),
        (closed("2025-10-01T08:00", "2025-10-20T20:00"), DateRange(PUBLISHED.first, PUBLISHED.first)),
    ],
)
def test_a_closure_affects_its_days(closure: Closure, expected: DateRange) -> None:
    change = edit(RULES, {"floor": closure})
    assert {change.dates_of(each, PUBLISHED) for each in change.affected} == {expected}


def test_a_moved_closure_affects_the_days_before_and_after() -> None:
    later = closed("2026-11-05T08:00", "2026-11-06T20:00", entry="squash")
    change = edit({**RULES, "floor": FLOOR}, {"floor": later})
    (squash,) = change.affected
    assert change.dates_of(squash, PUBLISHED) == DateRange(CLOSED.first, date(2026, 11, 7))


def test_a_changed_entry_with_a_closure_is_compared_on_all_days() -> None:
    change = edit(RULES, {"floor": FLOOR, "squash": replace(SQUASH, step=30)})
    (squash,) = change.affected
    assert change.dates_of(squash, PUBLISHED) == PUBLISHED
