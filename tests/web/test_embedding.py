"""The application mounted in another one, at its root and below a path: every address that it publishes answers."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urljoin

import httpx2
import pytest
import structlog.testing
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from openbooking.settings import Settings
from openbooking.web.app import Application, create_app
from support.browsers.form_browser import Visitor
from support.builders import UUID
from support.http_system import COURT, World, open_world
from support.identity_provider import PASSWORD
from support.parties import CUSTOMER

pytestmark = pytest.mark.anyio

HOST = "https://booking.example.com"
ADDRESS = re.compile(rf'{HOST}[^"<>\s\\]*|(?:href|src|action)="(/[^"]*)"')
PLACES = [pytest.param("", id="root"), pytest.param("/booking", id="below a path")]


def in_starlette(path: str) -> Callable[[Application], ASGIApp]:
    """Return a function that mounts the application in another one, which has a page of its own."""

    def mount(app: Application) -> ASGIApp:
        return Starlette(routes=[Route("/own", PlainTextResponse("own")), Mount(path, app)])

    return mount


def behind_a_proxy(path: str) -> Callable[[Application], ASGIApp]:
    """Return a proxy that does not change paths."""
    del path
    return lambda app: app


def behind_a_proxy_that_strips(path: str) -> Callable[[Application], ASGIApp]:
    """Return a proxy that removes the path of the site."""

    def strip(app: Application) -> ASGIApp:
        async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "path": scope["path"].removeprefix(path) or "/"}, receive, send)

        return proxy

    return strip


EMBEDDINGS = [in_starlette, behind_a_proxy, behind_a_proxy_that_strips]


@pytest.fixture(params=PLACES)
def path(request: pytest.FixtureRequest) -> str:
    """The path at which the application is mounted."""
    return str(request.param)


@pytest.fixture(params=EMBEDDINGS)
async def embedded(request: pytest.FixtureRequest, path: str, tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System in another application that does not pass the lifespan on."""
    site = HOST + path
    async with open_world("sqlite", tmp_path, site_url=site, access="openid", mount=request.param(path)) as world:
        yield world


def addresses_in(response: httpx2.Response) -> set[str]:
    """Return the addresses on this host in a page or document, without the identifiers of data."""
    found = set()
    for match in ADDRESS.finditer(response.text.replace("\\u0026", "&").replace("&amp;", "&")):
        address = urljoin(HOST, match[1]) if match[1] else match[0]
        if "/identifiers/" not in address:
            found.add(address.partition("#")[0])
    return found


async def crawl(world: World, *starts: str) -> dict[str, int]:
    """Follow all addresses that the pages at `starts` contain, and return the status of each."""
    waiting, statuses = set(starts), dict[str, int]()
    while waiting:
        address = waiting.pop()
        response = await world.client.get(address)
        statuses[address] = response.status_code
        if response.is_redirect:
            waiting.add(urljoin(address, response.headers["location"]))
        # The examples of the OpenAPI document name made-up Orders.
        if not address.endswith(("/docs", "/openapi.json")):
            waiting |= addresses_in(response)
        waiting -= statuses.keys()
    return statuses


@pytest.mark.spec("OB-DISC-01", "OB-DISC-13", "OB-AUTH-32", "OB-FEED-01")
async def test_every_published_address_answers(embedded: World) -> None:
    site = embedded.settings.site
    statuses = await crawl(embedded, f"{site}/", f"{site}/.well-known/openid-configuration", f"{site}/sign-in")
    base = f"{site}/api"
    assert {address: status for address, status in statuses.items() if status not in (200, 303, 307)} == {
        base: 404,  # the Base URI: endpoints are below it
        f"{base}/orders-rpde": 403,  # without credentials
        f"{site}/oauth/authorize": 400,  # without parameters
        **dict.fromkeys((f"{site}/oauth/{name}" for name in ("token", "revoke", "register")), 405),  # POST alone
    }
    assert {f"{site}/feeds/slots", f"{site}/openactive/style.css", f"{site}/pages.css"} <= statuses.keys()
    assert all(address.startswith(site) for address in statuses)


