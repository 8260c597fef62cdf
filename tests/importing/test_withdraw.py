"""The end of an import: withdrawn and unreadable items go off sale, and their Orders stay."""

from typing import Any

import pytest

from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.importing.reading.source import source_of
from support.http_system import World
from support.importing.made_up_imports import EVENTS, SERIES, SESSIONS, SLOTS, book, feed, import_, left
from support.importing.published_items import (
    SERIES_ID,
    deleted,
    event,
    facility,
    rpde,
    series,
    session,
    slot,
)
from support.parties import MANAGER, STUDIO

pytestmark = pytest.mark.anyio


async def test_deleted_items_are_withdrawn_and_keep_their_orders(world: World) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    uuid = await book(world, told)
    again = await import_(world.store, rpde(series()), deleted(session()))
    assert again.outcomes() == ["parent", "withdrawn"]
    assert await feed(world, SESSIONS) == {}
    assert (await world.call("GET", f"orders/{uuid}")).status_code == 200
    await import_(world.store, rpde(series()), rpde(session(), modified=3))
    assert await left(world, told) == 4


async def test_a_deletion_of_an_unknown_item_changes_nothing(world: World) -> None:
    assert (await import_(world.store, deleted(session()), deleted(series()))).outcomes() == ["unmatched"] * 2


async def test_a_deleted_parent_withdraws_its_children(world: World) -> None:
    await import_(world.store, rpde(series()), source="series")
    await import_(world.store, rpde(session()), source="sessions")
    told = await import_(world.store, deleted(series()), rpde(session(2)), source="series")
    assert told.reasons() == [f"parent not found: its superEvent {SERIES_ID} was deleted"]
    assert (await feed(world, SESSIONS), await feed(world, SERIES)) == ({}, {})


async def test_an_item_with_another_thing_withdraws_its_earlier_thing(world: World) -> None:
    await import_(world.store, rpde(series()), rpde(session(), id="1"))
    told = await import_(world.store, rpde(series()), rpde(session(2), id="1"))
    assert set(await feed(world, SESSIONS)) == {told.path("sessions/2")}


async def test_slots_that_are_no_longer_embedded_are_withdrawn(world: World) -> None:
    await import_(world.store, facility(event=[slot(1), slot(2)]))
    told = await import_(world.store, facility(event=[slot(2), slot(3)]))
    assert set(await feed(world, SLOTS)) == {told.path("slots/2"), told.path("slots/3")}
    assert (await import_(world.store, facility(event=[slot(3)]))).outcomes() == ["parent", "bookable", "withdrawn"]
    assert set(await feed(world, SLOTS)) == {told.path("slots/3")}
    assert (await import_(world.store, facility())).outcomes() == ["parent", "withdrawn"]
    assert await feed(world, SLOTS) == {}


@pytest.mark.parametrize(
    "version",
    [
        rpde(session(startDate=None), modified=2),
        rpde(session(eventStatus="https://schema.org/EventCanceled"), modified=2),
        rpde(session(superEvent="https://provider.example.com/series/unknown"), modified=2),
        rpde(session(superEvent=series(eventStatus="EventMaybe")), modified=2),
        rpde(session(), modified=2) | {"data": None},
        rpde(session(), modified=2) | {"data": "text"},
        rpde(session() | {"@type": "Concert"}, kind="ScheduledSession", modified=2),
    ],
)
async def test_an_item_no_longer_understood_goes_off_sale_and_keeps_its_orders(
    world: World, version: dict[str, Any]
) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    uuid = await book(world, told)
    again = await import_(world.store, rpde(series()), version)
    (off,) = [line for line in again if line["outcome"] == "off sale"]
    assert (off["path"], off["orders"]) == (told.path("sessions/1"), {"kept": 1})
    assert await feed(world, SESSIONS) == {}
    await book(world, told, status=409)
    (booked,) = (await world.call("GET", f"orders/{uuid}")).json()["orderedItem"]
    assert booked["orderItemStatus"].endswith("OrderItemConfirmed")
    back = await import_(world.store, rpde(series()), rpde(session(), modified=3))
    assert back.outcomes() == ["parent", "bookable"]
    await book(world, told)


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
    """Feeds imported under one name may use the same ids, and repeat a deletion for days."""
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


async def test_an_item_whose_rpde_kind_changes_stays_the_same_item(world: World) -> None:
    """The data has no id, so the event would be on sale twice."""
    source = source_of("https://provider.example.com/feed")
    await import_(world.store, rpde(event(**{"@id": None}), id="1", kind="event"), source=source)
    told = await import_(world.store, rpde(event(**{"@id": None}), id="1", kind="Event"), source=source)
    assert told.outcomes() == ["bookable", "withdrawn"]
    assert set(await feed(world, EVENTS)) == {told[0]["path"]}


async def test_a_withdrawn_cancelled_item_is_not_taken_off_sale_again(world: World) -> None:
    told = await import_(world.store, rpde(event()))
    await world.store.execute(CancelOpportunity(opportunity=told[0]["path"], actor=MANAGER))
    await import_(world.store, deleted(event()))
    again = await import_(world.store, rpde(event(eventStatus="Maybe"), modified=3))
    assert again.outcomes() == ["not imported"]


@pytest.mark.parametrize("last", [[], [rpde(session(2, startDate=None))], [deleted(session(2))]])
async def test_sessions_missing_after_a_hand_over_are_reported(world: World, last: list[Any]) -> None:
    """The missing session keeps its Orders and cannot be booked."""
    told = await import_(world.store, rpde(series()), rpde(session(1)), rpde(session(2)))
    await book(world, told, "sessions/2")
    items = (rpde(series()), rpde(session(1)), *last)
    dry = await import_(world.store, *items, seller=STUDIO.key, hand_over=True, dry_run=True)
    again = await import_(world.store, *items, seller=STUDIO.key, hand_over=True)
    assert dry == again
    assert again[-1] == {
        "outcome": "withdrawn",
        "item": "ScheduledSession",
        "path": told.path("sessions/2"),
        "reason": "it was withdrawn for the hand-over, and not imported again",
        "orders": {"kept": 1},
    }


async def test_a_deletion_with_a_decimal_id_withdraws_its_item(world: World) -> None:
    await import_(world.store, rpde(event(), id=1.0))
    told = await import_(world.store, {"state": "deleted", "kind": "Event", "id": 1.0, "modified": 2})
    assert told.outcomes() == ["withdrawn"]
    assert await feed(world, EVENTS) == {}
