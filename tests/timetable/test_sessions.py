"""The sessions of weekly classes."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from msgspec.structs import replace

from openbooking.booking.model.timetable import ChangeFrom, OccurrenceTerms, Terms, WeeklyTime
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.timetable.occurrences import undated_opportunities
from support.timetables import (
    ADULT,
    EVERY_DAY,
    JUNIOR,
    MEMBER,
    MONDAY,
    SPIN,
    SUNDAY,
    WEDNESDAY,
    around,
    days,
    entry,
    local_starts,
    occurrences_of,
)

WEEK = days(date(2026, 11, 2))


def at(local: str) -> datetime:
    return datetime.fromisoformat(local)


def test_a_session_has_the_path_of_its_class_start_and_length() -> None:
    monday = occurrences_of(SPIN, WEEK)[0]
    assert monday.path == "scheduled-sessions/centre.spin.20261102T1815Z.45"
    assert (monday.type, monday.parent) == (OpportunityType.SCHEDULED_SESSION, "session-series/centre.spin")
    assert monday.start == datetime(2026, 11, 2, 18, 15, tzinfo=UTC)
    assert monday.end == datetime(2026, 11, 2, 19, 0, tzinfo=UTC)
    assert (monday.capacity, monday.offers) == (18, ())


def test_sessions_keep_their_time_on_the_wall_when_clocks_change() -> None:
    found = occurrences_of(SPIN, days(date(2026, 10, 19), 14))
    assert local_starts(found) == ["10-19 18:15", "10-21 18:15", "10-26 18:15", "10-28 18:15"]
    assert [item.start.hour for item in found if item.start] == [17, 17, 18, 18]


@pytest.mark.parametrize(
    ("day", "start", "ends"),
    [(date(2027, 3, 28), "2027-03-28T01:30Z", "2027-03-28T02:30Z"), (date(2026, 10, 25), "2026-10-25T01:30Z", None)],
)
def test_a_session_at_a_time_that_does_not_exist_or_exists_twice_takes_place_once(
    day: date, start: str, ends: str | None
) -> None:
    night = replace(SPIN, times=(WeeklyTime((SUNDAY,), time(1, 30), 60),))
    [session] = occurrences_of(night, days(day, 1))
    assert session.start == at(start)
    assert session.end == (at(ends) if ends else session.start + timedelta(hours=1))


def test_two_times_that_become_one_instant_are_one_session() -> None:
    night = replace(SPIN, times=tuple(WeeklyTime((SUNDAY,), time(hour, 30), 45) for hour in (1, 2)))
    assert local_starts(occurrences_of(night, days(date(2027, 3, 28), 1))) == ["03-28 02:30"]
    assert len(occurrences_of(night, days(date(2027, 4, 4), 1))) == 2


def test_a_class_begins_and_ends_with_its_first_and_last_date() -> None:
    short = replace(SPIN, first=date(2026, 11, 4), last=date(2026, 11, 9))
    assert local_starts(occurrences_of(short, days(date(2026, 10, 1), 90))) == ["11-04 18:15", "11-09 18:15"]


def test_a_class_does_not_take_place_on_its_exceptions() -> None:
    found = occurrences_of(replace(SPIN, without=(date(2026, 11, 2), date(2026, 11, 3))), WEEK)
    assert local_starts(found) == ["11-04 18:15"]


def test_terms_apply_from_their_date_until_a_later_change_of_the_same_term() -> None:
    changed = replace(
        SPIN,
        changes=(
            ChangeFrom(date(2026, 11, 4), Terms(capacity=10, prices=(JUNIOR,))),
            ChangeFrom(date(2026, 11, 9), Terms(capacity=12)),
            ChangeFrom(date(2026, 11, 11), Terms(prices=SPIN.prices)),
        ),
    )
    found = occurrences_of(changed, days(date(2026, 11, 2), 10))
    assert [item.capacity for item in found] == [18, 10, 12, 12]
    assert [[offer.name for offer in item.offers] for item in found] == [[], ["Junior"], ["Junior"], []]


def test_terms_of_a_single_session_precede_those_from_a_date_on() -> None:
    single = OccurrenceTerms(at("2026-11-04T18:15"), Terms(capacity=30, prices=(ADULT,)))
    changed = replace(SPIN, changes=(ChangeFrom(date(2026, 11, 1), Terms(capacity=10)),), single=(single,))
    monday, wednesday = occurrences_of(changed, WEEK)
    assert (monday.capacity, monday.offers) == (10, ())
    assert (wednesday.capacity, [offer.ref.owner for offer in wednesday.offers]) == (30, [wednesday.path])


def test_terms_of_a_session_at_a_time_that_does_not_exist_are_found_by_the_time_that_clocks_show() -> None:
    night = replace(SPIN, times=(WeeklyTime((SUNDAY,), time(1, 30), 60),))
    for local in ("2027-03-28T01:30", "2027-03-28T02:30"):
        single = OccurrenceTerms(at(local), Terms(capacity=3))
        [session] = occurrences_of(replace(night, single=(single,)), days(date(2027, 3, 28), 1))
        assert session.capacity == 3


def test_a_series_describes_the_class() -> None:
    last = date(2026, 12, 18)
    rule = replace(SPIN, last=last, properties={"image": [{"@type": "ImageObject"}], "name": "Not this"})
    [series] = undated_opportunities(entry(rule), around())
    published = series.properties
    assert published["name"] == "Spin"
    assert published["image"] == [{"@type": "ImageObject"}]
    assert published["location"]["address"]["postalCode"] == "OX1 1AA"
    assert published["location"]["geo"]["latitude"] == 51.75
    assert published["leader"] == [{"@type": "Person", "name": "Mo Farrow"}]
    assert published["level"] == ["Beginner"]
    assert published["ageRange"] == {"@type": "QuantitativeValue", "minValue": 16}
    assert published["activity"][0]["inScheme"] == "https://openactive.io/activity-list"
    [schedule] = published["eventSchedule"]
    assert schedule["byDay"] == ["https://schema.org/Monday", "https://schema.org/Wednesday"]
    assert (schedule["startTime"], schedule["endTime"], schedule["endDate"]) == ("18:15", "19:00", "2026-12-18")
    assert schedule["scheduleTimezone"] == "Europe/London"
    assert [offer.name for offer in series.offers] == [ADULT.name, MEMBER.name]


def test_a_class_of_many_times_has_them_in_order() -> None:
    times = (WeeklyTime((WEDNESDAY, MONDAY), time(18), 45), WeeklyTime(EVERY_DAY, time(7), 60))
    found = local_starts(occurrences_of(replace(SPIN, times=times), days(date(2026, 11, 2), 2)))
    assert found == ["11-02 07:00", "11-02 18:00", "11-03 07:00"]
