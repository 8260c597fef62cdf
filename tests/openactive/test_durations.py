"""Durations in the form of ISO 8601."""

from datetime import timedelta
from typing import Any

import pytest

from openbooking.openactive.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("PT1H", timedelta(hours=1)),
        ("P1DT2H30M15S", timedelta(days=1, hours=2, minutes=30, seconds=15)),
        ("P2W", timedelta(weeks=2)),
        ("P0Y0M1D", timedelta(days=1)),
        ("PT1.5H", timedelta(minutes=90)),
        ("PT1,5H", timedelta(minutes=90)),
        ("PT0.6S", timedelta(seconds=1)),
        (" pt1h ", timedelta(hours=1)),
        ("P3660D", timedelta(days=3660)),
    ],
)
def test_a_duration_is_parsed_and_rounded_to_the_second(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "value", [None, 60, "", "P", "PT", "1H", "P1Y", "P1M", "P3661D", "PT1.5H30M", "-PT1H", "PT\u0661H", "PT1H\nPT1H"]
)
def test_a_value_of_another_form_or_above_ten_years_is_no_duration(value: Any) -> None:
    assert parse_duration(value) is None
