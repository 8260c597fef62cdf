"""The difference between a timetable and the stored Opportunities, and that no change of a rule loses a booking."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.timetable import Closure, Event, Facility, Price, TimetableRule, WeeklyClass, WeeklyTime
from openbooking.openactive.terms import EventStatus
from openbooking.store.documents import decode_opportunity, encode
from openbooking.timetable.changes import TimetableChanges, compare
from openbooking.timetable.occurrences import occurrences, opportunities
from openbooking.timetable.wall_clock import DateRange
from support.builders import after, situation
from support.histories.lengths import examples
from support.parties import MANAGER
from support.random_timetables import CLASSES, CLOSURES, FACILITIES, FIRST
from support.timetables import (
    ADULT,
    BEGINNERS,
    FILM,
    JUNIOR,
    MEMBER,
    MONDAY,
    OPEN_DAY,
    SPIN,
    TUESDAY,
    around,
    days,
    entry,
    local_starts,
)

NOW = datetime(2026, 10, 18, tzinfo=UTC)
DATES = days(FIRST, 14)
RULES = st.tuples(CLASSES, CLASSES) | st.tuples(FACILITIES, FACILITIES)
Rules = tuple[WeeklyClass, WeeklyClass] | tuple[Facility, Facility]


def made(rule: TimetableRule, *closures: Closure, dates: DateRange = DATES) -> list[Opportunity]:
    return list(opportunities(entry(rule), around(*closures), dates))


def applied(changes: TimetableChanges, stored: Sequence[Opportunity]) -> list[Opportunity]:
    """Return the stored Opportunities after the changes."""
    removed = {item.path for item in changes.removed}
    kept = {item.path: item for item in stored if item.path not in removed}
    return list((kept | {item.path: item for item in changes.published}).values())


def published(items: Sequence[Opportunity]) -> list[Opportunity]:
    """Return the Opportunities as a store has them after their publication."""
    before = replace(situation(), now=NOW)
    stored = after(before, Publish(tuple(items), actor=MANAGER)).opportunities.values()
    return [decode_opportunity(encode(item)) for item in stored]


@pytest.mark.no_cover
@settings(max_examples=examples(30), suppress_health_check=[HealthCheck.too_slow])
@given(rule=CLASSES | FACILITIES)
def test_what_was_published_needs_no_change(rule: WeeklyClass | Facility) -> None:
    wanted = list(opportunities(entry(rule), around(), days(FIRST, 3)))
    stored = published(wanted)
    assert len(stored) == len(wanted)
    assert compare(wanted, stored, {}, NOW)[:3] == ((), (), ())


def recognised(item: Opportunity) -> tuple[object, ...]:
    """Return that by which people recognise an occurrence: its class or court, its start and its length."""
    return item.parent, item.start, item.end


@pytest.mark.no_cover
@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(rules=RULES, closures=st.lists(CLOSURES, max_size=2), data=st.data())
def test_a_change_of_a_rule_never_loses_or_renames_a_booked_occurrence(
    rules: Rules, closures: list[Closure], data: st.DataObject
) -> None:
    stored, wanted = made(rules[0]), made(rules[1], *closures)
    occurring = [item for item in stored if item.type.is_dated]
    booked = (
        {item.path: 1 for item in occurring if data.draw(st.booleans())}
        if len(occurring) < 50
        else {item.path: 1 for item in occurring}
    )
    changes = compare(wanted, stored, booked, NOW)
    still = {recognised(item): item.path for item in wanted if item.type.is_dated}
    removed = {item.path for item in changes.removed_booked}
    for item in occurring:
        if item.path in booked:
            kept = still.get(recognised(item))
            assert kept == item.path if kept else item.path in removed
    known = {recognised(item) for item in occurring}
    assert all(recognised(item) not in known for item in changes.added if item.type.is_dated)
    left = applied(changes, stored)
    assert {item.path: item for item in left} == {item.path: item for item in wanted}
    assert compare(wanted, left, booked, NOW)[:3] == ((), (), ())


@pytest.mark.no_cover
@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow])
@given(rule=CLASSES | FACILITIES, closures=st.lists(CLOSURES, max_size=1), split=st.integers(0, 14))
def test_batches_of_dates_make_the_same_as_all_dates_at_once(
    rule: WeeklyClass | Facility, closures: list[Closure], split: int
) -> None:
    middle = FIRST + timedelta(days=split)
    whole, first, second = (
        list(occurrences(entry(rule), around(*closures), dates))
        for dates in (DATES, DateRange(FIRST, middle), DateRange(middle, DATES.until))
    )
    assert {item.path: item for item in whole} == {item.path: item for item in (*first, *second)}
    assert len(whole) == len(first) + len(second) == len({item.path for item in whole})


def test_another_time_adds_and_removes_sessions_and_names_those_with_bookings() -> None:
    stored = made(SPIN, dates=days(date(2026, 11, 2)))
    moved = replace(SPIN, times=(WeeklyTime((MONDAY, TUESDAY), time(18, 15), 45),))
    wednesday = stored[-1].path
    changes = compare(made(moved, dates=days(date(2026, 11, 2))), stored, {wednesday: 3, stored[1].path: 2}, NOW)
    assert local_starts([*changes.added]) == ["11-03 18:15"]
    assert local_starts([*changes.removed_booked]) == ["11-04 18:15"]
    # The series has another schedule.
    assert [(change.after.path, change.fields) for change in changes.changed] == [(stored[0].path, ("properties",))]
    assert changes.booked == {wednesday: 3}
    assert (changes.removed_unbooked, changes.changed_booked) == ((), ())


def test_another_capacity_and_price_change_the_booked_sessions() -> None:
    stored = made(SPIN, dates=days(date(2026, 11, 2)))
    wanted = made(replace(SPIN, capacity=20, prices=(ADULT, JUNIOR)), dates=days(date(2026, 11, 2)))
    changes = compare(wanted, stored, {stored[1].path: 1}, NOW)
    assert [change.fields for change in changes.changed] == [("offers",), ("capacity",), ("capacity",)]
    assert [change.before.path for change in changes.changed_booked] == [stored[1].path]
    assert changes.published == tuple(wanted)


@pytest.mark.parametrize("state", [{"cancelled_here": True, "status": EventStatus.CANCELLED}, {"venue": "Elsewhere"}])
def test_a_state_that_comes_from_no_rule_makes_no_difference(state: dict[str, object]) -> None:
    stored = [replace(item, **state) for item in made(SPIN)]
    assert compare(made(SPIN), stored, {}, NOW)[:3] == ((), (), ())


def test_an_occurrence_that_is_cancelled_or_withdrawn_is_not_removed_again() -> None:
    gone = [replace(item, cancelled_here=True) for item in made(SPIN)[1:3]]
    gone += [replace(item, withdrawn=True) for item in made(SPIN)[3:]]
    assert compare([], gone, {}, NOW).removed == ()


def test_a_withdrawn_occurrence_that_the_rule_makes_again_is_added() -> None:
    stored = made(SPIN)
    stored[1] = replace(stored[1], withdrawn=True, parent=None)
    changes = compare(made(SPIN), stored, {}, NOW)
    assert [item.path for item in changes.added] == [stored[1].path]
    assert changes.changed == ()


def test_sessions_that_have_begun_stay_as_they_are() -> None:
    stored = made(SPIN)
    begun = stored[1].start
    assert begun
    changes = compare(made(replace(SPIN, capacity=1, times=SPIN.times[:0])), stored, {}, begun)
    assert {item.path for item in changes.removed} == {item.path for item in stored[2:]}
    assert stored[1].path not in {item.path for item in compare(made(SPIN), [], {}, begun).added}


def test_an_event_that_is_over_is_published_again_at_a_new_date() -> None:
    first = Event(
        name="Open day", start=datetime.combine(FIRST, time(10)), minutes=60, capacity=5, prices=(ADULT,)
    )  # fmt: skip
    again = replace(first, start=first.start + timedelta(days=30))
    now = NOW + timedelta(days=5)
    assert [item.path for item in compare(made(again), made(first), {}, now).added] == ["events/centre.spin"]
    assert compare(made(again), made(first), {}, NOW).changed[0].fields == ("start", "end")


def test_a_session_that_staff_has_moved_is_neither_changed_nor_removed_nor_made_again() -> None:
    stored = made(SPIN)
    moved = replace(stored[1], start=NOW + timedelta(days=100), end=NOW + timedelta(days=101))
    for rule in (SPIN, replace(SPIN, capacity=1), replace(SPIN, times=SPIN.times[:0])):
        changes = compare(made(rule), [stored[0], moved, *stored[2:]], {moved.path: 1}, NOW)
        assert moved.path not in {item.path for item in (*changes.published, *changes.removed)}


def test_a_session_keeps_the_name_that_staff_gave_to_it() -> None:
    stored = made(SPIN)
    stored[1] = replace(stored[1], properties={"name": "Spin with a guest"})
    assert compare(made(SPIN), stored, {}, NOW)[:3] == ((), (), ())
    [_, session, *_] = compare(made(replace(SPIN, capacity=1, name="Spinning")), stored, {}, NOW).changed
    assert (session.after.capacity, session.after.properties) == (1, {"name": "Spin with a guest"})


@pytest.mark.parametrize("rule", [SPIN, OPEN_DAY, BEGINNERS, FILM], ids=["class", "event", "course", "film"])
def test_an_entry_with_restricted_and_free_prices_needs_no_change_after_its_publication(rule: TimetableRule) -> None:
    free = Price(name="Free", amount=Decimal(0))
    wanted = made(replace(rule, prices=(ADULT, MEMBER, free)))
    assert compare(wanted, published(wanted), {}, NOW)[:3] == ((), (), ())
