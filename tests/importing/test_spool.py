"""Several versions and copies of one item: the version that is imported."""

import pytest

from support.http_system import World
from support.importing.made_up_imports import SERIES, SESSIONS, feed, import_, left
from support.importing.published_items import (
    SERIES_ID,
    deleted,
    rpde,
    series,
    session,
)

pytestmark = pytest.mark.anyio


async def test_the_latest_version_of_an_item_is_imported(world: World) -> None:
    versions = [rpde(session(remainingAttendeeCapacity=places), modified=places) for places in (1, 3, 2)]
    told = await import_(world.store, rpde(series()), *versions)
    assert told.outcomes() == ["superseded", "superseded", "parent", "bookable"]
    assert [line["reason"] for line in told[:2]] == ["superseded by a later version at page 3 item 1"] * 2
    assert await left(world, told) == 3
    assert (await import_(world.store, deleted(session(), modified=4), *versions)).outcomes()[-1] == "withdrawn"
    assert await feed(world, SESSIONS) == {}


async def test_one_of_two_items_with_one_id_is_imported_and_the_other_reported(world: World) -> None:
    one, other = rpde(series(), id="a"), rpde(series(name="Pilates"), id="a")
    same_thing = rpde(series(name="Swimming"), id="b")
    told = await import_(world.store, one, one, other, same_thing)
    assert told.outcomes() == ["superseded", "not imported", "not imported", "parent"]
    assert told.reasons() == [
        "duplicate id: the item at page 3 item 1 was imported instead",
        "duplicate id: the item at page 4 item 1 was imported instead",
    ]
    assert [data["name"] for data in (await feed(world, SERIES)).values()] == ["Swimming"]


async def test_a_parent_embedded_in_its_children_is_imported(world: World) -> None:
    told = await import_(world.store, rpde(session(1, superEvent=series())), rpde(session(2, superEvent=series())))
    assert told.outcomes() == ["parent", "bookable", "bookable"]
    await import_(world.store, deleted(session(1)), rpde(session(2, superEvent=series())))
    assert set(await feed(world, SESSIONS)) == {told.path("sessions/2")}


@pytest.mark.parametrize("together", [True, False])
async def test_a_parent_published_by_itself_is_preferred_to_an_embedded_copy(world: World, together: bool) -> None:
    copy = {"@type": "SessionSeries", "@id": SERIES_ID, "name": "Only a name"}
    items = [[rpde(series())], [rpde(session(superEvent=copy))]]
    for batch in [items[0] + items[1]] if together else items:
        told = await import_(world.store, *batch, seller=None)
        assert told.reasons() == []
    assert [data["name"] for data in (await feed(world, SERIES)).values()] == ["Yoga"]
    assert told.outcomes()[-1] == "bookable"
