"""The metrics that /metrics returns for Prometheus."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.event_queue import StoreWithEvents
from openbooking.booking.store import StoreUnavailableError
from openbooking.identity.import_records import FollowedFeed
from support.builders import UUID, new_uuid
from support.http_system import YOGA, World, open_world
from support.parties import CUSTOMER, MANAGER

pytestmark = pytest.mark.anyio

TOKEN = {"Authorization": "Bearer scrape-me"}
Samples = dict[tuple[str, ...], float]


async def scrape(world: World, *names: str) -> Samples:
    """Return the values of the metrics with these names, by name and labels."""
    reply = await world.client.get("/metrics", headers=TOKEN)
    assert reply.status_code == 200
    families = text_string_to_metric_families(reply.text)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
        if sample.name in names
    }


async def fail(*_: Any) -> Any:
    """Fail as a database that is unavailable."""
    raise StoreUnavailableError("db.internal is away")


async def hang(*_: Any) -> Any:
    """Wait for ever, as for a database that does not answer."""
    await asyncio.Event().wait()


@pytest.mark.parametrize("fault", [fail, hang])
async def test_metrics_without_a_database_have_no_figures_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    monkeypatch.setattr("openbooking.web.api.monitoring._TIMEOUT_SECONDS", 0.05)
    async with open_world("sqlite", tmp_path, metrics_token="scrape-me") as world:
        monkeypatch.setattr(world.store, "figures", fault)
        assert await scrape(world, "openbooking_store_up", "openbooking_leases") == {("openbooking_store_up",): 0}


async def test_metrics_need_the_token(sqlite_world: World, tmp_path: Path) -> None:
    assert (await sqlite_world.client.get("/metrics", headers=TOKEN)).status_code == 404
    (tmp_path / "open").mkdir()
    async with open_world("sqlite", tmp_path / "open", metrics_token="scrape-me") as world:
        for credentials in (b"", b"scrape-me", b"Bearer obk_alice", "Bearer scrape-mé".encode()):
            reply = await world.client.get("/metrics", headers={b"Authorization": credentials})
            assert (reply.status_code, reply.text) == (401, "")
        reply = await world.client.get("/metrics", headers=TOKEN)
        assert reply.headers["content-type"].startswith("text/plain")


async def test_requests_errors_and_capacity_conflicts_are_counted(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, metrics_token="scrape-me") as world:
        await world.store.execute(Publish((YOGA[0], replace(YOGA[1], capacity=1)), actor=MANAGER))
        order = world.order(world.item(YOGA))
        statuses = [(await world.call("PUT", f"orders/{new_uuid()}", order)).status_code for _ in range(3)]
        assert statuses == [201, 409, 409]
        await world.call("GET", f"orders/{UUID}")
        await world.client.request("BREW", "/nowhere/secret")
        counted = await scrape(
            world,
            "openbooking_request_duration_seconds_count",
            "openbooking_errors_total",
            "openbooking_capacity_conflicts_total",
            "openbooking_store_up",
        )
    orders = "/api/orders/{uuid}"
    assert counted == {
        ("openbooking_request_duration_seconds_count", orders, "", "PUT", "201"): 1,
        ("openbooking_request_duration_seconds_count", orders, "request", "PUT", "409"): 2,
        ("openbooking_request_duration_seconds_count", orders, "request", "GET", "404"): 1,
        ("openbooking_request_duration_seconds_count", "none", "request", "other", "404"): 1,
        ("openbooking_errors_total", "OpportunityIsFullError", "request"): 2,
        ("openbooking_errors_total", "UnknownOrderError", "request"): 1,
        ("openbooking_errors_total", "UnknownOrIncorrectEndpointError", "request"): 1,
        ("openbooking_capacity_conflicts_total", orders, "PUT"): 2,
        ("openbooking_store_up",): 1,
    }


async def test_order_events_that_wait_and_fail_are_counted(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, metrics_token="scrape-me") as world:
        assert isinstance(world.store, StoreWithEvents)
        queue = world.store.events
        await queue.keep_until(world.clock() + timedelta(days=1))
        for _ in range(2):
            await world.call("PUT", f"orders/{new_uuid()}", world.order(world.item(YOGA)))
        (first, _) = await queue.due(world.clock(), 10)
        await queue.postpone(first, world.clock() + timedelta(hours=1))
        world.pass_time(seconds=90)
        counted = await scrape(world, "openbooking_order_events", "openbooking_order_events_wait_seconds")
    assert counted == {
        ("openbooking_order_events", "waiting"): 2,
        ("openbooking_order_events", "failing"): 1,
        ("openbooking_order_events_wait_seconds",): 90,
    }


async def test_errors_are_counted_as_faults_of_requests_or_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alert on faults of the system can leave out mistakes of Brokers that have the status 500 (OB 10.2.2)."""

    async def divide_by_zero(command: Any) -> Any:
        raise ZeroDivisionError

    path = f"order-quotes/{UUID}"
    async with open_world("sqlite", tmp_path, metrics_token="scrape-me") as world:
        await world.call("PUT", path, world.quote(world.item(YOGA), seller="nobody"))
        for execute in (divide_by_zero, fail):
            monkeypatch.setattr(world.store, "execute", execute)
            await world.call("DELETE", path)
        counted = await scrape(world, "openbooking_request_duration_seconds_count", "openbooking_errors_total")
    quotes = "/api/order-quotes/{uuid}"
    assert counted == {
        ("openbooking_request_duration_seconds_count", quotes, "request", "PUT", "500"): 1,
        ("openbooking_request_duration_seconds_count", quotes, "system", "DELETE", "500"): 1,
        ("openbooking_request_duration_seconds_count", quotes, "system", "DELETE", "503"): 1,
        ("openbooking_errors_total", "SellerNotFoundError", "request"): 1,
        ("openbooking_errors_total", "InternalApplicationError", "system"): 1,
        ("openbooking_errors_total", "TemporarilyUnableToDeleteOrderError", "system"): 1,
    }


