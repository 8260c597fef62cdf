"""The application opens the Booking System at its start or first request, and closes it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import httpx2
import pytest
import structlog.testing
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from openbooking.booking.store import StoreUnavailableError
from openbooking.clock import SystemClock
from openbooking.settings import AccessMode, Settings, SettingsError
from openbooking.store.identity.memory import MemoryIdentityStore
from openbooking.store.memory import MemoryStore
from openbooking.store.migrate import prepare
from openbooking.system import make_feed_writer
from openbooking.web.app import Application, create_app

pytestmark = pytest.mark.anyio

HOST = "https://booking.example.com"
PLACES = [pytest.param("", id="root"), pytest.param("/booking", id="below a path")]


def in_starlette(path: str) -> Callable[[Application], ASGIApp]:
    """Return a function that mounts the application in another one, which has a page of its own."""

    def mount(app: Application) -> ASGIApp:
        return Starlette(routes=[Route("/own", PlainTextResponse("own")), Mount(path, app)])

    return mount


@pytest.fixture(params=PLACES)
def path(request: pytest.FixtureRequest) -> str:
    """The path at which the application is mounted."""
    return str(request.param)


@asynccontextmanager
async def client_of(app: Application) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the application mounted in another one; the application is closed at the end."""
    transport = httpx2.ASGITransport(in_starlette("")(app))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client
        await app.close()


async def test_concurrent_first_requests_open_one_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def count(database: str) -> None:
        opened.append(database)
        prepare(database)

    monkeypatch.setattr("openbooking.store.migrate.prepare", count)
    app = create_app(Settings(database=str(tmp_path / "one.sqlite3")))
    async with client_of(app) as client:
        replies = await asyncio.gather(*(client.get("/feeds/slots") for _ in range(10)))
        assert [reply.status_code for reply in replies] == [200] * 10
    assert len(opened) == 1


async def test_a_cancelled_first_request_opens_the_system_for_others(tmp_path: Path) -> None:
    app = create_app(Settings(database=str(tmp_path / "one.sqlite3")))
    async with client_of(app) as client:
        first = asyncio.create_task(client.get("/feeds/slots"))
        await asyncio.sleep(0)
        second = asyncio.create_task(client.get("/feeds/slots"))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).status_code == 200
        assert first.cancelled() or first.cancelling()


async def test_an_application_that_could_not_be_opened_is_opened_by_the_next_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[Exception] = [StoreUnavailableError("down"), LookupError("wrong")]

    def fail(database: str) -> None:
        if faults:
            raise faults.pop(0)
        prepare(database)

    monkeypatch.setattr("openbooking.store.migrate.prepare", fail)
    app = create_app(Settings(database=str(tmp_path / "one.sqlite3")))
    async with client_of(app) as client:
        replies = [await client.get("/feeds/slots") for _ in range(3)]
    assert [reply.status_code for reply in replies] == [503, 500, 200]
    assert replies[0].headers["retry-after"] == "5"


async def test_an_application_that_is_closed_answers_503_until_it_is_opened(tmp_path: Path) -> None:
    app = create_app(Settings(database=str(tmp_path / "one.sqlite3")))
    async with client_of(app) as client:
        assert (await client.get("/healthz")).status_code == 200
        await app.close()
        assert (await client.get("/healthz")).status_code == 503
        await app.open()
        assert (await client.get("/healthz")).status_code == 200


async def test_applications_that_open_at_the_same_time_each_make_their_database(tmp_path: Path) -> None:
    apps = [
        create_app(Settings(database=str(tmp_path / f"{name}.sqlite3"), site_url=f"{HOST}/{name}")) for name in "abcd"
    ]
    await asyncio.gather(*(app.open() for app in apps))
    for app, name in zip(apps, "abcd", strict=True):
        async with client_of(app) as client:
            assert (await client.get(f"/{name}/feeds/slots")).status_code == 200
        await app.close()


class ClosableStore(MemoryStore):
    """A store that records whether it was closed."""

    is_closed = False

    async def close(self) -> None:
        """Close the store."""
        self.is_closed = True


def own_stores() -> tuple[Settings, ClosableStore, MemoryIdentityStore]:
    """Return settings with the stores of an embedder."""
    settings = Settings(access=AccessMode.OPENID, site_url=HOST)
    store = ClosableStore(policy=settings.policy, writer=make_feed_writer(settings), clock=SystemClock())
    return settings, store, MemoryIdentityStore()


async def test_stores_unavailable_at_the_first_request_are_opened_later(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, store, identity = own_stores()
    app = create_app(settings, None, store, identity)
    async with client_of(app) as client:
        with monkeypatch.context() as away:
            away.setattr(identity, "find", AsyncMock(side_effect=StoreUnavailableError("down")))
            assert (await client.get("/feeds/slots")).status_code == 503
        assert not store.is_closed
        assert (await client.get("/feeds/slots")).status_code == 200
    await app.close()
    assert store.is_closed


async def test_an_application_with_own_stores_cannot_be_opened_again() -> None:
    settings, store, identity = own_stores()
    app = create_app(settings, None, store, identity)
    await app.open()
    await app.close()
    with pytest.raises(RuntimeError, match="stores of this application are closed"):
        await app.open()


def test_stores_that_do_not_fit_the_settings_are_refused() -> None:
    settings, store, identity = own_stores()
    with pytest.raises(SettingsError, match="IdentityStore"):
        create_app(settings, identity=identity)
    with pytest.raises(SettingsError, match="IdentityStore"):
        create_app(settings, store=store)


async def test_work_in_the_background_is_not_logged_under_the_id_of_the_first_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound: list[dict[str, Any]] = []
    noted = asyncio.Event()

    async def note(*_: Any) -> None:
        bound.append(dict(structlog.contextvars.get_contextvars()))
        noted.set()

    monkeypatch.setattr("openbooking.system.compare_clock", note)
    app = create_app(Settings(database=str(tmp_path / "one.sqlite3")))
    async with client_of(app) as client:
        await client.get("/healthz", headers={"X-Request-ID": "first"})
        await asyncio.wait_for(noted.wait(), 30)
    assert bound == [{}]
