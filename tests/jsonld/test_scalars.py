"""Instants, durations and prices in JSON."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from openbooking.jsonld.scalars import write_duration, write_instant, write_price


@pytest.mark.spec("OB-FEED-25", "OB-FEED-26")
@pytest.mark.parametrize(
    ("instant", "written"),
    [
        (datetime(2027, 3, 1, 12, tzinfo=UTC), "2027-03-01T12:00:00Z"),
        (datetime(2027, 7, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2027-06-30T23:30:00Z"),
        (datetime(2027, 3, 1, 12, 0, 5, 999_999, tzinfo=UTC), "2027-03-01T12:00:05Z"),
    ],
)
def test_instants_are_in_utc_to_the_second(instant: datetime, written: str) -> None:
    assert write_instant(instant) == written


@pytest.mark.parametrize(
    ("duration", "written"),
    [
        (timedelta(), "P0D"),
        (timedelta(days=7), "P7D"),
        (timedelta(hours=1), "PT1H"),
        (timedelta(hours=1, minutes=30), "PT1H30M"),
        (timedelta(days=1, seconds=5), "P1DT5S"),
        (timedelta(hours=25, minutes=1, seconds=1), "P1DT1H1M1S"),
    ],
)
def test_durations_are_iso_8601(duration: timedelta, written: str) -> None:
    assert write_duration(duration) == written


@pytest.mark.parametrize(("price", "written"), [("12.00", "12"), ("0", "0"), ("5.50", "5.5"), ("0.2", "0.2")])
def test_prices_are_json_numbers_whole_where_possible(price: str, written: str) -> None:
    assert repr(write_price(Decimal(price))) == written
