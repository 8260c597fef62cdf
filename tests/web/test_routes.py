"""Routing, by itself and inside another application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Mount, Route
from starlette.types import Message, Scope

from openbooking.settings import Settings
from openbooking.store.migrate import prepare
from openbooking.web.app import create_app
from support.builders import UUID

pytestmark = pytest.mark.anyio


@pytest.fixture
def app(tmp_path: Path) -> Starlette:
    database = str(tmp_path / "routes.sqlite3")
    prepare(database)
    return create_app(Settings(database=database))


@asynccontextmanager
async def started(app: Starlette, served: Any = None) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the application, or of the outer application `served`."""
    transport = httpx2.ASGITransport(served or app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


def outer(*routes: BaseRoute) -> Starlette:
    """An application with its own exception handlers."""
    return Starlette(routes=routes, exception_handlers={Exception: theirs, LookupError: theirs, ValueError: theirs})


async def theirs(*_: Any) -> Response:
    return PlainTextResponse("theirs", 599)


async def fail(_: Request) -> Response:
    raise LookupError


@pytest.mark.parametrize(
    ("asked", "status", "allowed"),
    [
        ("GET /healthz", 200, None),
        ("HEAD /feeds/slots", 200, None),
        ("POST /feeds/slots", 405, {"GET", "HEAD", "OPTIONS"}),
        ("POST /", 405, {"GET", "HEAD"}),
        ("GET /feeds/slots/", 404, None),
        ("GET /feeds/pots", 404, None),
    ],
)
@pytest.mark.parametrize("below", ["", "/within"])
async def test_paths_without_parameters_are_routed(
    app: Starlette, below: str, asked: str, status: int, allowed: set[str] | None
) -> None:
    method, path = asked.split()
    async with started(app, outer(Mount(below, app)) if below else app) as client:
        reply = await client.request(method, below + path)
        assert reply.status_code == status
        found = reply.headers.get("allow")
        assert (set(found.split(", ")) if found else None) == allowed


async def test_exceptions_are_not_passed_to_handlers_of_an_outer_application(app: Starlette) -> None:
    app.add_route("/fail", fail)
    async with started(app, outer(Mount("/within", app))) as client:
        failed = await client.get("/within/fail")
        refused = await client.get(f"/within/api/orders/{UUID}")
    assert (failed.status_code, failed.json()["@type"]) == (500, "InternalApplicationError")
    assert (refused.status_code, refused.json()["@type"]) == (403, "NoAPITokenError")


async def test_added_routes_come_first(app: Starlette) -> None:
    app.router.routes.append(Route("/healthz", theirs))
    async with started(app) as client:
        assert (await client.get("/healthz")).status_code == 599
        assert (await client.get("/feeds/events")).status_code == 200


async def test_scope_values_of_an_outer_application_stay(app: Starlette) -> None:
    seen: list[Scope] = []

    async def see(request: Request) -> Response:
        seen.append(request.scope)
        return Response()

    whole = Starlette(routes=[Host("{club}.localhost", app)])
    async with started(app, whole) as client:
        healthz = next(route for route in app.router.routes if isinstance(route, Route) and route.path == "/healthz")
        healthz.app = Route("/healthz", see).app
        await client.get("http://riverside.localhost/healthz")
    assert [(scope["path_params"], scope["router"]) for scope in seen] == [({"club": "riverside"}, whole.router)]


async def test_a_web_socket_is_closed(app: Starlette) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async with started(app):
        await app({"type": "websocket", "path": "/healthz", "headers": [], "query_string": b""}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_an_application_that_is_started_again_has_each_route_once(app: Starlette) -> None:
    for _ in range(2):
        async with started(app) as client:
            assert (await client.get("/feeds/events")).status_code == 200
            assert (await client.get("/feeds/slots")).status_code == 200
    assert app.router.routes == []


async def test_an_exception_during_a_response_is_left_to_the_server(app: Starlette) -> None:
    async def break_off(scope: Scope, receive: Any, send: Any) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise LookupError

    async with started(app):
        app.router.routes.append(Mount("/broken", break_off))
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost") as client:
            with pytest.raises(LookupError):
                await client.get("/broken/off")
