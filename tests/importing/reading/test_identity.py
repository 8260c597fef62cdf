"""The identity of imported things: no import changes the Opportunity that an Order is for."""

from typing import Any

import pytest

from openbooking.importing.reading.identity import Container, identify
from openbooking.importing.reading.source import named_source, source_of
from openbooking.openactive.opportunity_types import OpportunityType
from support.builders import PLACE
from support.http_system import World
from support.importing.made_up_imports import EVENTS, SESSIONS, SLOTS, Told, book_path, feed, import_, item_of
from support.importing.published_items import event, facility, rpde, series, session, slot

pytestmark = pytest.mark.anyio


def bare(thing: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in thing.items() if name not in ("@id", "superEvent", "facilityUse", "offers")}


def room(name: str | None, **changes: Any) -> dict[str, Any]:
    return bare(session(name=name, **changes))


HALL, GYM = ({**PLACE, "name": name} for name in ("Hall", "Gym"))

ROOMS = {
    "names": [room("Room A"), room("Room B")],
    "locations": [room("Yoga", location=HALL), room("Yoga", location=GYM)],
    "ends": [room(None, duration="PT1H"), room(None, duration="PT2H")],
    "starts": [room("Yoga"), room("Yoga", startDate="2027-03-04T20:00:00Z")],
}


async def book_each(world: World, told: Told) -> dict[str, str]:
    """Book one space of each session; return the UUIDs of the Orders by path."""
    paths = [line["path"] for line in told if line["outcome"] == "bookable"]
    return {path: await book_path(world, path) for path in paths}


@pytest.mark.spec("OB-ID-01", "OB-BKBL-28")
@pytest.mark.parametrize("rooms", ROOMS.values(), ids=ROOMS)
async def test_sessions_without_ids_are_identified_by_name_location_and_time_in_any_order(
    world: World, rooms: list[dict[str, Any]]
) -> None:
    told = await import_(world.store, rpde(series(subEvent=rooms)))
    orders = await book_each(world, told)
    assert len(orders) == 2
    before = [await item_of(world, uuid) for uuid in orders.values()]
    again = await import_(world.store, rpde(series(subEvent=rooms[::-1]), modified=2))
    assert again.outcomes() == told.outcomes()
    assert [await item_of(world, uuid) for uuid in orders.values()] == before
    (kept,) = (await import_(world.store, rpde(series(subEvent=rooms[1:]), modified=3)))[1:2]
    assert kept["path"] == [*orders][1]
    assert [await item_of(world, uuid) for uuid in orders.values()] == before


async def test_things_that_cannot_be_distinguished_are_refused_and_go_off_sale(world: World) -> None:
    told = await import_(world.store, rpde(series(subEvent=[room("Room A")])))
    again = await import_(world.store, rpde(series(subEvent=[room("Room A"), room("Room A")]), modified=2))
    assert again.outcomes() == ["not imported", "parent", "off sale"]
    assert again.reasons() == [
        "2 subEvent of SessionSeries https://provider.example.com/series/1 cannot be distinguished"
    ]
    assert told[1]["path"] not in await feed(world, SESSIONS)


async def test_slots_without_ids_are_distinguished_by_their_courts(world: World) -> None:
    courts = [
        {"@type": "IndividualFacilityUse", "name": name, "event": [bare(slot()) | {"offers": slot()["offers"]}]}
        for name in ("Court 1", "Court 2")
    ]
    told = await import_(world.store, facility(individualFacilityUse=courts))
    orders = await book_each(world, told)
    assert len(orders) == 2
    again = await import_(world.store, facility(individualFacilityUse=courts[::-1]))
    assert sorted(line.get("path", "") for line in again) == sorted(line.get("path", "") for line in told)
    assert len(await feed(world, SLOTS)) == 2


async def test_identical_things_in_one_item_are_one_thing(world: World) -> None:
    told = await import_(world.store, facility(event=[slot(1), slot(1)]))
    assert told.outcomes() == ["parent", "bookable"]
    told = await import_(world.store, facility(event=[slot(1), slot(1, remainingUses=9)]))
    assert told.outcomes() == ["not imported", "parent", "off sale"]


async def test_feeds_with_different_queries_are_different_sources(world: World) -> None:
    north, south = (source_of(f"http://x.example/odi.php?club={club}&afterId=5") for club in ("north", "south"))
    yoga = rpde(event(name="North yoga", **{"@id": None}), id="1")
    told = await import_(world.store, yoga, source=north)
    uuid = await book_path(world, told[0]["path"])
    before = await item_of(world, uuid)
    other = await import_(world.store, rpde(event(name="South judo", **{"@id": None}), id="1"), source=south)
    assert other[0]["path"] != told[0]["path"]
    assert {data["name"] for data in (await feed(world, EVENTS)).values()} == {"North yoga", "South judo"}
    gone = {"state": "deleted", "kind": "Event", "id": "1", "modified": 2}
    assert (await import_(world.store, gone, source=south)).outcomes() == ["withdrawn"]
    assert {data["name"] for data in (await feed(world, EVENTS)).values()} == {"North yoga"}
    assert await item_of(world, uuid) == before


JUDO = {"name": "Judo", "startDate": "2027-03-09T10:00:00Z"}


@pytest.mark.parametrize("gone", [True, False])
async def test_an_rpde_id_reused_for_another_thing_changes_no_order(world: World, gone: bool) -> None:
    told = await import_(world.store, rpde(event(**{"@id": None}), id="1"))
    uuid = await book_path(world, told[0]["path"])
    before = await item_of(world, uuid)
    if gone:
        await import_(world.store, {"state": "deleted", "kind": "Event", "id": "1", "modified": 2})
    again = await import_(world.store, rpde(event(**{"@id": None}, **JUDO), id="1", modified=3))
    assert again.reasons() == ["The feed reuses the id of an Opportunity that has Orders."]
    assert again.outcomes()[1:] == ([] if gone else ["off sale"])
    assert (await feed(world, EVENTS), await item_of(world, uuid)) == ({}, before)


@pytest.mark.parametrize("change", [{"name": "Jog"}, {"startDate": "2027-03-09T10:00:00Z"}])
async def test_an_rpde_id_identifies_a_renamed_or_rescheduled_event(world: World, change: dict[str, str]) -> None:
    told = await import_(world.store, rpde(event(**{"@id": None}), id="1"))
    await book_path(world, told[0]["path"])
    again = await import_(world.store, rpde(event(**{"@id": None}, **change), id="1", modified=2))
    assert (again.outcomes(), again[0]["orders"]) == (["bookable"], {"changed": 1})


async def test_an_id_in_the_data_identifies_a_renamed_and_rescheduled_event(world: World) -> None:
    told = await import_(world.store, rpde(event()))
    await book_path(world, told[0]["path"])
    again = await import_(world.store, rpde(event(**JUDO), modified=2))
    assert (again.outcomes(), again[0]["orders"]) == (["bookable"], {"changed": 1})


@pytest.mark.parametrize("alike", [1, 50, 50_000])
def test_former_paths_are_bounded_for_any_number_of_similar_things(alike: int) -> None:
    former = tuple(f"sessions/{number}" for number in range(100))
    container = Container("sessions/x", former, "subEvent", alike=alike)
    thing = {"name": "Yoga", "startDate": "2027-03-04T18:00:00Z"}
    identity = identify(thing, OpportunityType.SCHEDULED_SESSION, named_source("x"), container=container, rpde=None)
    assert len(identity.former) <= 200
