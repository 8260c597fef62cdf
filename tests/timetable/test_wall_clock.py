"""Local times as instants, also when clocks change."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from openbooking.timetable.wall_clock import DateRange, instant, start_of_day
from support.timetables import LONDON


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-07-01T18:15", "2026-07-01T17:15"),
        ("2026-12-01T18:15", "2026-12-01T18:15"),
        ("2027-03-28T00:59", "2027-03-28T00:59"),
        ("2027-03-28T01:00", "2027-03-28T01:00"),
        ("2027-03-28T01:30", "2027-03-28T01:30"),
        ("2027-03-28T02:30", "2027-03-28T01:30"),
        ("2026-10-25T00:59", "2026-10-24T23:59"),
        ("2026-10-25T01:00", "2026-10-25T01:00"),
        ("2026-10-25T01:30", "2026-10-25T01:30"),
        ("2026-10-25T02:00", "2026-10-25T02:00"),
    ],
)
def test_a_time_that_does_not_exist_or_exists_twice_has_the_later_reading(local: str, expected: str) -> None:
    assert instant(datetime.fromisoformat(local), LONDON) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_negative_summer_time_has_the_later_reading_too() -> None:
    local = datetime.fromisoformat("2026-10-25T01:30")
    assert instant(local, ZoneInfo("Europe/Dublin")) == local.replace(tzinfo=UTC)


def test_a_day_on_which_clocks_change_has_23_or_25_hours() -> None:
    spring = start_of_day(date(2027, 3, 29), LONDON) - start_of_day(date(2027, 3, 28), LONDON)
    autumn = start_of_day(date(2026, 10, 26), LONDON) - start_of_day(date(2026, 10, 25), LONDON)
    assert (spring.total_seconds(), autumn.total_seconds()) == (23 * 3600, 25 * 3600)


def test_consecutive_ranges_meet_without_gap() -> None:
    first, second = DateRange(date(2026, 10, 20), date(2026, 10, 25)), DateRange(date(2026, 10, 25), date(2026, 10, 30))
    assert first.span(LONDON).end == second.span(LONDON).start
    assert [*first.days(), *second.days()] == DateRange(date(2026, 10, 20), date(2026, 10, 30)).days()
