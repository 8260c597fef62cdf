"""Browsers may read open data from pages of other sites, and nothing else."""

from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path

import pytest

from support.browsers.form_browser import Visitor
from support.builders import UUID
from support.http_system import YOGA, World, open_world
from support.identity_provider import PASSWORD

pytestmark = pytest.mark.anyio

ORIGIN = {"Origin": "https://app.example.com"}
OPEN = (
    "/feeds/scheduled-sessions",
    "/feeds/slots?afterChangeNumber=9007199254740991",
    "/openactive",
    "/openactive/style.css",
    "/openactive/logo.svg",
    "/openactive/terms",
    "/data-catalog",
    "/open-referral/services",
)
CLOSED = (
    "/",
    "/api/orders-rpde",
    "/api/order-proposals-rpde",
    f"/api/orders/{UUID}",
    "/api/nothing",
    "/access-request",
    "/console",
    "/sign-in",
    "/partners",
    "/healthz",
    "/oauth/jwks",
    "/.well-known/openid-configuration",
    "/pages.css",
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System with all that can be open."""
    catalog = "https://north.example.com/openactive"
    async with open_world("sqlite", tmp_path, access="openid", data_catalog=catalog, open_referral=True) as opened:
        yield opened


async def test_open_data_is_readable_by_every_site(world: World) -> None:
    for method, path in product(("GET", "HEAD"), OPEN):
        reply = await world.client.request(method, path, headers=ORIGIN)
        assert reply.status_code == 200
        assert reply.headers["access-control-allow-origin"] == "*"
        assert "ETag" in reply.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in reply.headers


async def test_preflight_requests_of_open_data_are_answered(world: World) -> None:
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "if-none-match"}
    for path in OPEN:
        reply = await world.client.options(path, headers=ORIGIN | asked)
        assert (reply.status_code, reply.content) == (200, b""), path
        assert reply.headers["access-control-allow-origin"] == reply.headers["access-control-allow-headers"] == "*"
        assert reply.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"


async def test_an_unchanged_page_and_an_error_are_readable_too(world: World) -> None:
    path = "/feeds/scheduled-sessions"
    etag = (await world.client.get(path)).headers["etag"]
    unchanged = await world.client.get(path, headers=ORIGIN | {"If-None-Match": etag})
    wrong = await world.client.get(f"{path}?afterChangeNumber=x", headers=ORIGIN)
    refused = await world.client.post(path, headers=ORIGIN)
    assert (unchanged.status_code, wrong.status_code, refused.status_code) == (304, 400, 405)
    for reply in (unchanged, wrong, refused):
        assert reply.headers["access-control-allow-origin"] == "*"


async def test_nothing_else_is_readable_by_other_sites(world: World) -> None:
    for method, path in product(("GET", "HEAD", "OPTIONS", "POST"), CLOSED):
        reply = await world.client.request(method, path, headers=ORIGIN)
        assert [name for name in reply.headers if name.startswith("access-control")] == [], (method, path)


async def test_bookings_and_pages_of_signed_in_people_are_not_readable(world: World) -> None:
    ann = Visitor(world.client)
    await ann.sign_in("ann", PASSWORD)
    replies = [
        await world.call("PUT", f"order-quote-templates/{UUID}", world.quote(world.item(YOGA)), **ORIGIN),
        await world.call("GET", "orders-rpde", **ORIGIN),
        (await ann.open("/console")).response,
    ]
    assert [reply.status_code for reply in replies] == [200, 200, 200]
    for reply in replies:
        assert "access-control-allow-origin" not in reply.headers
