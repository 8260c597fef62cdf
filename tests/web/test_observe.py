"""Request ids, and the log lines of requests."""

import re
from pathlib import Path
from typing import Any

import pytest
import structlog
from starlette.applications import Starlette
from starlette.types import Message
from structlog.contextvars import merge_contextvars
from structlog.testing import LogCapture

from support.builders import UUID, new_uuid
from support.http_system import YOGA, World, open_world
from support.validators import Validator

pytestmark = pytest.mark.anyio

OURS = "gateway-1.2/3"


def app_of(world: World) -> Starlette:
    """Return the application behind the client."""
    app = world.client._transport.app  # type: ignore[attr-defined]
    assert isinstance(app, Starlette)
    return app


@pytest.mark.spec("OB-ERR-05")
@pytest.mark.parametrize("sent", [None, OURS, "x" * 129, "two words", "a\tb", ""])
async def test_a_well_formed_request_id_is_kept(sqlite_world: World, validator: Validator, sent: str | None) -> None:
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
