"""Ownership: an import cannot change Opportunities and Sellers of another source, and the report says so."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.store import Feed
from support.builders import new_uuid
from support.http_system import World, open_world
from support.importing.made_up_imports import Told, feed, import_
from support.importing.published_items import SELLER, deleted, event, page, rpde, series, session
from support.parties import CENTRE, MANAGER, STUDIO

pytestmark = [pytest.mark.anyio, pytest.mark.spec("OB-ID-01")]
SESSIONS, SERIES, EVENTS = "/feeds/scheduled-sessions", "/feeds/session-series", "/feeds/events"
GOOD, EVIL = "/feeds/good.json", "/feeds/evil.json"
CANCELLED = "https://schema.org/EventCancelled"


@pytest.fixture(params=["memory", "sqlite"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System on each store, with items that the source `GOOD` published for the centre."""
    async with open_world(request.param, tmp_path) as opened:
        told = await import_(opened.store, rpde(series()), rpde(session()), rpde(event()), source=GOOD)
        assert told.reasons() == []
        yield opened


async def published(world: World) -> list[Any]:
    return [await world.read_feed(path) for path in (SESSIONS, SERIES, EVENTS)]


async def attack(world: World, *items: Any, seller: str | None, source: str = EVIL) -> Told:
    """Import items, and check that no published item and no Seller has changed."""
    before, sellers = await published(world), await world.store.sellers()
    told = await import_(world.store, *items, seller=seller, source=source)
    assert (await published(world), await world.store.sellers()) == (before, sellers)
    return told


async def book_event(world: World) -> str:
    """Book one space of the event, and return the UUID of the Order."""
    uuid, (data,) = new_uuid(), (await feed(world, EVENTS)).values()
    item = {
        "@type": "OrderItem",
        "position": 0,
        "orderedItem": data["@id"],
        "acceptedOffer": data["offers"][0]["@id"],
    }
    response = await world.call("PUT", f"orders/{uuid}", world.order(item, total=5.5))
    assert response.status_code == 201, response.text
    return uuid


@pytest.mark.parametrize("seller", [STUDIO.key, CENTRE.key])
async def test_another_source_changes_nothing_for_either_seller(world: World, seller: str) -> None:
    items = (
        rpde(event(eventStatus=CANCELLED, remainingAttendeeCapacity=99), id="x"),
        rpde(series(name="Taken"), id="y"),
        rpde(session(eventStatus=CANCELLED), id="z"),
    )
    told = await attack(world, *items, seller=seller)
    assert told.outcomes() == ["not imported"] * 3
    assert set(told.reasons()) == {f"It belongs to another source: {GOOD}."}
    told = await attack(world, *(rpde(item["data"], id=item["id"], state="deleted") for item in items), seller=seller)
    assert told.outcomes() == ["unmatched"] * 3


async def test_a_refusal_affects_its_item_only(world: World) -> None:
    told = await import_(world.store, event(), event(**{"@id": "x:2"}), seller=STUDIO.key, source=EVIL)
    assert sorted(told.outcomes()) == ["bookable", "not imported"]
    assert len(await feed(world, EVENTS)) == 2


async def test_the_same_source_does_not_move_a_thing_to_another_seller(world: World) -> None:
    told = await attack(world, rpde(event()), seller=STUDIO.key, source=GOOD)
    assert told.reasons() == ["It belongs to another Seller: centre."]


async def test_a_child_of_a_parent_of_another_seller_or_source_is_refused(world: World) -> None:
    told = await attack(world, session(2), seller=STUDIO.key)
    assert told.reasons() == ["Its parent belongs to another Seller: centre."]
    told = await attack(world, session(2), session(3, superEvent=series()), seller=None)
    assert told.reasons() == [f"Its parent belongs to another source: {GOOD}."] * 2
    assert (await import_(world.store, session(2), source=EVIL)).outcomes() == ["bookable"]


