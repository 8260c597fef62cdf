"""A full disk, as Brokers and administrators see it."""

import asyncio
from pathlib import Path

import pytest

from openbooking.openactive.terms import OPENACTIVE
from support.builders import new_uuid
from support.databases.small_disk import MIB, small_disk
from support.http_system import HALL, SITE, YOGA, open_world

pytestmark = pytest.mark.anyio


@pytest.mark.spec("OB-ERR-01", "OB-DEL-07", "OB-CAN-04", "OB-OST-02")
async def test_on_a_full_disk_bookings_are_503_and_the_rest_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 48 * MIB) as disk:
        async with open_world("sqlite", disk.folder, metrics_token="token") as world:
            deleted, cancelled, kept, quoted = (f"orders/{new_uuid()}" for _ in range(4))
            for path in (deleted, cancelled, kept):
                booked = await world.call("PUT", path, world.order(world.item(HALL)))
                assert booked.status_code == 201
            quote_path = quoted.replace("orders", "order-quotes")
            c2 = world.quote(world.item(HALL), customer=world.order()["customer"])
            assert (await world.call("PUT", quote_path, c2)).status_code == 200
            world.pass_time(hours=2)  # because the time of the last request of a partner is written again
            disk.fill()
            b = world.order(world.item(YOGA))
            refused = await world.call("PUT", f"orders/{new_uuid()}", b)
            assert (refused.status_code, refused.json()["@type"]) == (503, "TemporarilyUnableToCreateOrderError")
            refused = await world.call("PUT", f"order-quotes/{new_uuid()}", {**c2, "orderedItem": b["orderedItem"]})
            assert (refused.status_code, refused.json()["@type"]) == (503, "TemporarilyUnableToProduceOrderQuoteError")
            status = await world.call("GET", cancelled)
            item = {"@id": status.json()["orderedItem"][0]["@id"], "@type": "OrderItem"}
            patch = {
                "@context": OPENACTIVE,
                "@type": "Order",
                "orderedItem": [{**item, "orderItemStatus": f"{OPENACTIVE}CustomerCancelled"}],
            }
            assert (await world.call("PATCH", cancelled, patch)).status_code == 204
            for path in (deleted, quote_path, deleted):
                assert (await world.call("DELETE", path)).status_code == 204
            assert (await world.call("GET", kept)).status_code == 200
            assert (await world.call("PUT", kept, world.order(world.item(HALL)))).status_code == 201
            feed = await world.read_feed("/feeds/slots")
            assert feed["hall"]["data"]["remainingUses"] == 4
            assert len(await world.read_feed("/api/orders-rpde")) == 1
            await asyncio.sleep(3 * world.settings.sweep_seconds)
            assert (await world.client.get(f"{SITE}/readyz")).status_code == 200
            disk.clear()
            assert (await world.call("PUT", f"orders/{new_uuid()}", b)).status_code == 201
