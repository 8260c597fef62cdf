"""The timetables of the demo's Sellers, which are files in `timetables`.

The dates in the files are moved by whole weeks, so that the demo has classes and courts of some past weeks and of the
coming weeks on every day on which it is started.
"""

from datetime import date, timedelta
from importlib.resources import files
from typing import Any

from msgspec.structs import replace

from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.timetable import TimetableRule, Venue
from openbooking.openactive.ids import opportunity_path
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.sandbox.sellers import TRUST
from openbooking.timetable.files.content import SourceFile, read_files

TIME_ZONE = "Europe/London"
# The days from today on for which the demo publishes occurrences.
DAYS = 28
# The Monday of the present week in the files. Classes and courts begin two weeks before it.
PRESENT_WEEK = date(2026, 1, 5)
_DATES = ("first", "last", "start", "end")


def timetable(seller: Seller, today: date) -> dict[str, TimetableRule]:
    """Return the rules of the timetable of a Seller of the demo, by key.

    Args:
        seller: The Seller.
        today: The present date.
    """
    name = f"{seller.key}.toml"
    content = files(__package__).joinpath("timetables", name).read_bytes()
    shift = today - timedelta(days=today.weekday()) - PRESENT_WEEK
    return {key: _moved(rule, shift) for key, rule in read_files(seller, [SourceFile(name, content)], {}).items()}


def venues(rules: dict[str, TimetableRule]) -> dict[str, Venue]:
    """Return the Venues among some rules, by key."""
    return {key: rule for key, rule in rules.items() if isinstance(rule, Venue)}


def series_path(key: str) -> str:
    """Return the path of the series of a class of the leisure centre."""
    return opportunity_path(OpportunityType.SESSION_SERIES, f"{TRUST.key}.{key}")


def _moved(rule: TimetableRule, shift: timedelta) -> TimetableRule:
    """Return a rule with other dates."""
    dates: dict[str, Any] = {name: getattr(rule, name, None) for name in _DATES}
    return replace(rule, **{name: value + shift for name, value in dates.items() if value is not None})