async def test_refused_holds_are_counted_by_limit(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, metrics_token="scrape-me", open_quotes=1) as world:
        body = world.quote(world.item(YOGA), customer=CUSTOMER)
        held, unheld = [(await world.call("PUT", f"order-quotes/{new_uuid()}", body)).json() for _ in range(2)]
        assert ("lease" in held, "lease" in unheld) == (True, False)
        assert unheld["totalPaymentDue"] == held["totalPaymentDue"]
        counted = await scrape(world, "openbooking_holds_refused_total")
    assert counted == {("openbooking_holds_refused_total", "open quotes", "alice"): 1}


async def test_leases_and_lags_come_from_the_store(world_settings: dict[str, str], tmp_path: Path) -> None:
    async with open_world(folder=tmp_path, metrics_token="scrape-me", sweep_seconds=3600, **world_settings) as world:
        await world.call("PUT", f"order-quotes/{UUID}", world.quote(world.item(YOGA), customer=CUSTOMER))
        item = await book(world)
        assert await scrape(world, "openbooking_leases", "openbooking_orders_feed_lag_seconds") == {
            ("openbooking_leases", "live"): 1,
            ("openbooking_leases", "ended"): 0,
        }
        feed = await world.call("GET", "orders-rpde")
        await world.call("PATCH", f"orders/{item[0]}", cancellation(item[1]))
        await world.client.get("/feeds/slots")  # on PostgreSQL a change gets its number when a feed is read
        world.pass_time(minutes=20)
        told = ("openbooking_leases", "openbooking_orders_feed_lag_seconds", "openbooking_orders_feed_position")
        lag, position = (f"openbooking_orders_feed_{what}" for what in ("lag_seconds", "position"))
        assert feed.json()["items"] == []
        assert await scrape(world, *told) == {
            ("openbooking_leases", "live"): 0,
            ("openbooking_leases", "ended"): 1,
            (lag, "orders", "alice"): 1200,
            (position, "orders", "alice"): 0,
        }
        news = (await world.call("GET", "orders-rpde")).json()
        after = int(re.findall("[0-9]+$", news["next"])[0])
        await world.call("GET", f"orders-rpde?afterChangeNumber={after}")
        read = await scrape(world, *told[1:])
        assert read == {(lag, "orders", "alice"): 0, (position, "orders", "alice"): after}


async def book(world: World) -> tuple[str, str]:
    """Book an Order, and return its UUID and the `@id` of its item."""
    uuid = new_uuid()
    reply = await world.call("PUT", f"orders/{uuid}", world.order(world.item(YOGA)))
    return uuid, reply.json()["orderedItem"][0]["@id"]


def cancellation(item_id: str) -> dict[str, Any]:
    """Return the body of a cancellation of one item."""
    item = {"@type": "OrderItem", "@id": item_id, "orderItemStatus": "https://openactive.io/CustomerCancelled"}
    return {"@context": "https://openactive.io/", "@type": "Order", "orderedItem": [item]}


async def test_followed_feeds_have_a_lag_and_their_items(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, metrics_token="scrape-me") as world:
        assert await scrape(world, "openbooking_import_lag_seconds") == {}
        feed = FollowedFeed(source="https://provider.example.com/", since=world.clock(), items=9, waiting=2, failures=1)
        await world.identity.save(feed)
        world.pass_time(minutes=5)
        names = ("lag_seconds", "items", "items_waiting", "failures")
        counted = await scrape(world, *(f"openbooking_import_{name}" for name in names))
        values = {name: counted[f"openbooking_import_{name}", feed.source] for name in names}
        assert values == {"lag_seconds": 300, "items": 9, "items_waiting": 2, "failures": 1}
