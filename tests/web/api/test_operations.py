"""Health, readiness, metrics, request ids and logs."""

import asyncio
import re
from pathlib import Path
from typing import Any

import anyio
import pytest
import structlog
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.types import Message
from structlog.contextvars import merge_contextvars
from structlog.testing import LogCapture

from openbooking.booking.commands.publish import Publish
from openbooking.booking.store import StoreUnavailableError
from support.builders import UUID, new_uuid
from support.http_system import YOGA, World, open_world
from support.parties import CUSTOMER, MANAGER
from support.validators import Validator

pytestmark = pytest.mark.anyio

TOKEN = {"Authorization": "Bearer scrape-me"}
OURS = "gateway-1.2/3"
Samples = dict[tuple[str, ...], float]


def app_of(world: World) -> Starlette:
    """Return the application behind the client."""
    app = world.client._transport.app  # type: ignore[attr-defined]
    assert isinstance(app, Starlette)
    return app


async def scrape(world: World, *names: str) -> Samples:
    """Return the samples of these names, by name and values of labels."""
    reply = await world.client.get("/metrics", headers=TOKEN)
    assert reply.status_code == 200
    families = text_string_to_metric_families(reply.text)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
        if sample.name in names
    }


@pytest.mark.spec("OB-ERR-05")
@pytest.mark.parametrize("sent", [None, OURS, "x" * 129, "two words", "a\tb", ""])
async def test_a_request_has_its_senders_id_if_it_is_well_formed(
    sqlite_world: World, validator: Validator, sent: str | None
) -> None:
    headers = {} if sent is None else {"X-Request-ID": sent}
    for path, status in ((f"orders/{UUID}", 404), ("nothing", 404), ("orders-rpde", 200)):
        reply = await sqlite_world.call("GET", path, **headers)
        assert reply.status_code == status
        (given,) = reply.headers.get_list("x-request-id")
        assert given == OURS if sent == OURS else re.fullmatch("[0-9a-f]{32}", given)
        if status == 404:
            assert reply.json()["requestId"] == given
            assert validator.failures("OpenBookingError", reply.json()) == []


@pytest.mark.parametrize("path", ["/", "/openactive", "/feeds/slots", "/sign-in", "/healthz"])
async def test_every_response_has_an_id(sqlite_world: World, path: str) -> None:
    reply = await sqlite_world.client.get(path, headers={"X-Request-ID": OURS})
    assert reply.headers.get_list("x-request-id") == [OURS]


@pytest.fixture
def logged() -> Any:
    """Collect the log lines with the ids of their requests."""
    before, capture = structlog.get_config(), LogCapture()
    structlog.configure(processors=[merge_contextvars, capture])
    yield capture.entries
    structlog.configure(**before)


