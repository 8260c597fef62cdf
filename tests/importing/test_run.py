"""Whole imports: items are published and updated, Orders are told of changes, and no space is sold twice."""

from typing import Any

import pytest

from openbooking.importing.errors import NotConfirmedError
from support.builders import PLACE
from support.http_system import Follower, World
from support.importing.made_up_imports import SERIES, SESSIONS, SLOTS, book, feed, import_, item_of, left
from support.importing.published_items import (
    SERIES_ID,
    course,
    event,
    facility,
    on_demand_event,
    rpde,
    series,
    session,
    slot,
)

pytestmark = pytest.mark.anyio


async def test_children_may_come_before_their_parents(world: World) -> None:
    court = {"@type": "IndividualFacilityUse", "@id": "https://x.example/court", "name": "Court 1"}
    court["aggregateFacilityUse"] = facility()["@id"]
    told = await import_(world.store, slot(1, facilityUse=court["@id"]), session(), court, facility(), series())
    assert told.outcomes() == ["parent", "parent", "parent", "bookable", "bookable"]
    assert (await feed(world, SESSIONS))[told.path("sessions/1")]["superEvent"].endswith(told.path("series/1"))
    assert (await feed(world, SLOTS))[told.path("slots/1")]["facilityUse"].endswith(told.path("court"))


async def test_events_of_every_type_are_imported_with_and_without_parents(world: World) -> None:
    lesson = event(**{"@id": "x:lesson"}, superEvent="https://provider.example.com/courses/1")
    heat = event(**{"@id": "x:heat"})
    gala = event(**{"@type": "HeadlineEvent", "@id": "x:gala"}, subEvent=[heat])
    told = await import_(world.store, lesson, gala, event(), on_demand_event(), course())
    assert told.outcomes() == ["bookable"] * 6
    events = await feed(world, "/feeds/events")
    assert events[told.path("x:lesson")]["superEvent"]["@id"].endswith(told.path("courses/1"))
    assert events[told.path("x:heat")]["superEvent"]["@id"].endswith(told.path("x:gala"))
    assert "superEvent" not in events[told.path("events/1")]
    assert events[told.path("courses/1")]["startDate"] == "2027-03-04"
    assert events[told.path("courses/1")]["endDate"] == "2027-03-11"


async def test_a_child_may_be_imported_after_its_parent_from_another_source(world: World) -> None:
    refused = await import_(world.store, session(), source="sessions")
    assert refused.reasons() == [f"parent not found: its superEvent {SERIES_ID} is not among what was imported"]
    await import_(world.store, series(), source="series")
    assert (await import_(world.store, session(), source="sessions")).outcomes() == ["bookable"]


@pytest.mark.spec("OB-BKBL-28")
async def test_a_second_import_of_the_same_items_changes_nothing(world: World) -> None:
    items = (rpde(series()), rpde(session()), facility(event=[slot(1)]))
    told = await import_(world.store, *items)
    before = [await world.read_feed(path) for path in (SESSIONS, SERIES, SLOTS)]
    assert [line.get("path") for line in await import_(world.store, *items)] == [line.get("path") for line in told]
    assert [await world.read_feed(path) for path in (SESSIONS, SERIES, SLOTS)] == before


async def test_an_import_updates_changed_items(world: World) -> None:
    told = await import_(world.store, series(), session())
    await import_(world.store, series(name="Pilates"), session(startDate="2027-03-05T18:00:00Z"))
    assert (await feed(world, SERIES))[told.path("series/1")]["name"] == "Pilates"
    assert (await feed(world, SESSIONS))[told.path("sessions/1")]["startDate"] == "2027-03-05T18:00:00Z"


@pytest.mark.spec("OB-NOTIF-06", "OB-OF-02")
async def test_orders_show_a_changed_time_name_or_location_and_no_other_change(world: World) -> None:
    items = [series(), session(), session(2)]
    told = await import_(world.store, *items)
    uuid, other = await book(world, told), await book(world, told, "sessions/2")
    news = Follower(world, "/api/orders-rpde")
    await import_(world.store, *items)
    assert await news.news() == {}
    items[1] = session(startDate="2027-03-05T18:00:00Z")
    await import_(world.store, *items)
    assert list(await news.news()) == [uuid]
    items[0] = series(name="Pilates", location={**PLACE, "name": "Town Hall"})
    await import_(world.store, *items)
    changed = await news.news()
    assert changed.keys() == {uuid, other}
    assert changed[uuid]["data"]["orderedItem"][0]["orderedItem"]["startDate"] == "2027-03-05T18:00:00Z"
    for order in (uuid, other):
        (booked,) = (await world.call("GET", f"orders/{order}")).json()["orderedItem"]
        shown = booked["orderedItem"]["superEvent"]
        assert (shown["name"], shown["location"]["name"]) == ("Pilates", "Town Hall")
    await import_(world.store, *items)
    assert await news.news() == {}


@pytest.mark.spec("OB-BKBL-01")
@pytest.mark.parametrize(
    ("at_first", "booked", "later", "expected"),
    [(5, 2, 5, 3), (5, 2, 4, 2), (5, 2, 8, 6), (5, 2, 3, 1), (5, 2, 1, 0), (2, 2, 0, 0), (0, 0, 3, 3)],
)
async def test_spaces_booked_here_reduce_the_spaces_left_at_the_provider(
    world: World, at_first: int, booked: int, later: int, expected: int
) -> None:
    told = await import_(world.store, series(), session(remainingAttendeeCapacity=at_first))
    for _ in range(booked):
        await book(world, told)
    assert await left(world, told) == at_first - booked
    for _ in range(2):
        await import_(world.store, series(), session(remainingAttendeeCapacity=later))
        assert await left(world, told) == expected
    for _ in range(expected):
        await book(world, told)
    await book(world, told, status=409)


CANCELLED = "https://schema.org/EventCancelled"


@pytest.mark.parametrize(
    "items",
    [
        [rpde(series()), rpde(session(eventStatus=CANCELLED))],
        [rpde(series(eventStatus=CANCELLED))],
    ],
)
async def test_an_import_asks_for_confirmation_with_the_number_of_orders_it_would_cancel(
    world: World, items: list[Any]
) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    uuids = [await book(world, told) for _ in range(3)]
    asked: list[int] = []

    def answer(orders: int) -> bool:
        asked.append(orders)
        return len(asked) > 1

    with pytest.raises(NotConfirmedError, match="it would have cancelled 3 Orders"):
        await import_(world.store, *items, confirm=answer)
    assert (await item_of(world, uuids[0]))["orderItemStatus"].endswith("OrderItemConfirmed")
    await import_(world.store, *items, confirm=answer)
    assert asked == [3, 3]
    assert (await item_of(world, uuids[0]))["orderItemStatus"].endswith("SellerCancelled")
    await import_(world.store, *items, confirm=answer)
    assert asked == [3, 3]
