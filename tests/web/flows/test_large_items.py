"""Large items: pages have a limited size and all items, and an Order with too many bytes is refused."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.openactive.rpde import PAGE_BYTES
from support.builders import new_uuid, session
from support.http_system import SITE, World, open_world
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

LARGEST = 190_000


async def publish_large(world: World, count: int) -> list[list[Opportunity]]:
    families = []
    for number in range(count):
        series, made = session(f"large-{number}", capacity=100)
        described = replace(made, properties={**made.properties, "description": "x" * LARGEST})
        await world.store.execute(Publish((series, described), actor=MANAGER))
        families.append([series, described])
    return families


async def pages(world: World, path: str) -> list[tuple[int, Any]]:
    """Return the size and the items of each page that has items."""
    found: list[tuple[int, Any]] = []
    url = f"{SITE}{path}"
    while True:
        reply = await world.client.get(url, headers={"Authorization": "Bearer obk_alice"})
        assert reply.status_code == 200
        page = reply.json()
        if not page["items"]:
            return found
        found.append((len(reply.content), page["items"]))
        url = page["next"]


@pytest.mark.spec("OB-FEED-09")
async def test_pages_of_large_items_are_bounded_in_bytes(world: World) -> None:
    families = await publish_large(world, 30)
    found = await pages(world, "/feeds/scheduled-sessions")
    ids = {item["id"] for _, items in found for item in items if "large" in item["data"]["@id"]}
    assert len(ids) == len(families)
    assert len(found) >= 30 * LARGEST // PAGE_BYTES
    assert max(size for size, _ in found) <= PAGE_BYTES + 2 * LARGEST


@pytest.mark.spec("OB-FEED-09")
async def test_pages_of_large_orders_are_bounded_in_bytes(world: World) -> None:
    family = session("many", capacity=10_000)
    await world.store.execute(Publish(tuple(family), actor=MANAGER))
    order = world.order(*(world.item(family, position) for position in range(500)), total=6_000)
    for uuid in (uuids := [new_uuid() for _ in range(8)]):
        assert (await world.call("PUT", f"orders/{uuid}", order)).status_code == 201
        await world.store.execute(SellerCancel(order=OrderKey("alice", uuid), actor=MANAGER))
    found = await pages(world, "/api/orders-rpde")
    assert {item["id"] for _, items in found for item in items} == set(uuids)
    size = max(len(msgspec.json.encode(item)) for _, items in found for item in items)
    assert len(uuids) * size > PAGE_BYTES
    assert len(found) > 1
    assert max(size for size, _ in found) <= PAGE_BYTES + 2 * size


@pytest.mark.spec("OB-ERR-01")
async def test_an_order_with_too_many_bytes_is_refused(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, max_order_bytes=500_000) as world:
        families = await publish_large(world, 3)
        items = [world.item(family, position) for position, family in enumerate(families)]
        refused = await world.call("PUT", f"orders/{new_uuid()}", world.order(*items, total=36))
        assert (refused.status_code, refused.json()["@type"]) == (413, "OpenBookingError")
        assert "max_order_bytes allows 500,000" in refused.json()["description"]
        booked = await world.call("PUT", f"orders/{new_uuid()}", world.order(*items[:2], total=24))
        assert booked.status_code == 201
