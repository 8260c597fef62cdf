"""The open feeds and the Orders feeds: OpenActive's validators check their pages and items."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.order import OrderKey
from openbooking.identity.records import FeedPosition, IdentityRecord
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from support.builders import UUID, session
from support.http_system import COURT, HALL, SITE, YOGA, World, open_world
from support.parties import CENTRE, MANAGER
from support.validators import Validator

pytestmark = pytest.mark.anyio


@pytest.mark.spec("OB-FEED-01", "OB-FEED-20", "OB-FEED-22", "OB-FEED-24", "OB-FEED-25", "OB-FEED-26", "OB-FEED-27")
@pytest.mark.spec("OB-FEED-28", "OB-FEED-29", "OB-FEED-30", "OB-BKBL-04", "OB-BKBL-08", "OB-BKBL-09", "OB-BKBL-19")
@pytest.mark.spec(
    "OB-BKBL-20", "OB-BKBL-22", "OB-BKBL-26", "OB-BKBL-27", "OB-BKBL-29", "OB-BKBL-30", "OB-BKBL-33", "OB-BKBL-34"
)
@pytest.mark.parametrize("type_", OpportunityType)
async def test_every_item_of_every_open_feed_is_valid(
    world: World, validator: Validator, type_: OpportunityType
) -> None:
    feed = await world.read_feed(f"/feeds/{type_.feed}")
    of_type = [entry for entry in feed.values() if entry["kind"] == type_]
    assert of_type
    for entry in of_type:
        assert entry["state"] == "updated"
        assert entry["data"]["@type"] == type_
        assert validator.failures("BookableRPDEFeed", entry["data"]) == []


@pytest.mark.spec("OB-FEED-02", "OB-FEED-03", "OB-FEED-04", "OB-FEED-12", "OB-FEED-16", "OB-FEED-23", "OB-FEED-31")
@pytest.mark.spec("OB-FEED-34", "OB-FEED-35", "OB-FEED-33", "OB-FEED-13", "OB-FEED-14", "OB-FEED-32", "OB-FEED-10")
async def test_every_page_of_a_feed_is_valid(world: World, validator: Validator) -> None:
    for start in range(0, 1100, 100):
        many = [item for number in range(start, start + 100) for item in session(f"n{number}")]
        await world.store.execute(Publish(tuple(many), actor=MANAGER))
    seen: set[str] = set()
    url, pages = f"{SITE}/feeds/scheduled-sessions", 0
    while True:
        response = await world.client.get(url)
        page = response.json()
        failures = validator.rpde_page_failures(
            url, page, headers=dict(response.headers), status=response.status_code, feed=f"sessions-{id(world)}"
        )
        assert failures == []
        cache = response.headers["cache-control"]
        if not page["items"]:
            assert page["next"] == url
            assert cache == "public, max-age=5"
            break
        assert cache == "public, max-age=3600"
        ids = {entry["id"] for entry in page["items"]}
        assert not ids & seen
        seen |= ids
        url, pages = page["next"], pages + 1
    assert (len(seen), pages) == (1102, 3)


@pytest.mark.spec("OB-FEED-16")
async def test_the_last_page_repeats_the_requested_url_exactly(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path) as world:
        url = f"{SITE}/feeds/slots?afterChangeNumber=9007199254740991&x=%C3%A9+1"
        assert (await world.client.get(url)).json() == {
            "next": url,
            "items": [],
            "license": "https://creativecommons.org/licenses/by/4.0/",
        }
        empty = (await world.client.get("/api/orders-rpde", headers={"Authorization": "Bearer obk_bob"})).json()
        assert empty == {"next": f"{SITE}/api/orders-rpde", "items": []}


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "1e3", "\uff19", "9007199254740992", "9" * 400, ""])
async def test_a_position_that_is_no_change_number_is_refused(sqlite_world: World, after: str) -> None:
    response = await sqlite_world.client.get("/feeds/slots", params={"afterChangeNumber": after})
    assert (response.status_code, response.json()["@type"]) == (400, "OpenBookingError")


@pytest.mark.spec("OB-FEED-29", "OB-BKBL-31", "OB-BKBL-32", "OB-BKBL-33", "OB-BKBL-40", "OB-BKBL-28")
async def test_children_refer_to_their_parents_and_slots_have_offers(world: World) -> None:
    sessions = await world.read_feed("/feeds/scheduled-sessions")
    slots = await world.read_feed("/feeds/slots")
    courts = await world.read_feed("/feeds/individual-facility-uses")
    series = await world.read_feed("/feeds/session-series")
    assert sessions["yoga"]["data"]["superEvent"] == world.ids.opportunity(YOGA[0].path)
    assert slots["court"]["data"]["facilityUse"] == world.ids.opportunity(COURT[1].path)
    assert slots["hall"]["data"]["facilityUse"] == world.ids.opportunity(HALL[0].path)
    assert courts["court-court"]["data"]["aggregateFacilityUse"]["@id"] == world.ids.opportunity(COURT[0].path)
    assert slots["court"]["data"]["offers"][0]["price"] == 12
    assert "offers" not in sessions["yoga"]["data"]
    assert series["series-yoga"]["data"]["organizer"]["@id"] == world.ids.seller(CENTRE.key)
    assert series["series-yoga"]["data"]["organizer"]["isOpenBookingAllowed"] is True


@pytest.mark.spec("OB-OF-01", "OB-OF-04", "OB-OF-05", "OB-OF-03", "OB-OPF-01", "OB-MT-05")
@pytest.mark.parametrize("name", ["orders-rpde", "order-proposals-rpde"])
async def test_orders_feeds_are_valid_private_and_without_quotes(world: World, validator: Validator, name: str) -> None:
    await world.call(
        "PUT",
        f"order-quotes/{UUID}",
        world.quote(world.item(YOGA), customer={"@type": "Person", "email": "a@example.com"}),
    )
    response = await world.call("GET", name)
    assert response.headers["content-type"] == BOOKING_MEDIA_TYPE
    assert "public" not in response.headers["cache-control"]
    assert response.json()["items"] == []
    failures = validator.rpde_page_failures(
        f"{SITE}/api/{name}", response.json(), headers=dict(response.headers), orders=True
    )
    assert failures == []


@pytest.mark.spec("OB-FEED-05", "OB-FEED-07", "OB-FEED-08", "OB-FEED-11", "OB-FEED-19")
async def test_items_are_ordered_by_change_number(world: World) -> None:
    async def after(number: int) -> list[tuple[int, str]]:
        page = await world.client.get("/feeds/scheduled-sessions", params={"afterChangeNumber": number})
        return [(entry["modified"], entry["id"]) for entry in page.json()["items"]]

    await world.store.execute(
        Publish(tuple(item for number in range(5) for item in session(f"n{number}")), actor=MANAGER)
    )
    before = await after(0)
    numbers = [number for number, _ in before]
    assert len(before) == 7
    assert numbers == sorted(set(numbers))
    for number in (numbers[0] - 1, *numbers):
        assert await after(number) == [entry for entry in before if entry[0] > number]

    await world.store.execute(Publish((*session("n1", capacity=3),), actor=MANAGER))
    ((moved_on, id_),) = await after(numbers[-1])
    assert id_.endswith("/n1")
    assert moved_on > numbers[-1]
    assert [entry for entry in await after(0) if entry[1] != id_] == [entry for entry in before if entry[1] != id_]


async def test_change_numbers_are_exact_in_every_json_reader(world: World) -> None:
    response = await world.client.get("/feeds/slots")
    numbers: list[Any] = [entry["modified"] for entry in json.loads(response.text)["items"]]
    assert all(isinstance(number, int) and 0 < number < 2**53 for number in numbers)


async def stored_positions(world: World) -> dict[tuple[str, str], int]:
    """Return the positions of Booking Partners in their feeds, once the last one is written."""
    for _ in range(100):
        await asyncio.sleep(0.01)
        found = await world.identity.find(FeedPosition)
        if found:
            return {(position.partner, position.feed): position.position for position in found}
    return {}


async def test_the_position_of_a_partner_in_its_feed_is_kept(world: World) -> None:
    body = world.order(world.item(YOGA))
    assert (await world.call("PUT", f"orders/{UUID}", body)).status_code == 201
    await world.store.execute(SellerCancel(order=OrderKey("alice", UUID), actor=MANAGER))
    page = (await world.call("GET", "orders-rpde")).json()
    assert await world.identity.find(FeedPosition) == []
    await world.client.get(page["next"], headers={"Authorization": "Bearer obk_alice"})
    (item,) = page["items"]
    assert await stored_positions(world) == {("alice", "orders"): item["modified"]}


async def test_no_feed_waits_until_a_position_is_written(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    written, save = asyncio.Event(), sqlite_world.identity.save

    async def later(*records: IdentityRecord) -> bool:
        await written.wait()
        return await save(*records)

    body = sqlite_world.order(sqlite_world.item(YOGA))
    assert (await sqlite_world.call("PUT", f"orders/{UUID}", body)).status_code == 201
    await sqlite_world.store.execute(SellerCancel(order=OrderKey("alice", UUID), actor=MANAGER))
    monkeypatch.setattr(sqlite_world.identity, "save", later)
    assert await asyncio.wait_for(sqlite_world.read_feed("/api/orders-rpde"), 10)
    written.set()
    assert await stored_positions(sqlite_world)
