"""Events, courses and on-demand items."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.timetable import (
    Closure,
    Course,
    Event,
    Nation,
    OnDemandItem,
    TimetableRule,
    WeeklyTime,
)
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.timetable.occurrences import opportunities
from support.timetables import ADULT, MEMBER, MONDAY, THURSDAY, YOGA, around, closed, days, entry

RANGE = days(date(2030, 1, 1))
OPEN_DAY = Event(
    name="Open day",
    venue="riverside",
    start=datetime.fromisoformat("2027-03-28T00:30"),
    minutes=120,
    capacity=60,
    prices=(ADULT,),
)
BEGINNERS = Course(
    name="Yoga for beginners",
    venue="riverside",
    times=(WeeklyTime((MONDAY, THURSDAY), time(19), 90),),
    first=date(2026, 10, 20),
    dates=4,
    capacity=12,
    prices=(ADULT, MEMBER),
)


def only(rule: TimetableRule, *closures: Closure) -> Opportunity:
    [made] = opportunities(entry(rule, "single"), around(*closures), RANGE)
    return made


def dates_of(course: Opportunity) -> list[str]:
    return [part["startDate"] for part in course.properties["subEvent"]]


def test_an_event_is_made_for_any_dates_and_lasts_its_elapsed_minutes() -> None:
    made = only(OPEN_DAY)
    assert (made.path, made.type) == ("events/centre.single", OpportunityType.EVENT)
    assert made.start == datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
    assert made.end == made.start + timedelta(hours=2)
    assert (made.capacity, [offer.ref.owner for offer in made.offers]) == (60, [made.path])


def test_an_event_keeps_its_path_at_another_date() -> None:
    assert only(replace(OPEN_DAY, start=OPEN_DAY.start + timedelta(days=7))).path == only(OPEN_DAY).path


@pytest.mark.parametrize(
    ("closure", "is_made"),
    [
        (closed("2027-03-28T02:30", "2027-03-28T04:00"), False),
        (closed("2027-03-28T03:30", "2027-03-28T04:00"), True),
        (closed("2027-03-27T00:00", "2027-03-29T00:00", venue="elsewhere"), True),
        (closed("2027-03-27T00:00", "2027-03-29T00:00", venue="riverside"), False),
    ],
)
def test_an_event_in_a_closed_place_is_not_made(closure: Closure, is_made: bool) -> None:
    assert bool(list(opportunities(entry(OPEN_DAY), around(closure), RANGE))) is is_made


def test_an_event_takes_place_on_a_bank_holiday_and_a_course_does_not() -> None:
    holidays = Closure(name="Bank holidays", bank_holidays=Nation.ENGLAND)
    christmas = datetime.fromisoformat("2026-12-25T10:00")
    assert only(replace(OPEN_DAY, start=christmas), holidays).start == christmas.replace(tzinfo=UTC)
    course = only(replace(BEGINNERS, first=date(2026, 12, 21), dates=3), holidays)
    assert dates_of(course) == ["2026-12-21T19:00:00Z", "2026-12-24T19:00:00Z", "2026-12-31T19:00:00Z"]


def test_a_course_has_its_dates_from_the_first_to_the_last() -> None:
    made = only(BEGINNERS)
    assert (made.path, made.type) == ("course-instances/centre.single", OpportunityType.COURSE_INSTANCE)
    assert dates_of(made) == [
        *("2026-10-22T18:00:00Z", "2026-10-26T19:00:00Z", "2026-10-29T19:00:00Z", "2026-11-02T19:00:00Z")
    ]
    assert made.start == datetime(2026, 10, 22, 18, 0, tzinfo=UTC)
    assert made.end == datetime(2026, 11, 2, 20, 30, tzinfo=UTC)
    assert made.properties["eventSchedule"][0]["endDate"] == "2026-11-02"


def test_a_course_ends_later_if_it_does_not_take_place_on_some_dates() -> None:
    made = only(replace(BEGINNERS, without=(date(2026, 10, 26),)), closed("2026-10-29T20:00", "2026-10-29T21:00"))
    assert dates_of(made) == [
        *("2026-10-22T18:00:00Z", "2026-11-02T19:00:00Z", "2026-11-05T19:00:00Z", "2026-11-09T19:00:00Z")
    ]


def test_a_course_counts_a_time_that_is_given_twice_once() -> None:
    twice = replace(BEGINNERS, times=(*BEGINNERS.times, WeeklyTime((MONDAY,), time(19), 90)))
    assert dates_of(only(twice)) == dates_of(only(BEGINNERS))


def test_a_course_in_a_place_that_is_closed_for_years_is_not_made() -> None:
    closure = closed("2026-01-01T00:00", "2099-12-31T00:00")
    assert not list(opportunities(entry(BEGINNERS), around(closure), RANGE))


def test_an_on_demand_item_has_neither_start_nor_place() -> None:
    made = only(OnDemandItem(name="Film", venue="riverside", concepts=(YOGA,), prices=(ADULT,)))
    assert (made.path, made.start, made.capacity) == ("on-demand-events/centre.single", None, None)
    assert "location" not in made.properties