@pytest.mark.spec("OB-ID-08", "OB-DISC-02")
async def test_a_booking_follows_the_addresses_of_the_dataset_site(embedded: World) -> None:
    site = embedded.settings.site
    page = (await embedded.client.get(f"{site}/openactive")).text
    dataset = json.loads(page.partition('<script type="application/ld+json">')[2].partition("</script>")[0])
    base = dataset["accessService"]["endpointUrl"]
    assert (base, dataset["@id"]) == (f"{site}/api", f"{site}/openactive")
    feed = (await embedded.client.get(f"{site}/feeds/slots")).json()
    assert feed["next"].startswith(f"{site}/feeds/slots?")
    assert {entry["data"]["@id"].partition("/identifiers/")[0] for entry in feed["items"]} == {base}
    headers = {"Authorization": "Bearer obk_alice", "Content-Type": "application/json"}
    statuses = []
    item = embedded.item(COURT)
    for stage, body in (
        ("order-quote-templates", embedded.quote(item)),
        ("order-quotes", embedded.quote(item, customer=CUSTOMER)),
        ("orders", embedded.order(item)),
    ):
        reply = await embedded.client.put(f"{base}/{stage}/{UUID}", json=body, headers=headers)
        statuses.append(reply.status_code)
    assert statuses == [200, 200, 201]
    assert reply.headers["location"] == reply.json()["@id"] == f"{base}/orders/{UUID}"
    assert (await embedded.client.get(reply.headers["location"], headers=headers)).status_code == 200
    news = (await embedded.client.get(f"{base}/orders-rpde", headers=headers)).json()
    assert news == {"next": f"{base}/orders-rpde", "items": []}


@pytest.mark.spec("OB-AUTH-01")
async def test_sign_in_sets_cookies_for_this_path_and_returns_to_the_page(embedded: World, path: str) -> None:
    site = embedded.settings.site
    visitor = Visitor(embedded.client)
    page = await visitor.open("/partners/alice/revoke")
    assert page.url == f"{site}/sign-in?{urlencode({'next': '/partners/alice/revoke'})}"
    page = await visitor.send(page, f"{path}/sign-in", username="ann", password=PASSWORD)
    assert (page.url, page.status) == (f"{site}/partners/alice/revoke", 200)
    prefix = "__Secure-" if path else "__Host-"
    given = [
        morsel
        for response in visitor.history
        for line in response.headers.get_list("set-cookie")
        for morsel in SimpleCookie(line).values()
    ]
    assert {morsel.key for morsel in given} == {f"{prefix}openbooking", f"{prefix}openbooking-device"}
    assert {(morsel["path"], morsel["secure"], morsel["httponly"]) for morsel in given} == {(path or "/", True, True)}
    for address in addresses_in(page.response):
        if not address.endswith("/sign-out"):
            assert (await visitor.open(address)).status == 200
    page = await visitor.send(await visitor.open("/partners"), f"{path}/sign-out")
    assert page.url == f"{site}/sign-in"


async def test_the_consent_page_returns_to_the_client(embedded: World, path: str) -> None:
    visitor, back = Visitor(embedded.client), "https://alice.example.com/cb"
    asked = {"response_type": "code", "client_id": "alice", "redirect_uri": back, "scope": "openid", "state": "s"}
    asked |= {"code_challenge": "A" * 43, "code_challenge_method": "S256"}
    page = await visitor.open(f"/oauth/authorize?{urlencode(asked)}")
    page = await visitor.send(page, f"{path}/sign-in", username="ann", password=PASSWORD)
    assert page.url.startswith(f"{embedded.settings.site}/oauth/authorize?")
    page = await visitor.send(page, f"{path}/oauth/consent", "allow")
    assert page.left_for.startswith(f"{back}?")


@pytest.mark.parametrize("address", ["/own", "/other", "/bookingapi", "/booking/booking/openactive", "/openactive"])
async def test_the_application_below_a_path_answers_there_alone(tmp_path: Path, address: str) -> None:
    async with open_world("sqlite", tmp_path, site_url=f"{HOST}/booking", mount=in_starlette("/booking")) as world:
        reply = await world.client.get(HOST + address)
    assert (reply.status_code, reply.text == "own") == ((200, True) if address == "/own" else (404, False))


@pytest.mark.spec("OB-AUTH-32")
async def test_the_metadata_of_an_issuer_with_a_path_is_at_the_root_of_the_host(tmp_path: Path) -> None:
    """RFC 8414 3.1 adds the path of the issuer at the end."""
    settings = {"site_url": f"{HOST}/booking", "access": "openid"}
    async with open_world("sqlite", tmp_path, **settings, mount=behind_a_proxy("/booking")) as world:
        reply = await world.client.get(f"{HOST}/.well-known/oauth-authorization-server/booking")
    assert reply.json()["issuer"] == f"{HOST}/booking"


@asynccontextmanager
async def client_of(app: Application) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the application mounted in another one; the application is closed at the end."""
    transport = httpx2.ASGITransport(in_starlette("")(app))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client
        await app.close()


async def test_requests_are_counted_by_the_route_of_this_application(tmp_path: Path) -> None:
    app = create_app(Settings(database=str(tmp_path / "one.sqlite3"), log_requests=True))
    async with client_of(app) as client:
        with structlog.testing.capture_logs() as logged:
            await client.get("/healthz")
            await client.get("/no-such-page")
            await client.put(f"/api/orders/{UUID}")
    endpoints = [line["endpoint"] for line in logged if line["event"] == "request"]
    assert endpoints == ["/healthz", "none", "/api/orders/{uuid}"]
