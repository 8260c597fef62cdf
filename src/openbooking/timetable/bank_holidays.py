"""The bank holidays of the four nations of the United Kingdom, from 2024 to 2028.

The dates are those of https://www.gov.uk/bank-holidays (Crown copyright, Open Government Licence v3.0), with substitute
days, and with the bank holiday of 15 June 2026 in Scotland. The government announces bank holidays about two years
ahead. After the last known year no date counts as a bank holiday, and `check` says so.
"""

from datetime import date

from openbooking.booking.model.timetable import Nation

_FIRST_YEAR = 2024
_ENGLAND_AND_WALES = """
    01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26
    01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26
    01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28
    01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28
    01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26
"""
_SCOTLAND = """
    01-01 01-02 03-29 05-06 05-27 08-05 12-02 12-25 12-26
    01-01 01-02 04-18 05-05 05-26 08-04 12-01 12-25 12-26
    01-01 01-02 04-03 05-04 05-25 06-15 08-03 11-30 12-25 12-28
    01-01 01-04 03-26 05-03 05-31 08-02 11-30 12-27 12-28
    01-03 01-04 04-14 05-01 05-29 08-07 11-30 12-25 12-26
"""
_NORTHERN_IRELAND = """
    01-01 03-18 03-29 04-01 05-06 05-27 07-12 08-26 12-25 12-26
    01-01 03-17 04-18 04-21 05-05 05-26 07-14 08-25 12-25 12-26
    01-01 03-17 04-03 04-06 05-04 05-25 07-13 08-31 12-25 12-28
    01-01 03-17 03-26 03-29 05-03 05-31 07-12 08-30 12-27 12-28
    01-03 03-17 04-14 04-17 05-01 05-29 07-12 08-28 12-25 12-26
"""


def _dates(years: str) -> frozenset[date]:
    """Return the dates of a table with a line for each year."""
    lines = enumerate(years.split("\n")[1:-1], _FIRST_YEAR)
    return frozenset(date.fromisoformat(f"{year}-{day}") for year, line in lines for day in line.split())


_DATES = {
    Nation.ENGLAND: _dates(_ENGLAND_AND_WALES),
    Nation.WALES: _dates(_ENGLAND_AND_WALES),
    Nation.SCOTLAND: _dates(_SCOTLAND),
    Nation.NORTHERN_IRELAND: _dates(_NORTHERN_IRELAND),
}


def bank_holidays(nation: Nation) -> frozenset[date]:
    """Return the known bank holidays of a nation."""
    return _DATES[nation]


def bank_holidays_known_until() -> date:
    """Return the date from which no bank holidays are known."""
    return date(max(max(dates).year for dates in _DATES.values()) + 1, 1, 1)
