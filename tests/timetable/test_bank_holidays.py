"""The table of bank holidays agrees with the rules of the Banking and Financial Dealings Act and its proclamations."""

from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from dateutil.easter import easter
from dateutil.relativedelta import MO, relativedelta

from openbooking.booking.model.timetable import Nation
from openbooking.timetable.bank_holidays import bank_holidays, bank_holidays_known_until

YEARS = range(2024, 2029)
DAY = timedelta(days=1)
# Holidays that were proclaimed for one year.
ONCE = {Nation.SCOTLAND: {date(2026, 6, 15)}}
FIXED = {
    Nation.ENGLAND: ((1, 1), (12, 25), (12, 26)),
    Nation.WALES: ((1, 1), (12, 25), (12, 26)),
    Nation.SCOTLAND: ((1, 1), (1, 2), (11, 30), (12, 25), (12, 26)),
    Nation.NORTHERN_IRELAND: ((1, 1), (3, 17), (7, 12), (12, 25), (12, 26)),
}


def with_substitutes(days: Iterable[date]) -> set[date]:
    """Return the holidays; the next working day is a substitute for one at a weekend."""
    found: set[date] = set()
    for day in sorted(days, key=lambda day: (day.weekday() >= 5, day)):
        while day.weekday() >= 5 or day in found:
            day += DAY  # noqa: PLW2901 - the substitute
        found.add(day)
    return found


def expected(nation: Nation, year: int) -> set[date]:
    may, august = date(year, 5, 1), date(year, 8, 1)
    is_scotland = nation is Nation.SCOTLAND
    mondays = {
        may + relativedelta(weekday=MO(1)),
        may + relativedelta(day=31, weekday=MO(-1)),
        august + (relativedelta(weekday=MO(1)) if is_scotland else relativedelta(day=31, weekday=MO(-1))),
    }
    at_easter = {easter(year) - 2 * DAY, *(() if is_scotland else (easter(year) + DAY,))}
    return with_substitutes(date(year, month, day) for month, day in FIXED[nation]) | mondays | at_easter


@pytest.mark.parametrize("nation", Nation)
@pytest.mark.parametrize("year", YEARS)
def test_the_table_has_the_holidays_of_the_rules(nation: Nation, year: int) -> None:
    once = {day for day in ONCE.get(nation, set()) if day.year == year}
    assert {day for day in bank_holidays(nation) if day.year == year} == expected(nation, year) | once


def test_the_end_of_the_table_is_known() -> None:
    assert bank_holidays_known_until() == date(YEARS[-1] + 1, 1, 1)
    assert {day.year for nation in Nation for day in bank_holidays(nation)} == set(YEARS)
