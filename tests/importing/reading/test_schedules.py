"""Schedules of series: the starts of their sessions, and rules that are not understood."""

from datetime import UTC, datetime
from typing import Any

import pytest

from openbooking.importing.reading.schedules import MAX_SESSIONS, Horizon, expand_schedules
from openbooking.openactive.opportunity_types import OpportunityType
from support.builders import SCHEDULE as PARTIAL
from support.importing.published_items import series

HORIZON = Horizon(datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 4, 26, tzinfo=UTC))
RULE: dict[str, Any] = {
    "@type": "Schedule",
    "repeatFrequency": "P1W",
    "startDate": "2027-01-04",
    "startTime": "19:15",
    "endTime": "20:15",
    "byDay": ["https://schema.org/Monday"],
    "scheduleTimezone": "Europe/London",
}


def sessions(horizon: Horizon = HORIZON, **changes: Any) -> list[dict[str, Any]]:
    schedule = {name: value for name, value in (RULE | changes).items() if value is not None}
    thing = series(eventSchedule=[schedule], maximumAttendeeCapacity=12)
    expanded = expand_schedules(thing, OpportunityType.SESSION_SERIES, horizon)
    assert not expanded.faults
    return list(expanded.thing["subEvent"])


def starts(**changes: Any) -> list[str]:
    """Return month, day, hour and minute of the starts, in UTC."""
    return [str(made["startDate"])[5:16] for made in sessions(**changes)]


def test_sessions_stay_at_their_time_on_the_wall_across_a_change_of_clocks() -> None:
    times = starts()
    assert times[:5] == ["03-01T19:15", "03-08T19:15", "03-15T19:15", "03-22T19:15", "03-29T18:15"]
    assert len(times) == 8
    assert starts(scheduleTimezone=None) == times
    assert starts(scheduleTimezone="America/New_York")[0] == "03-02T00:15"


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({"endDate": "2027-03-15"}, ["03-01", "03-08", "03-15"]),
        ({"repeatFrequency": "P2W"}, ["03-01", "03-15", "03-29", "04-12"]),
        ({"repeatCount": 10}, ["03-01", "03-08"]),
        ({"exceptDate": ["2027-03-01", "2027-03-08T19:15:00Z"], "endDate": "2027-03-20"}, ["03-15"]),
        ({"byMonth": [4]}, ["04-05", "04-12", "04-19"]),
        ({"repeatFrequency": "P1M", "byDay": ["1MO"]}, ["03-01", "04-05"]),
        ({"repeatFrequency": "P1M", "byDay": None, "byMonthDay": [15]}, ["03-15", "04-15"]),
        ({"repeatFrequency": "P1Y", "byDay": None, "startDate": "2020-03-09"}, ["03-09"]),
        ({"byDay": ["schema:Tuesday", "TH"], "endDate": "2027-03-05"}, ["03-02", "03-04"]),
        ({"repeatFrequency": "P1D", "byDay": None, "endDate": "2027-03-03"}, ["03-01", "03-02", "03-03"]),
        ({"endDate": "2027-01-31"}, []),
        ({"startDate": "2028-01-01"}, []),
    ],
)
def test_sessions_take_place_on_the_days_of_the_rule(changes: dict[str, Any], days: list[str]) -> None:
    assert [start[:5] for start in starts(**changes)] == days


def test_a_session_has_the_length_the_spaces_and_the_ids_of_its_rule() -> None:
    id_, url = "https://x.example/s/{startDate}", "https://x.example/s?at={startDate}"
    first, *_ = sessions(idTemplate=id_, urlTemplate=url, endTime=None, duration="PT45M")
    assert first == {
        "@type": "ScheduledSession",
        "@id": "https://x.example/s/2027-03-01T19%3A15%3A00Z",
        "url": "https://x.example/s?at=2027-03-01T19%3A15%3A00Z",
        "startDate": "2027-03-01T19:15:00Z",
        "endDate": "2027-03-01T20:00:00Z",
        "maximumAttendeeCapacity": 12,
        "remainingAttendeeCapacity": 12,
    }
    late, *_ = sessions(startTime="23:30", endTime="00:30")
    assert (late["startDate"], late["endDate"]) == ("2027-03-01T23:30:00Z", "2027-03-02T00:30:00Z")


def test_a_session_that_the_series_embeds_is_not_made_again() -> None:
    own = {"@type": "ScheduledSession", "startDate": "2027-03-08T19:15:00Z", "duration": "PT2H"}
    thing = series(eventSchedule=[RULE], subEvent=[own])
    expanded = expand_schedules(thing, OpportunityType.SESSION_SERIES, HORIZON)
    assert expanded.thing["subEvent"][0] == own
    assert [str(made["startDate"])[5:10] for made in expanded.thing["subEvent"]].count("03-08") == 1
    assert expanded.remarks == ("sessions of its Schedule made: 7",)


@pytest.mark.parametrize("schedule", [PARTIAL, None, "https://x.example/schedule"])
def test_a_partial_schedule_has_no_remark_and_no_sessions(schedule: Any) -> None:
    thing = series(eventSchedule=schedule)
    for horizon in (None, HORIZON):
        assert expand_schedules(thing, OpportunityType.SESSION_SERIES, horizon) == (thing, (), ())


def test_a_schedule_that_is_not_expanded_is_remarked_on() -> None:
    thing = series(eventSchedule=RULE)
    expanded = expand_schedules(thing, OpportunityType.SESSION_SERIES, None)
    assert expanded.thing == thing
    assert "a rule that could be taken over" in expanded.remarks[0]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"startDate": None}, "it has no startDate"),
        ({"startDate": "soon"}, "no date and time"),
        ({"startDate": "1971-10-14"}, "its startDate is before 1990"),
        ({"startTime": None}, "it has no startTime"),
        ({"startTime": "25:00"}, "its startTime is no time of day"),
        ({"endTime": None}, "it has no endTime"),
        ({"endTime": None, "duration": "PT0S"}, "its duration is zero"),
        ({"repeatFrequency": None}, "its repeatFrequency is not a number"),
        ({"repeatFrequency": "PT1H"}, "its repeatFrequency is not a number"),
        ({"byDay": ["Moonday"]}, "is no day of the week"),
        ({"byMonth": [13]}, "its byMonth is not a list of numbers up to 12"),
        ({"scheduleTimezone": "Mars/Olympus"}, "is not known"),
        ({"scheduleTimezone": "../../etc/passwd"}, "is not known"),
        ({"exceptDate": ["never"]}, "no date and time"),
        ({"repeatCount": "many"}, "its repeatCount many is no number"),
    ],
)
def test_a_rule_that_is_not_understood_is_a_fault(changes: dict[str, Any], why: str) -> None:
    schedule = {name: value for name, value in (RULE | changes).items() if value is not None}
    expanded = expand_schedules(series(eventSchedule=schedule), OpportunityType.SESSION_SERIES, HORIZON)
    (fault,) = expanded.faults
    assert fault.startswith("its Schedule cannot be taken over: ")
    assert why in fault
    assert expanded.thing["subEvent"] == []


def test_a_rule_with_too_many_sessions_is_a_fault() -> None:
    long = Horizon(HORIZON.since, datetime(2037, 1, 1, tzinfo=UTC))
    thing = series(eventSchedule=[{**RULE, "repeatFrequency": "P1D", "byDay": None}])
    expanded = expand_schedules(thing, OpportunityType.SESSION_SERIES, long)
    assert f"more than {MAX_SESSIONS:,} sessions" in expanded.faults[0]
    assert expanded.thing == thing
