"""The effect of a change of several entries is known before it is applied, and is what its publication does."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.timetable import TimetableEntry, TimetableRule
from openbooking.timetable.changes import TimetableChanges
from openbooking.timetable.occurrences import opportunities
from openbooking.timetable.preview import TimetableEdit, effects
from openbooking.timetable.surroundings import surroundings_of
from openbooking.timetable.wall_clock import DateRange
from support.parties import MANAGER
from support.timetable_entries import COURSE
from support.timetables import HALL, JUNIOR, SPIN, SQUASH, VENUE, closed, entry

NOW = datetime(2026, 10, 18, 12, tzinfo=UTC)
POLICY = Policy(publish_ahead=timedelta(days=6))
# The days that are published: seven, from today on.
DATES = DateRange(date(2026, 10, 18), date(2026, 10, 25))
RULES: dict[str, TimetableRule] = {"riverside": VENUE, "spin": SPIN, "squash": SQUASH}
SPIN_SESSIONS, SQUASH_SLOTS = 2, 6 * 7 - 6


def edit(
    stored: Mapping[str, TimetableRule], rules: Mapping[str, TimetableRule] | None = None, removed: Iterable[str] = ()
) -> TimetableEdit:
    entries = {key: entry(rule, key) for key, rule in stored.items()}
    return TimetableEdit("centre", entries, rules or {}, frozenset(removed), MANAGER, "")


def published(entries: Iterable[TimetableEntry], dates: DateRange = DATES) -> list[Opportunity]:
    """Return the Opportunities of entries."""
    listed = list(entries)
    around = surroundings_of(listed, POLICY, "")
    return [item for each in listed for item in opportunities(each, around, dates)]


def effect(change: TimetableEdit, booked: Mapping[str, int] | None = None) -> dict[str, TimetableChanges]:
    """Return the effect on a timetable that is published."""
    stored = published(change.stored.values())
    return {key.key: changes for key, changes in effects(change, stored, booked or {}, POLICY, NOW)}


def counts(found: Mapping[str, TimetableChanges]) -> dict[str, tuple[int, int, int]]:
    """Return how many bookable Opportunities are added, changed and removed, by key."""
    return {
        key: (
            sum(item.type.bookable for item in changes.added),
            sum(change.after.type.bookable for change in changes.changed),
            sum(item.type.bookable for item in changes.removed),
        )
        for key, changes in found.items()
    }


def test_new_entries_add_their_occurrences_of_the_published_days() -> None:
    change = edit({}, RULES)
    assert (change.added, change.changed) == (("riverside", "spin", "squash"), ())
    # Today's Slots are over at noon.
    assert counts(effect(change)) == {"spin": (SPIN_SESSIONS, 0, 0), "squash": (SQUASH_SLOTS, 0, 0)}


def test_the_same_rules_have_no_effect() -> None:
    change = edit(RULES, RULES)
    assert (change.added, change.changed, change.affected) == ((), (), ())
    assert effect(change) == {}


def test_only_changed_and_removed_entries_are_compared() -> None:
    change = edit(RULES, {"spin": replace(SPIN, capacity=5)}, ["squash"])
    assert change.changed == ("spin",)
    assert counts(effect(change)) == {"spin": (0, SPIN_SESSIONS, 0), "squash": (0, 0, SQUASH_SLOTS)}


def test_a_changed_price_changes_the_series_and_no_session() -> None:
    found = effect(edit(RULES, {"spin": replace(SPIN, prices=(JUNIOR,))}))
    assert [each.fields for each in found["spin"].changed] == [("offers",)]
    assert counts(found) == {"spin": (0, 0, 0)}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, {"spin": (0, 0, 1), "squash": (0, 0, 6)}),
        ({"entry": "squash", "court": "2"}, {"squash": (0, 0, 3)}),
        ({"venue": "riverside", "entry": "spin"}, {"spin": (0, 0, 1)}),
    ],
)
def test_a_closure_has_other_entries_follow(where: dict[str, str], expected: dict[str, tuple[int, int, int]]) -> None:
    closure = closed("2026-10-19T00:00", "2026-10-20T00:00", **where)
    assert counts(effect(edit(RULES, {"repair": closure}))) == expected
    reopened = {**RULES, "repair": closure}
    again = {key: (removed, changed, added) for key, (added, changed, removed) in expected.items()}
    assert counts(effect(edit(reopened, removed=["repair"]))) == again


def test_a_changed_venue_changes_what_is_there() -> None:
    found = effect(edit({**RULES, "hall": replace(HALL, venue="")}, {"riverside": replace(VENUE, town="Bath")}))
    assert {key: [each.after.path for each in changes.changed] for key, changes in found.items()} == {
        "spin": ["session-series/centre.spin"],
        "squash": ["facility-uses/centre.squash"],
    }


def test_booked_occurrences_are_told() -> None:
    change = edit(RULES, {"squash": replace(SQUASH, courts=SQUASH.courts[:1])})
    path = "slots/centre.squash.2.20261019T0800Z.60"
    other = "slots/centre.squash.1.20261019T0800Z.60"
    changes = effect(change, {path: 1, other: 2})["squash"]
    assert [item.path for item in changes.removed_booked] == [path]
    assert changes.booked == {path: 1}


def test_occurrences_after_the_published_days_do_not_count() -> None:
    change = edit(RULES, {"spin": replace(SPIN, capacity=5)})
    later = published(change.stored.values(), DateRange(DATES.first, DATES.until + timedelta(days=30)))
    found = dict(effects(change, later, {}, POLICY, NOW))
    assert counts({key.key: changes for key, changes in found.items()}) == {"spin": (0, SPIN_SESSIONS, 0)}


def test_days_that_are_not_published_yet_do_not_count() -> None:
    change = edit(RULES, {"riverside": replace(VENUE, town="Bath")})
    until = date(2026, 10, 20)
    partly = {key: replace(each, published_until=until) for key, each in change.stored.items()}
    stored = published(partly.values(), DateRange(DATES.first, until))
    found = {key.key: each for key, each in effects(change._replace(stored=partly), stored, {}, POLICY, NOW)}
    assert counts(found) == {"spin": (0, 0, 0), "squash": (0, 0, 0)}


def test_a_course_after_the_published_days_counts() -> None:
    course = replace(COURSE, first=date(2027, 5, 3))
    assert counts(effect(edit(RULES, {"beginners": course}))) == {"beginners": (1, 0, 0)}
    stored = {**RULES, "beginners": course}
    assert counts(effect(edit(stored, {"beginners": replace(course, capacity=3)}))) == {"beginners": (0, 1, 0)}


def test_the_effect_makes_the_stored_opportunities_those_of_the_changed_timetable() -> None:
    rules: dict[str, TimetableRule] = {"spin": replace(SPIN, first=date(2026, 10, 21)), "hall": HALL}
    change = edit(RULES, rules, ["squash"])
    stored = {item.path: item for item in published(change.stored.values())}
    for changes in effect(change).values():
        for item in changes.removed:
            del stored[item.path]
        stored.update({item.path: item for item in changes.published})
    after = {item.path: item for item in published(change.after.values())}
    is_over = {path for path, item in (stored | after).items() if item.start and item.start <= NOW}
    assert {path: item for path, item in stored.items() if path not in is_over} == {
        path: item for path, item in after.items() if path not in is_over
    }