async def test_each_line_of_a_request_has_its_id(
    sqlite_world: World, logged: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(command: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(sqlite_world.store, "execute", broken)
    reply = await sqlite_world.call("DELETE", f"orders/{UUID}", **{"X-Request-ID": OURS})
    lines = [line for line in logged if line.get("request_id") == OURS]
    assert [line["event"] for line in lines] == ["request.failed", "request"]
    assert reply.json()["requestId"] == OURS
    seconds = lines[1].pop("seconds")
    assert seconds >= 0
    assert lines[1] == {
        "event": "request",
        "log_level": "info",
        "request_id": OURS,
        "method": "DELETE",
        "endpoint": "/api/orders/{uuid}",
        "status": 500,
        "order": UUID,
        "partner": "alice",
        "error": "InternalApplicationError",
    }


async def test_a_client_that_disconnects_early_causes_no_server_error(
    sqlite_world: World, logged: list[dict[str, Any]]
) -> None:
    answered: list[Any] = []

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def note(message: Message) -> None:
        answered.append(message)

    path, key = f"/api/orders/{UUID}", (b"authorization", b"Bearer obk_alice")
    scope = {"type": "http", "method": "PUT", "path": path, "query_string": b"", "headers": [key]}
    await app_of(sqlite_world)(scope, gone, note)
    assert answered == []
    assert [(line["event"], line["status"]) for line in logged] == [("request", 0)]


@pytest.mark.parametrize("log_requests", [False, True])
async def test_changes_and_refusals_are_logged_and_all_requests_if_set(
    tmp_path: Path, logged: list[dict[str, Any]], log_requests: bool
) -> None:
    async with open_world("sqlite", tmp_path, log_requests=log_requests) as world:
        await world.call("PUT", f"order-quote-templates/{UUID}", world.quote(world.item(YOGA)))
        await world.call("PUT", f"orders/{UUID}", world.order(world.item(YOGA)))
        too_many = [world.item(YOGA, position) for position in range(30)]
        await world.call("PUT", f"orders/{new_uuid()}", world.order(*too_many, total=360))
        await world.client.get("/feeds/slots")
    lines = [(line["endpoint"], line["status"]) for line in logged if line["event"] == "request"]
    loud = [("/api/orders/{uuid}", 201), ("/api/orders/{uuid}", 409)]
    quiet = [("/api/order-quote-templates/{uuid}", 200)], [("/feeds/slots", 200)]
    assert lines == (quiet[0] + loud + quiet[1] if log_requests else loud)
    assert [line["item_errors"][0] for line in logged if line.get("status") == 409] == [
        "OpportunityHasInsufficientCapacityError"
    ]


async def test_log_lines_of_a_batch_have_no_request_id(
    sqlite_world: World, logged: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = sqlite_world.store._queue  # type: ignore[attr-defined]
    write = queue._write

    async def write_and_tell(*batch: Any) -> Any:
        structlog.get_logger().info("written")
        return await write(*batch)

    monkeypatch.setattr(queue, "_write", write_and_tell)
    await sqlite_world.call("PUT", f"orders/{UUID}", sqlite_world.order(sqlite_world.item(YOGA)))
    assert {line.get("request_id") for line in logged if line["event"] == "written"} == {None}


async def test_a_server_is_ready_after_its_first_sweep(world: World) -> None:
    assert (await world.client.get("/healthz")).json() == {"status": "ok"}
    while (ready := await world.client.get("/readyz")).status_code != 200:
        await anyio.sleep(0.01)
    assert ready.json() == {"database": "ok", "sweeper": "ok", "serving": "ok"}
    assert ready.headers["cache-control"] == "no-store"


async def test_a_draining_server_is_not_ready_and_still_answers(sqlite_world: World) -> None:
    app_of(sqlite_world).state.draining = lambda: True
    reply = await sqlite_world.client.get("/readyz")
    assert (reply.status_code, reply.json()["serving"]) == (503, "not ok")
    assert (await sqlite_world.client.get("/healthz")).status_code == 200
    assert (await sqlite_world.call("GET", "orders-rpde")).status_code == 200


async def not_there(*_: Any) -> Any:
    """A database that is unavailable."""
    raise StoreUnavailableError("db.internal is away")


async def silent(*_: Any) -> Any:
    """A database that does not answer."""
    await asyncio.Event().wait()


@pytest.mark.parametrize("fault", [not_there, silent])
async def test_a_server_without_its_database_is_not_ready_and_hides_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    monkeypatch.setattr("openbooking.web.api.operations._TIMEOUT_SECONDS", 0.05)
    async with open_world("sqlite", tmp_path, metrics_token="scrape-me") as world:
        for method in ("check", "figures"):
            monkeypatch.setattr(world.store, method, fault)
        reply = await world.client.get("/readyz")
        assert (reply.status_code, reply.json()["database"]) == (503, "not ok")
        assert "db.internal" not in reply.text
        assert (await world.client.get("/healthz")).status_code == 200
        assert await scrape(world, "openbooking_store_up", "openbooking_leases") == {("openbooking_store_up",): 0}


async def test_a_server_on_another_schema_is_not_ready(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openbooking.store.figures.REVISION", "9999")
    assert (await sqlite_world.client.get("/readyz")).json()["database"] == "not ok"


async def test_a_server_whose_sweeper_is_stuck_is_not_ready(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    while (await sqlite_world.client.get("/readyz")).status_code != 200:
        await anyio.sleep(0.01)
    monkeypatch.setattr(sqlite_world.store, "execute", not_there)
    monkeypatch.setattr("openbooking.system.monotonic", lambda: float("inf"))
    reply = await sqlite_world.client.get("/readyz")
    assert (reply.status_code, reply.json()["sweeper"]) == (503, "not ok")


async def test_metrics_need_the_token(sqlite_world: World, tmp_path: Path) -> None:
    assert (await sqlite_world.client.get("/metrics", headers=TOKEN)).status_code == 404
    (tmp_path / "open").mkdir()
    async with open_world("sqlite", tmp_path / "open", metrics_token="scrape-me") as world:
        for credentials in (b"", b"scrape-me", b"Bearer obk_alice", "Bearer scrape-mé".encode()):
            reply = await world.client.get("/metrics", headers={b"Authorization": credentials})
            assert (reply.status_code, reply.text) == (401, "")
        reply = await world.client.get("/metrics", headers=TOKEN)
        assert reply.headers["content-type"].startswith("text/plain")


async def test_requests_errors_and_lost_races_are_counted(tmp_path: Path) -> None:
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


async def test_500_for_a_mistake_of_a_broker_is_counted_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An alert can leave such errors out (OB 10.2.2)."""

    async def fail(command: Any) -> Any:
        raise ZeroDivisionError

    async def be_away(command: Any) -> Any:
        raise StoreUnavailableError("It does not answer.")

    path = f"order-quotes/{UUID}"
    async with open_world("sqlite", tmp_path, metrics_token="scrape-me") as world:
        await world.call("PUT", path, world.quote(world.item(YOGA), seller="nobody"))
        for execute in (fail, be_away):
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


async def test_refused_holds_are_counted_by_bound(tmp_path: Path) -> None:
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
        item = await booked(world)
        assert await scrape(world, "openbooking_leases", "openbooking_orders_feed_lag_seconds") == {
            ("openbooking_leases", "live"): 1,
            ("openbooking_leases", "ended"): 0,
        }
        feed = await world.call("GET", "orders-rpde")
        await world.call("PATCH", f"orders/{item[0]}", cancellation(item[1]))
        await world.client.get("/feeds/slots")  # on PostgreSQL a change has its number once somebody reads
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


async def booked(world: World) -> tuple[str, str]:
    """Book an Order; return its UUID and the id of its item."""
    uuid = new_uuid()
    reply = await world.call("PUT", f"orders/{uuid}", world.order(world.item(YOGA)))
    return uuid, reply.json()["orderedItem"][0]["@id"]


def cancellation(item_id: str) -> dict[str, Any]:
    """Return the body of a cancellation of one item."""
    item = {"@type": "OrderItem", "@id": item_id, "orderItemStatus": "https://openactive.io/CustomerCancelled"}
    return {"@context": "https://openactive.io/", "@type": "Order", "orderedItem": [item]}
