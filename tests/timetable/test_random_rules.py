"""Random rules have the occurrences that PostgreSQL computes with `generate_series` and `AT TIME ZONE`."""

import asyncio
import json
import logging
import random
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from openbooking.booking.model.policy import Policy
from openbooking.booking.model.timetable import Facility, OpeningHours, PriceBand, WeeklyClass, WeeklyTime
from openbooking.testing.postgres import PostgresServer
from openbooking.timetable.occurrences import occurrences
from openbooking.timetable.wall_clock import DateRange
from support.timetables import ADULT, EVERY_DAY, around, entry

LOG = logging.getLogger(__name__)
LEAST_SHARE = 0.4
# The zones, each with two dates on which its clocks change. Dublin's winter time is a negative summer time, and Lord
# Howe's clocks change by half an hour.
ZONES = {
    "Europe/London": ("2026-10-25", "2027-03-28"),
    "Europe/Dublin": ("2026-10-25", "2027-03-28"),
    "America/New_York": ("2026-11-01", "2027-03-14"),
    "Australia/Lord_Howe": ("2026-10-04", "2027-04-04"),
    "Asia/Kathmandu": (),
}
_FIRST = date(2026, 9, 1)

_CLASSES = """
    SELECT r.id, extract(epoch FROM local AT TIME ZONE r.zone)::bigint AS start, r.minutes
    FROM json_to_recordset($1) AS r(id int, zone text, day int, start time, minutes int, first date, last date,
                                    since date, until date, without date[]),
         generate_series(r.first + r.start, r.last + r.start, interval '1 day') AS local
    WHERE extract(isodow FROM local) - 1 = r.day AND NOT local::date = ANY(r.without)
      AND local AT TIME ZONE r.zone >= r.since::timestamp AT TIME ZONE r.zone
      AND local AT TIME ZONE r.zone < r.until::timestamp AT TIME ZONE r.zone
"""
_SLOTS = """
    SELECT r.id, extract(epoch FROM local AT TIME ZONE r.zone)::bigint AS start, r.minutes
    FROM json_to_recordset($1) AS r(id int, zone text, day int, opens time, open_minutes int, minutes int, step int,
                                    first date, last date, since date, until date),
         generate_series(r.first + r.opens, r.last + r.opens, interval '1 day') AS day_opens,
         LATERAL (SELECT day_opens + r.open_minutes * interval '1 minute' AS closes,
                         r.minutes * interval '1 minute' AS length) AS hours,
         generate_series(day_opens, closes - length, r.step * interval '1 minute') AS local
    WHERE extract(isodow FROM day_opens) - 1 = r.day
      AND (local AT TIME ZONE r.zone) + length <= closes AT TIME ZONE r.zone
      AND local AT TIME ZONE r.zone >= r.since::timestamp AT TIME ZONE r.zone
      AND local AT TIME ZONE r.zone < r.until::timestamp AT TIME ZONE r.zone
"""


class Case(NamedTuple):
    """A rule, its time zone, and the dates of its occurrences."""

    rule: WeeklyClass | Facility
    zone: str
    dates: DateRange

    @property
    def last(self) -> date:
        """The last date on which an occurrence may start."""
        return min(self.rule.last or self.dates.until, self.dates.until)


def random_case(chance: random.Random) -> Case:
    zone = chance.choices(list(ZONES), weights=(4, 2, 2, 2, 1))[0]
    changes = [date.fromisoformat(day) for day in ZONES[zone]]
    is_class = chance.random() < 0.6
    length = chance.randint(5, 40) if is_class else chance.randint(3, 6)
    if changes and chance.random() < 0.9:
        since = chance.choice(changes) - timedelta(days=chance.randint(1, length - 1))
    else:
        since = _FIRST + timedelta(days=chance.randint(0, 300))
    dates = DateRange(since, since + timedelta(days=length))
    first = chance.choice([_FIRST, _FIRST, since + timedelta(days=chance.randint(-3, 3))])
    last = chance.choice([None, None, first + timedelta(days=chance.randint(0, 200))])
    make = random_class if is_class else random_facility
    return Case(make(chance, first, last, dates), zone, dates)


def random_time(chance: random.Random) -> time:
    """Return a time of day, often one around which clocks change."""
    return time(chance.choice([0, 1, 1, 2, 2, 3, chance.randint(0, 23)]), chance.choice([0, 15, 30, 45]))


def random_days(chance: random.Random) -> tuple[int, ...]:
    return tuple(sorted(chance.sample(EVERY_DAY, chance.randint(1, 7))))


