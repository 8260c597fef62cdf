"""Items that ended more than an hour ago: an import leaves them out, and does not bring them back."""

from datetime import UTC, datetime, timedelta

import pytest

from openbooking.booking.commands.opportunities.remove_over import RemoveOver
from support.http_system import World
from support.importing.made_up_imports import SESSIONS, book, feed, import_, item_of
from support.importing.published_items import course, event, rpde, series, session

pytestmark = pytest.mark.anyio

# Sessions and events of the tests begin at this time, and last an hour.
BEGIN = datetime(2027, 3, 4, 18, tzinfo=UTC)
ENDED, LEFT = BEGIN + timedelta(hours=1), BEGIN + timedelta(hours=2)


@pytest.mark.parametrize(("now", "outcome"), [(ENDED, "not bookable"), (LEFT - timedelta(seconds=1), "not bookable")])
async def test_an_import_publishes_what_ended_less_than_an_hour_ago(world: World, now: datetime, outcome: str) -> None:
    world.clock.time = now
    told = await import_(world.store, series(), session())
    assert told.outcomes() == ["parent", outcome]


async def test_an_import_leaves_out_what_ended_more_than_an_hour_ago(world: World) -> None:
    world.clock.time = LEFT
    for dry_run in (True, False):
        told = await import_(
            world.store, series(), session(), session(2, startDate="2027-04-01T10:00Z"), dry_run=dry_run
        )
        assert told.outcomes() == ["parent", "bookable", "over"] or told.outcomes() == ["parent", "over", "bookable"]
        (over,) = (line for line in told if line["outcome"] == "over")
        assert over["reason"] == "it ended more than an hour ago"
        assert "path" not in over
    assert [*await feed(world, SESSIONS)] == [told.path("sessions/2")]


async def test_a_further_import_does_not_bring_back_what_is_over(world: World) -> None:
    await import_(world.store, rpde(series()), rpde(session()))
    world.clock.time = LEFT
    assert await world.store.execute(RemoveOver())
    before = await world.read_feed(SESSIONS)
    told = await import_(world.store, rpde(series()), rpde(session(remainingAttendeeCapacity=3), modified=2))
    assert told.outcomes() == ["parent", "over"]
    assert await world.read_feed(SESSIONS) == before


async def test_an_import_updates_what_is_over_and_has_bookings(world: World) -> None:
    uuid = await book(world, await import_(world.store, series(), session()))
    world.clock.time = LEFT
    assert await world.store.execute(RemoveOver())
    told = await import_(world.store, series(), session(name="Moved", startDate="2027-03-09T18:00:00Z"))
    assert told.outcomes() == ["parent", "bookable"]
    assert (await item_of(world, uuid))["orderedItem"]["startDate"].startswith("2027-03-09")


async def test_an_import_leaves_out_the_dates_of_a_course_that_is_over(world: World) -> None:
    world.clock.time = datetime(2027, 4, 1, tzinfo=UTC)
    part = {**event(), "@id": "https://provider.example.com/events/2", "startDate": "2027-05-01T18:00:00Z"}
    told = await import_(world.store, course(subEvent=[part]))
    assert told.outcomes() == ["over", "over"]
    assert [line["reason"] for line in told if line["outcome"] == "over"] == [
        "it ended more than an hour ago",
        "its parent ended more than an hour ago",
    ]
