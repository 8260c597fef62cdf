"""Closures of courts, entries, Venues and everything, at a time or on bank holidays."""

from datetime import date, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.model.policy import Policy
from openbooking.booking.model.timetable import Closure, Nation
from openbooking.timetable.occurrences import undated_opportunities
from openbooking.timetable.surroundings import site_of, surroundings_of
from support.parties import CENTRE
from support.timetables import SPIN, SQUASH, VENUE, closed, days, entry, local_starts, occurrences_of

MONDAYS = days(date(2026, 11, 2), 1)


def paths_left(*closures: Closure) -> list[str]:
    return [item.path.removeprefix("slots/centre.spin.") for item in occurrences_of(SQUASH, MONDAYS, *closures)]


ALL = [f"{court}.20261102T{hour}00Z.60" for court in "12" for hour in ("09", "10", "11")]


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ({}, []),
        ({"venue": "riverside"}, []),
        ({"venue": "elsewhere"}, ALL),
        ({"entry": "spin"}, []),
        ({"entry": "other"}, ALL),
        ({"entry": "spin", "court": "1"}, ALL[3:]),
        ({"entry": "spin", "court": "2", "venue": "riverside"}, ALL[:3]),
    ],
)
def test_a_closure_closes_its_place(where: dict[str, str], left: list[str]) -> None:
    assert paths_left(closed("2026-11-01T00:00", "2026-11-03T00:00", **where)) == left


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-11-02T10:00", "2026-11-02T11:00", ["09", "11"]),
        ("2026-11-02T10:15", "2026-11-02T10:30", ["09", "11"]),
        ("2026-11-02T09:59", "2026-11-02T10:00", ["10", "11"]),
        ("2026-11-02T12:00", "2026-11-03T09:00", ["09", "10", "11"]),
        ("2026-11-01T00:00", "2026-11-02T09:01", ["10", "11"]),
    ],
)
def test_a_closure_closes_what_has_a_moment_in_common(start: str, end: str, hours: list[str]) -> None:
    assert paths_left(closed(start, end, court="1", entry="spin"))[: len(hours)] == [
        f"1.20261102T{hour}00Z.60" for hour in hours
    ]


def test_a_closure_after_midnight_closes_the_session_that_is_still_going_on() -> None:
    late = replace(SPIN, times=(replace(SPIN.times[0], start=datetime.fromisoformat("2026-11-02T23:30").time()),))
    assert local_starts(occurrences_of(late, MONDAYS)) == ["11-02 23:30"]
    assert not occurrences_of(late, MONDAYS, closed("2026-11-03T00:00", "2026-11-04T00:00"))


@pytest.mark.parametrize(("nation", "count"), [(Nation.ENGLAND, 2), (Nation.SCOTLAND, 1)])
def test_a_closure_on_bank_holidays_closes_those_of_its_nation(nation: Nation, count: int) -> None:
    holidays = Closure(name="Bank holidays", bank_holidays=nation)
    easter = days(date(2027, 3, 26), 4)
    slots = occurrences_of(SQUASH, easter, holidays)
    assert len({item.start.date() for item in slots if item.start}) == 4 - count


def test_ended_venues_and_closures_do_not_count() -> None:
    closure = entry(closed("2026-11-01T00:00", "2026-11-03T00:00"), "closed")
    found = surroundings_of([entry(VENUE, "riverside"), closure, entry(SPIN)], Policy(), "")
    assert (list(found.venues), found.closures) == (["riverside"], (closure.rule,))
    found = surroundings_of(
        [replace(entry(VENUE, "riverside"), ended=True), replace(closure, ended=True)], Policy(), ""
    )
    assert (found.venues, found.closures) == ({}, ())


@pytest.mark.parametrize(("own", "expected"), [("", "https://riverside.example.com/"), (SPIN.url, SPIN.url)])
def test_a_rule_without_a_web_page_has_that_of_the_seller(own: str, expected: str) -> None:
    around = surroundings_of([], Policy(), site_of(CENTRE))
    [series] = undated_opportunities(entry(replace(SPIN, url=own)), around)
    assert series.properties["url"] == expected


@pytest.mark.parametrize("properties", [{}, {"url": "javascript:x()"}, {"url": ["https://x.example"]}])
def test_a_seller_without_a_web_page_gives_none(properties: dict[str, Any]) -> None:
    assert site_of(replace(CENTRE, properties=properties)) == ""
