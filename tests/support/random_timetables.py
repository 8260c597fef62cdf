"""Random rules for Hypothesis: small classes and facilities that are often alike, so that changes keep occurrences."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from openbooking.booking.model.timetable import (
    ChangeFrom,
    Closure,
    Court,
    Facility,
    OccurrenceTerms,
    OpeningHours,
    Price,
    PriceBand,
    Terms,
    WeeklyClass,
    WeeklyTime,
)
from support.timetables import EVERY_DAY, HALL, SPIN, SQUASH

# Clocks go back on 25 October 2026.
FIRST = date(2026, 10, 19)
LAST = FIRST + timedelta(days=13)

DATES = st.dates(FIRST, LAST)
DAYS = st.sets(st.sampled_from(EVERY_DAY), min_size=1, max_size=4).map(lambda days: tuple(sorted(days)))
STARTS = st.sampled_from([time(0, 30), time(1), time(1, 30), time(9), time(18, 15)])
PRICES = st.sampled_from([Price(name=name, amount=Decimal(pounds)) for name, pounds in (("A", 5), ("A", 6), ("B", 5))])
PRICE_LISTS = PRICES.map(lambda price: (price,))
TERMS = st.builds(Terms, capacity=st.none() | st.integers(0, 9), prices=st.none() | PRICE_LISTS)
CHANGES = st.lists(st.builds(ChangeFrom, DATES, TERMS), max_size=2).map(tuple)
ENDS = st.none() | DATES


def at(times: st.SearchStrategy[time]) -> st.SearchStrategy[datetime]:
    """Return local times on the dates."""
    return st.builds(datetime.combine, DATES, times)


def single(courts: tuple[str, ...]) -> st.SearchStrategy[tuple[OccurrenceTerms, ...]]:
    """Return terms of single occurrences."""
    found = st.builds(OccurrenceTerms, at(STARTS), TERMS, st.sampled_from(courts))
    return st.lists(found, max_size=2).map(tuple)


CLASSES: st.SearchStrategy[WeeklyClass] = st.builds(
    lambda changes: replace(SPIN, **changes),
    st.fixed_dictionaries(
        {
            "times": st.lists(
                st.builds(WeeklyTime, DAYS, STARTS, st.sampled_from([45, 60])), min_size=1, max_size=2
            ).map(tuple),
            "first": st.just(FIRST) | DATES,
            "last": ENDS,
            "without": st.lists(DATES, max_size=3).map(tuple),
            "capacity": st.integers(1, 9),
            "prices": PRICE_LISTS,
            "changes": CHANGES,
            "single": single(("",)),
        }
    ),
)
HOURS = st.builds(OpeningHours, DAYS, STARTS, st.sampled_from([time(4), time(11), time(20)]))
COURTS = st.lists(st.sampled_from([Court(key=key, name=f"Court {key}") for key in "123"]), max_size=3, unique=True)


def _facility(changes: dict[str, Any], courts: list[Court]) -> Facility:
    return replace(SQUASH if courts else HALL, courts=tuple(courts), **changes)


FACILITIES: st.SearchStrategy[Facility] = st.builds(
    _facility,
    st.fixed_dictionaries(
        {
            "hours": st.lists(HOURS, min_size=1, max_size=2).map(tuple),
            "lengths": st.sampled_from([(60,), (60, 90), (45,)]),
            "step": st.sampled_from([None, 30, 60]),
            "prices": PRICE_LISTS.map(lambda prices: (PriceBand(prices),)),
            "uses": st.integers(1, 4),
            "first": st.just(FIRST) | DATES,
            "last": ENDS,
            "changes": CHANGES,
            "single": single(("", "1", "2")),
        }
    ),
    COURTS,
)
CLOSURES = st.builds(
    lambda start, hours: Closure(name="Closed", start=start, end=start + timedelta(hours=hours)),
    at(STARTS),
    st.integers(1, 72),
)
