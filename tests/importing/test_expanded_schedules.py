"""Sessions that an import makes from the Schedules of series: they are sold, and follow their rule."""

from datetime import timedelta
from typing import Any

import pytest

from openbooking.importing.reading.schedules import Horizon
from support.http_system import World
from support.importing.made_up_imports import SESSIONS, Told, book_path, feed, import_, item_of
from support.importing.published_items import rpde, series

pytestmark = pytest.mark.anyio

SCHEDULE = {
    "@type": "Schedule",
    "scheduledEventType": "ScheduledSession",
    "scheduleTimezone": "Europe/London",
    "duration": "PT1H",
    "urlTemplate": "https://provider.example.com/sessions/{startDate}",
    "repeatFrequency": "P1W",
    "startDate": "2027-03-02",
    "startTime": "18:00",
    "endTime": "19:00",
    "byDay": ["https://schema.org/Tuesday"],
    "idTemplate": "https://provider.example.com/sessions/{startDate}",
}


async def expand(world: World, modified: int = 1, **changes: Any) -> Told:
    """Import a series whose sessions of four weeks are made."""
    now = world.clock()
    horizon = Horizon(now - timedelta(days=2), now + timedelta(weeks=4))
    item = rpde(series(eventSchedule=[SCHEDULE | changes], maximumAttendeeCapacity=2), modified=modified)
    return await import_(world.store, item, horizon=horizon)


async def days(world: World) -> dict[str, str]:
    """Return the paths of the sessions in the feed, by their days."""
    return {data["startDate"][5:10]: path for path, data in sorted((await feed(world, SESSIONS)).items())}


async def test_sessions_of_a_schedule_are_sold_and_keep_their_ids(world: World) -> None:
    told = await expand(world)
    assert told.outcomes() == ["parent", *["bookable"] * 4]
    first = await days(world)
    assert sorted(first) == ["03-02", "03-09", "03-16", "03-23"]
    uuid = await book_path(world, first["03-16"])
    world.pass_time(days=7)
    await expand(world)
    later = await days(world)
    assert sorted(later) == ["03-09", "03-16", "03-23", "03-30"]
    assert {day: later[day] for day in first if day != "03-02"} == {day: first[day] for day in first if day != "03-02"}
    assert (await item_of(world, uuid))["orderItemStatus"].endswith("OrderItemConfirmed")


async def test_sessions_that_a_changed_schedule_does_not_have_are_withdrawn(world: World) -> None:
    await expand(world)
    told = await expand(world, 2, exceptDate=["2027-03-09"])
    assert sorted(await days(world)) == ["03-02", "03-16", "03-23"]
    assert [line["reason"] for line in told if line["outcome"] == "withdrawn"] == ["its item no longer holds it"]


async def test_a_schedule_that_is_not_understood_takes_its_sessions_off_sale(world: World) -> None:
    await expand(world)
    told = await expand(world, 2, repeatFrequency="often")
    assert await days(world) == {}
    assert told.outcomes().count("off sale") == 4
    await expand(world, 3)
    assert len(await days(world)) == 4


async def test_an_import_without_expansion_reports_a_schedule(world: World) -> None:
    told = await import_(world.store, rpde(series(eventSchedule=[SCHEDULE])))
    assert (
        "its Schedule is a rule that could be taken over: --expand-schedules makes its sessions" in told[0]["remarks"]
    )