def random_class(chance: random.Random, first: date, last: date | None, dates: DateRange) -> WeeklyClass:
    times = tuple(
        WeeklyTime(
            tuple(sorted(chance.sample(EVERY_DAY, chance.randint(1, 7)))),
            random_time(chance),
            5 * chance.randint(1, 36),
        )
        for _ in range(chance.randint(1, 3))
    )
    without = tuple(chance.sample(dates.days(), 2)) if chance.random() < 0.3 else ()
    return WeeklyClass(name="Class", times=times, first=first, last=last, without=without, capacity=9, prices=(ADULT,))


def random_facility(chance: random.Random, first: date, last: date | None, dates: DateRange) -> Facility:
    del dates
    hours = tuple(
        OpeningHours(random_days(chance), random_time(chance), closes)
        for closes in chance.choices([time(0), time(3), time(4, 30), time(9), time(23)], k=chance.randint(1, 2))
    )
    lengths = tuple(chance.sample([30, 45, 60, 90, 120], chance.randint(1, 2)))
    step = chance.choice([None, 30, 60])
    bands = (PriceBand((ADULT,)),)
    return Facility(name="Hall", hours=hours, lengths=lengths, step=step, prices=bands, first=first, last=last)


def rows_of(cases: Iterable[Case], kind: type) -> list[dict[str, Any]]:
    """Return the rows of the rules of a kind for PostgreSQL."""
    return [row for number, case in enumerate(cases) if isinstance(case.rule, kind) for row in _rows(number, case)]


def _rows(number: int, case: Case) -> Iterable[dict[str, Any]]:
    common = {
        "id": number,
        "zone": case.zone,
        "first": str(case.rule.first),
        "last": str(case.last),
        "since": str(case.dates.first),
        "until": str(case.dates.until),
    }
    if isinstance(case.rule, WeeklyClass):
        without = [str(day) for day in case.rule.without]
        for each in case.rule.times:
            for day in each.days:
                own = {"day": day, "start": str(each.start), "minutes": each.minutes, "without": without}
                yield {**common, **own}
        return
    for hours in case.rule.hours:
        opens, closes = (datetime.combine(_FIRST, at) for at in (hours.opens, hours.closes))
        open_for = (closes if closes > opens else closes + timedelta(days=1)) - opens
        for minutes in case.rule.lengths:
            for day in hours.days:
                own = {"day": day, "opens": str(hours.opens), "open_minutes": open_for.seconds // 60 or 1440}
                yield {**common, **own, "minutes": minutes, "step": case.rule.step or minutes}


async def postgres_occurrences(url: str, cases: Sequence[Case]) -> list[set[tuple[int, int]]]:
    """Return the starts and lengths of the occurrences of each rule, as PostgreSQL computes them."""
    found: list[set[tuple[int, int]]] = [set() for _ in cases]
    connection = await asyncpg.connect(url)
    try:
        for statement, kind in ((_CLASSES, WeeklyClass), (_SLOTS, Facility)):
            for row in await connection.fetch(statement, json.dumps(rows_of(cases, kind))):
                found[row["id"]].add((row["start"], row["minutes"]))
    finally:
        await connection.close()
    return found


def own_occurrences(case: Case) -> list[tuple[int, int]]:
    surroundings = around(policy=Policy(time_zone=ZoneInfo(case.zone)))
    return [
        (int(item.start.timestamp()), int((item.end - item.start).total_seconds()) // 60)
        for item in occurrences(entry(case.rule), surroundings, case.dates)
        if item.start and item.end
    ]


def crosses_a_change(zone: str, found: Iterable[tuple[int, int]]) -> bool:
    """Return whether the occurrences are on both sides of a change of clocks."""
    offsets = {datetime.fromtimestamp(start, ZoneInfo(zone)).utcoffset() for start, _ in found}
    return len(offsets) > 1


@pytest.mark.timeout(600)
def test_random_rules_have_the_occurrences_of_postgresql(postgres: PostgresServer, pytestconfig: pytest.Config) -> None:
    chance = random.Random(pytestconfig.getoption("--seed"))  # noqa: S311 - rules are no secrets
    cases = [random_case(chance) for _ in range(pytestconfig.getoption("--rules"))]
    expected = asyncio.run(postgres_occurrences(postgres.url("postgres"), cases))
    crossing = total = 0
    for case, wanted in zip(cases, expected, strict=True):
        made = own_occurrences(case)
        assert len(made) == len(set(made))
        assert set(made) == wanted, case
        crossing += crosses_a_change(case.zone, made)
        total += len(made)
    share = crossing / len(cases)
    LOG.warning("%d rules, %d occurrences, %.1f %% of the rules across a change", len(cases), total, 100 * share)
    assert share >= LEAST_SHARE
