"""The words of files for days, times and lengths of time."""

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbooking.booking.model.timetable import Nation
from openbooking.openactive.terms import Availability
from openbooking.timetable.files import words


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mon", (0,)),
        ("monday, WED;Sun", (0, 2, 6)),
        ("Mon-Fri", (0, 1, 2, 3, 4)),
        ("Tues - Thurs Sa", (1, 2, 3, 5)),
        ("Sat-Mon", (5, 6, 0)),
        ("", ()),
    ],
)
def test_days_are_read(text: str, days: tuple[int, ...]) -> None:
    assert words.read_days(text) == days


@pytest.mark.parametrize("text", ["M", "T", "S", "Mondays", "0", "Mon-", "-Mon", "Mon-Wed-Fri", "every day"])
def test_other_words_are_no_days(text: str) -> None:
    with pytest.raises(ValueError, match="Give days"):
        words.read_days(text)


@pytest.mark.parametrize(
    ("days", "text"),
    [((0, 1, 2, 3, 4, 5, 6), "Mon-Sun"), ((0, 1), "Mon Tue"), ((0, 2, 3, 4), "Mon Wed-Fri"), ((4, 0), "Fri Mon")],
)
def test_three_days_in_a_row_are_written_as_a_range(days: tuple[int, ...], text: str) -> None:
    assert words.write_days(days) == text


@given(st.lists(st.integers(0, 6)).map(tuple))
def test_written_days_are_read_back(days: tuple[int, ...]) -> None:
    assert words.read_days(words.write_days(days)) == days


@pytest.mark.parametrize(("text", "at"), [("7:05", time(7, 5)), ("24:00", time()), (" 18:15:30 ", time(18, 15, 30))])
def test_times_are_read(text: str, at: time) -> None:
    assert words.read_time(text) == at


@pytest.mark.parametrize("text", ["7", "18.15", "24:01", "18:60", "-1:00", "18:15Z", ""])
def test_other_words_are_no_times(text: str) -> None:
    with pytest.raises(ValueError, match="Give a time"):
        words.read_time(text)


def test_the_end_of_a_day_is_the_start_of_the_next_day() -> None:
    assert words.read_date_time("2026-12-31 24:00") == datetime(2027, 1, 1)  # noqa: DTZ001 - on the wall clock
    with pytest.raises(ValueError, match="2026-12-05"):
        words.read_date_time("9999-12-31 24:00")


@given(st.datetimes().map(lambda at: at.replace(microsecond=0)))
def test_written_dates_and_times_are_read_back(at: datetime) -> None:
    assert words.read_date_time(words.write_date_time(at)) == at


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("8 days", timedelta(days=8)),
        ("1 day 12 hours", timedelta(hours=36)),
        ("1 week and 1 day, 90minutes", timedelta(days=8, minutes=90)),
        ("0 minutes", timedelta()),
    ],
)
def test_lengths_of_time_are_read(text: str, length: timedelta) -> None:
    assert words.read_duration(text) == length


@pytest.mark.parametrize("text", ["", "8", "days", "-8 days", "8 days before", "1.5 days", "P8D"])
def test_other_words_are_no_lengths_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="Give a length of time"):
        words.read_duration(text)


@given(st.integers(0, 10**8).map(lambda seconds: timedelta(seconds=seconds)))
def test_written_lengths_of_time_are_read_back(length: timedelta) -> None:
    assert words.read_duration(words.write_duration(length)) == length


def test_choices_are_read_by_their_value_or_the_last_part_of_it() -> None:
    assert words.read_choice("required", Availability) is Availability.REQUIRED
    assert words.read_choice("gb-eng", Nation) is Nation.ENGLAND
    with pytest.raises(ValueError, match="Give one of required, optional, unavailable"):
        words.read_choice("maybe", Availability)