async def test_a_feed_cannot_sell_for_a_seller_that_another_feed_described(world: World) -> None:
    mine, its = event(**{"@id": "x:1"}), event(**{"@id": "x:2"}, name="Not theirs")
    told = await import_(world.store, mine, seller=None, source="https://good.example/events")
    assert told.outcomes() == ["bookable"]
    made = next(known for known in await world.store.sellers() if known.name == SELLER["name"] and known.source)
    await world.store.execute(PublishSeller(CENTRE, actor=MANAGER))
    told = await attack(world, its, seller=None)
    assert told.reasons() == ["Seller Riverside Centre belongs to another source: https://good.example/events."]
    assert (await import_(world.store, its, seller=made.key, source=EVIL)).outcomes() == ["bookable"]


async def test_feeds_of_one_site_may_publish_the_same_parent(world: World) -> None:
    """One feed embeds a copy of the series in its sessions. Another feed publishes the series itself."""
    copy = series(**{"@id": "x:series"}, name="Only a copy")
    child = session(7, superEvent=copy)
    site = "https://provider.example.com/feeds"
    for item, source in ((child, "sessions"), (series(**{"@id": "x:series"}), "series"), (child, "sessions")):
        told = await import_(world.store, item, seller=None, source=f"{site}/{source}")
        assert told.reasons() == []
    assert "Only a copy" not in {data["name"] for data in (await feed(world, SERIES)).values()}


async def test_a_file_updates_items_of_a_feed_only_under_the_name_of_the_feed(world: World) -> None:
    url = "https://provider.example.com/feed"
    item = event(**{"@id": "x:1"})
    await import_(world.store, item, source=url)
    assert (await attack(world, item, seller=CENTRE.key)).reasons() == [f"It belongs to another source: {url}."]
    assert (await import_(world.store, item, source=url)).outcomes() == ["bookable"]


async def test_another_source_does_not_change_orders_of_a_withdrawn_event(world: World) -> None:
    orders = Feed("orders", "alice")
    ordered = await book_event(world)
    before = await world.store.feed_items(orders, 0, 100)
    await import_(world.store, deleted(event()), source=GOOD)
    told = await import_(world.store, event(eventStatus=CANCELLED), seller=STUDIO.key, source=EVIL)
    assert told.reasons() == ["An Order for it belongs to another Seller: centre."]
    assert await world.store.feed_items(orders, 0, 100) == before
    again = await import_(world.store, page(rpde(event(eventStatus=CANCELLED), modified=3)), source=GOOD)
    assert again.reasons() == []
    answer = (await world.call("GET", f"orders/{ordered}")).json()
    assert answer["orderedItem"][0]["orderItemStatus"] == "https://openactive.io/SellerCancelled"


async def test_a_hand_over_moves_items_to_another_seller(world: World) -> None:
    ordered = await book_event(world)
    copy = series(**{"@id": "x:series"})
    child = session(7, superEvent=copy)
    await import_(world.store, child, source=GOOD)
    items = (rpde(series()), rpde(session()), rpde(event()), child)
    assert (await attack(world, *items, seller=STUDIO.key, source=GOOD)).reasons() != []
    told = await import_(world.store, *items, seller=STUDIO.key, source=GOOD, hand_over=True)
    assert told.reasons() == []
    assert {data["organizer"]["name"] for data in (await feed(world, SERIES)).values()} == {STUDIO.name}
    assert (await feed(world, EVENTS))[told.path("events/1")]["remainingAttendeeCapacity"] == 4
    answer = (await world.call("GET", f"orders/{ordered}")).json()
    assert answer["orderedItem"][0]["orderItemStatus"] == "https://openactive.io/OrderItemConfirmed"
    told = await attack(world, *items, seller=CENTRE.key, source=EVIL)
    assert len(told.reasons()) == 4


async def test_a_hand_over_of_items_of_another_source_is_refused(world: World) -> None:
    before = await published(world)
    told = await import_(world.store, rpde(event()), seller=STUDIO.key, source=EVIL, hand_over=True)
    assert told.reasons() == [f"It belongs to another source: {GOOD}."]
    assert await published(world) == before
