"""Errors of requests of people are pages, and errors of requests of programs are JSON-LD."""

from pathlib import Path
from typing import Any, NoReturn

import pytest

from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from support.browsers.form_browser import Visitor
from support.builders import UUID
from support.http_system import World, open_world
from support.identity_provider import PASSWORD

pytestmark = pytest.mark.anyio

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/console/nowhere", 404, "Page not found"),
        ("GET", "/sign-in/nowhere", 404, "Page not found"),
        ("GET", "/partners/alice/nowhere", 404, "Page not found"),
        ("GET", "/partners/%00/revoke", 404, "Page not found"),
        ("DELETE", "/console", 405, "This page cannot be used in this way"),
        ("POST", "/", 405, "This page cannot be used in this way"),
        ("GET", "/partners/alice/suspend", 405, "This page cannot be used in this way"),
        ("GET", "/sign-out", 405, "This page cannot be used in this way"),
    ],
)
async def test_errors_at_and_below_pages_are_pages(
    provider: World, method: str, path: str, status: int, title: str
) -> None:
    reply = await provider.client.request(method, path)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert f"<h1>{title}</h1>" in reply.text
    assert reply.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert bool(reply.headers.get("allow")) == (status == 405)


@pytest.mark.parametrize("path", ["/nowhere", "/openactive/nowhere", "/consoles"])
async def test_an_unknown_path_is_a_page_for_browsers_only(provider: World, path: str) -> None:
    browser = await provider.client.get(path, headers=HTML)
    program = await provider.client.get(path)
    assert (browser.status_code, program.status_code) == (404, 404)
    assert "<h1>Page not found</h1>" in browser.text
    assert program.headers["content-type"] == BOOKING_MEDIA_TYPE


@pytest.mark.parametrize("path", ["/api/nowhere", f"/api/orders/{UUID}", "/api", "/oauth/token"])
async def test_the_api_never_answers_with_pages(provider: World, path: str) -> None:
    reply = await provider.client.get(path, headers=HTML if path.startswith("/api") else {})
    assert 400 <= reply.status_code < 500
    assert "json" in reply.headers["content-type"]


async def test_a_fault_of_a_page_is_a_page_with_a_reference(
    provider: World, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> NoReturn:
        raise ZeroDivisionError("secret")

    await visitor.sign_in("ann", PASSWORD)
    monkeypatch.setattr(provider.store, "order_counts", broken)
    page = await visitor.open("/partners")
    assert (page.status, page.response.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert "Something went wrong" in page.text
    assert page.response.headers["x-request-id"] in page.text
    assert "secret" not in page.text


async def test_a_page_of_a_closed_system_is_a_page(provider: World) -> None:
    transport: Any = provider.client._transport
    await transport.app.close()
    reply = await provider.client.get("/console")
    assert reply.status_code == 503
    assert "<h1>Not available just now</h1>" in reply.text


async def test_repeated_headers_are_refused_with_a_page(provider: World) -> None:
    repeated = [("Authorization", "x"), ("Authorization", "y"), ("Accept", "text/html")]
    reply = await provider.client.get("/console", headers=repeated)
    assert reply.status_code == 400
    assert "<h1>The request cannot be read</h1>" in reply.text


async def test_without_pages_all_errors_are_json(tmp_path: Path) -> None:
    async with open_world(
        "sqlite", tmp_path, access="headers", trusted_partner_header="x-partner", trusted_seller_header="x-seller"
    ) as world:
        for path in ("/console", "/nowhere"):
            reply = await world.client.get(path, headers=HTML)
            assert (reply.status_code, reply.headers["content-type"]) == (404, BOOKING_MEDIA_TYPE)
