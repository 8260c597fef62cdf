"""What identifies imported things, and that no import changes what an Order is for."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.sale_state import SetSaleState
from openbooking.booking.model.opportunity import SaleState
from openbooking.importing.reading.source import source_of
from support.builders import PLACE
from support.http_system import World
from support.imports import EVENTS, SESSIONS, SLOTS, Told, book, book_path, feed, import_, item_of
from support.parties import MANAGER
from support.published_items import deleted, event, facility, rpde, series, session, slot

pytestmark = pytest.mark.anyio


def bare(thing: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in thing.items() if name not in ("@id", "superEvent", "facilityUse", "offers")}


def room(name: str | None, **changes: Any) -> dict[str, Any]:
    return bare(session(name=name, **changes))


HALL, GYM = ({**PLACE, "name": name} for name in ("Hall", "Gym"))
ROOMS = {
    "names": [room("Room A"), room("Room B")],
    "places": [room("Yoga", location=HALL), room("Yoga", location=GYM)],
    "ends": [room(None, duration="PT1H"), room(None, duration="PT2H")],
    "starts": [room("Yoga"), room("Yoga", startDate="2027-03-04T20:00:00Z")],
}


async def book_each(world: World, told: Told) -> dict[str, str]:
    """An Order for each session; the UUIDs by path."""
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


async def test_the_same_id_twice_in_one_item_is_one_thing(world: World) -> None:
    told = await import_(world.store, facility(event=[slot(1), slot(1)]))
    assert told.outcomes() == ["parent", "bookable"]
    told = await import_(world.store, facility(event=[slot(1), slot(1, remainingUses=9)]))
    assert told.outcomes() == ["not imported", "parent", "off sale"]


async def test_feeds_that_differ_in_their_query_are_apart(world: World) -> None:
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


@pytest.mark.spec("OB-FEED-10")
@pytest.mark.parametrize("kinds", [("Event", "Sessions.Event"), ("Sessions.Event", "Event"), ("Event", ""), ("x", "y")])
@pytest.mark.parametrize("together", [True, False])
async def test_a_deletion_of_another_kind_deletes_the_only_item_of_its_id(
    world: World, kinds: tuple[str, str], together: bool
) -> None:
    one = rpde(event(), id="1", kind=kinds[0])
    gone = {"state": "deleted", "kind": kinds[1], "id": 1, "modified": 2}
    if together:
        await import_(world.store, one, gone)
    else:
        await import_(world.store, one)
        told = await import_(world.store, gone)
        assert [(line["outcome"], line["reason"]) for line in told] == [("withdrawn", "its provider deleted it")]
    assert await feed(world, EVENTS) == {}
    assert (await import_(world.store, gone)).outcomes() == ["unmatched"]


@pytest.mark.spec("OB-FEED-10")
async def test_a_deletion_that_may_be_of_several_items_deletes_none(world: World) -> None:
    items = [rpde(event(), id="1"), rpde(series(), id="1")]
    await import_(world.store, *items)
    gone = {"state": "deleted", "kind": "Slot", "id": "1", "modified": 2}
    (line,) = await import_(world.store, gone)
    assert line["outcome"] == "unmatched"
    assert line["reason"] == "deleted, but 2 items have this id under other kinds"
    assert len(await feed(world, EVENTS)) == 1
    assert (await import_(world.store, *items, gone)).outcomes() == ["parent", "bookable", "unmatched"]


@pytest.mark.spec("OB-FEED-10")
async def test_a_deletion_of_one_type_deletes_no_item_of_another_type_in_another_feed(world: World) -> None:
    """Feeds that are imported under one name number their items alike, and tell of a deletion for days."""
    run = rpde(event(), id="9")
    told = await import_(world.store, run, rpde(facility(), id="9"))
    gone = deleted(facility(), id="9")
    assert (await import_(world.store, run, gone)).outcomes() == ["bookable", "withdrawn"]
    for items in ([run, gone], [gone], [{**gone, "kind": "feed.SessionSeries"}]):
        assert (await import_(world.store, *items)).outcomes()[-1] == "unmatched"
        assert set(await feed(world, EVENTS)) == {told.path("events/1")}


@pytest.mark.spec("OB-FEED-10")
async def test_a_deletion_of_any_type_deletes_the_item_of_its_id_in_one_feed(world: World) -> None:
    source = source_of("https://provider.example.com/feed")
    await import_(world.store, rpde(event(), id="9"), source=source)
    assert (await import_(world.store, deleted(facility(), id="9"), source=source)).outcomes() == ["withdrawn"]
    assert await feed(world, EVENTS) == {}


async def test_an_item_that_a_feed_calls_otherwise_is_still_the_same(world: World) -> None:
    """Without ids in its data it would be sold twice."""
    source = source_of("https://provider.example.com/feed")
    await import_(world.store, rpde(event(**{"@id": None}), id="1", kind="event"), source=source)
    told = await import_(world.store, rpde(event(**{"@id": None}), id="1", kind="Event"), source=source)
    assert told.outcomes() == ["bookable", "withdrawn"]
    assert set(await feed(world, EVENTS)) == {told[0]["path"]}


@pytest.mark.parametrize("first", ["unpublished", "not understood"])
@pytest.mark.parametrize("unpublished", ["series/1", "sessions/1"])
async def test_a_republished_item_is_on_sale_only_if_its_latest_version_is_understood(
    world: World, unpublished: str, first: str
) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    off = SetSaleState(opportunity=told.path(unpublished), sale=SaleState.UNPUBLISHED, actor=MANAGER)
    on = replace(off, sale=SaleState.ON_SALE)
    unreadable = rpde(series(eventStatus="Maybe")) if unpublished == "series/1" else rpde(session(startDate=None))
    if first == "unpublished":
        await world.store.execute(off)
        await import_(world.store, unreadable)
    else:
        await import_(world.store, unreadable)
        await world.store.execute(off)
    for state in (on, off, on):
        await world.store.execute(state)
        assert await feed(world, SESSIONS) == {}
    await import_(world.store, rpde(series()), rpde(session()))
    assert set(await feed(world, SESSIONS)) == {told.path("sessions/1")}


@pytest.mark.parametrize("unpublished", ["series/1", "sessions/1"])
async def test_an_unpublished_item_stays_unpublished_after_deletion_and_return(world: World, unpublished: str) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    uuid = await book(world, told)
    state = SetSaleState(opportunity=told.path(unpublished), sale=SaleState.UNPUBLISHED, actor=MANAGER)
    await world.store.execute(state)
    for _ in range(2):
        await import_(world.store, deleted(series()), deleted(session()))
        back = await import_(world.store, rpde(series(), modified=3), rpde(session(), modified=3))
        assert back.outcomes() == ["parent", "not bookable"]
        assert await feed(world, SESSIONS) == {}
    await world.store.execute(replace(state, sale=SaleState.ON_SALE))
    assert (await feed(world, SESSIONS))[told.path("sessions/1")]["remainingAttendeeCapacity"] == 4
    assert (await item_of(world, uuid))["orderItemStatus"].endswith("OrderItemConfirmed")


JUDO = {"name": "Judo", "startDate": "2027-03-09T10:00:00Z"}


@pytest.mark.parametrize("gone", [True, False])
async def test_an_id_that_a_feed_gives_to_another_thing_moves_no_order(world: World, gone: bool) -> None:
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
async def test_an_id_of_a_feed_goes_on_naming_what_is_renamed_or_rescheduled(
    world: World, change: dict[str, str]
) -> None:
    told = await import_(world.store, rpde(event(**{"@id": None}), id="1"))
    await book_path(world, told[0]["path"])
    again = await import_(world.store, rpde(event(**{"@id": None}, **change), id="1", modified=2))
    assert (again.outcomes(), again[0]["orders"]) == (["bookable"], {"changed": 1})


async def test_an_id_of_a_thing_itself_names_it_whatever_changes(world: World) -> None:
    told = await import_(world.store, rpde(event()))
    await book_path(world, told[0]["path"])
    again = await import_(world.store, rpde(event(**JUDO), modified=2))
    assert (again.outcomes(), again[0]["orders"]) == (["bookable"], {"changed": 1})


async def test_a_withdrawn_cancelled_item_is_not_taken_off_sale_again(world: World) -> None:
    told = await import_(world.store, rpde(event()))
    await world.store.execute(CancelOpportunity(opportunity=told[0]["path"], actor=MANAGER))
    await import_(world.store, deleted(event()))
    again = await import_(world.store, rpde(event(eventStatus="Maybe"), modified=3))
    assert again.outcomes() == ["not imported"]
