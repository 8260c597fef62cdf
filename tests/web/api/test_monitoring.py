"""Health and readiness of a server."""

import asyncio
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette

from openbooking.booking.store import StoreUnavailableError
from support.http_system import World, open_world

pytestmark = pytest.mark.anyio


def app_of(world: World) -> Starlette:
    """Return the application behind the client."""
    app = world.client._transport.app  # type: ignore[attr-defined]
    assert isinstance(app, Starlette)
    return app


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


async def fail(*_: Any) -> Any:
    """Fail as a database that is unavailable."""
    raise StoreUnavailableError("db.internal is away")


async def hang(*_: Any) -> Any:
    """Wait for ever, as for a database that does not answer."""
    await asyncio.Event().wait()


@pytest.mark.parametrize("fault", [fail, hang])
async def test_a_server_without_its_database_is_not_ready_and_hides_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    monkeypatch.setattr("openbooking.web.api.monitoring._TIMEOUT_SECONDS", 0.05)
    async with open_world("sqlite", tmp_path) as world:
        monkeypatch.setattr(world.store, "check", fault)
        reply = await world.client.get("/readyz")
        assert (reply.status_code, reply.json()["database"]) == (503, "not ok")
        assert "db.internal" not in reply.text
        assert (await world.client.get("/healthz")).status_code == 200


async def test_a_server_on_another_schema_is_not_ready(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openbooking.store.schema.REVISION", "9999")
    assert (await sqlite_world.client.get("/readyz")).json()["database"] == "not ok"


async def test_a_server_whose_sweeper_is_stuck_is_not_ready(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    while (await sqlite_world.client.get("/readyz")).status_code != 200:
        await anyio.sleep(0.01)
    monkeypatch.setattr(sqlite_world.store, "execute", fail)
    monkeypatch.setattr("openbooking.periodic_jobs.monotonic", lambda: float("inf"))
    reply = await sqlite_world.client.get("/readyz")
    assert (reply.status_code, reply.json()["sweeper"]) == (503, "not ok")
