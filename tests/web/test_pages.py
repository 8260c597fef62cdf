"""The base of all pages: the menu, and the return from sign-in to a page of this site."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openbooking.identity.records import Role, User
from openbooking.identity.sign_in.accounts import SignedIn
from openbooking.web.console.partners.grants import SellerPartnerPages
from openbooking.web.menu import MenuEntry
from openbooking.web.pages import Visit
from support.browsers.form_browser import Page, Visitor
from support.http_system import SITE, World, open_world
from support.identity_provider import PASSWORD

pytestmark = pytest.mark.anyio


def is_manager(user: User) -> bool:
    return user.role is Role.MANAGER


def add_page(monkeypatch: pytest.MonkeyPatch, path: str, menu: MenuEntry | None) -> None:
    """Add a page to the console, with a template that exists."""
    own_routes = SellerPartnerPages.routes

    def routes(self: SellerPartnerPages) -> list[Route]:
        async def show(request: Request, visit: Visit, signed_in: SignedIn) -> Response:
            del signed_in
            return self._pages.page(request, visit, "console/may_not_see.html")

        return [*own_routes(self), self._pages.route_signed_in(path, show, menu=menu)]

    monkeypatch.setattr(SellerPartnerPages, "routes", routes)


@pytest.fixture
async def report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System with a further page, which is in the menu of managers."""
    add_page(monkeypatch, "/report", MenuEntry("Report", is_manager))
    async with open_world("sqlite", tmp_path, access="openid") as world:
        yield world


def menu_of(page: Page) -> list[str]:
    """Return the texts of the links and buttons in the menu."""
    menu = page.response.text.partition("<nav")[2].partition("</nav>")[0]
    return re.findall(r">([^<]+)</(?:a|button)>", menu)


async def test_a_page_with_a_menu_entry_is_in_the_menu_of_each_page(report: World) -> None:
    visitor = Visitor(report.client)
    await visitor.sign_in("ann", PASSWORD)
    for path in ("/partners", "/report", "/password"):
        page = await visitor.open(path)
        menu = menu_of(page)
        assert {"Today", "Booking partners", "Report"} <= set(menu)
        assert menu[-2:] == ["Change password", "Sign out ann"]
        current = page.response.text.partition('aria-current="page">')[2].partition("<")[0]
        assert current in {"Booking partners", "Report", "Change password"}
        assert f'href="{path}" aria-current' in page.response.text
        assert page.response.text.count("aria-current") == 1


async def test_a_menu_entry_for_managers_is_hidden_from_staff(report: World) -> None:
    page = await Visitor(report.client).sign_in("cat", PASSWORD)
    assert menu_of(page)[-2:] == ["Change password", "Sign out cat"]
    assert "Report" not in menu_of(page)


async def test_a_page_below_a_page_of_the_menu_marks_that_page(report: World) -> None:
    visitor = Visitor(report.client)
    await visitor.sign_in("ann", PASSWORD)
    for path, above in (("/partners/alice/revoke", "/partners"), ("/console/register/x", "/console")):
        text = (await visitor.open(path)).response.text
        assert f'href="{above}" aria-current="true"' in text
        assert text.count("aria-current") == 1


async def test_the_menu_is_hidden_before_sign_in(report: World) -> None:
    assert "<nav" not in (await Visitor(report.client).open("/sign-in")).response.text


async def test_a_path_with_parameters_cannot_be_in_the_menu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    add_page(monkeypatch, "/reports/{key}", MenuEntry("Report"))
    with pytest.raises(ValueError, match=r"cannot be in the menu: /reports/\{key\}"):
        async with open_world("sqlite", tmp_path, access="openid"):
            pass


@pytest.mark.parametrize(
    ("asked", "reached"),
    [
        ("from=2027-03-01&venue=Hall%20A", "from=2027-03-01&venue=Hall%20A"),
        ("venue=a%26b%2Fc&venue=&page=2", "venue=a%26b%2Fc&venue=&page=2"),
        ("q=%5C%0D%0A%C3%A9", "q=%5C%0D%0A%C3%A9"),
        ("next=https://evil.example/", "next=https://evil.example/"),
        ("//evil.example/", "//evil.example/"),
        ("x" * 1_900, "x" * 1_900),
        ("x" * 2_000, ""),
    ],
)
async def test_sign_in_returns_to_the_page_with_its_query(report: World, asked: str, reached: str) -> None:
    """A query that is too long for the sign-in form is left out."""
    visitor = Visitor(report.client)
    page = await visitor.sign_in("ann", PASSWORD, f"/report?{asked}")
    assert page.url == f"{SITE}/report{f'?{reached}' if reached else ''}"
    assert {urlsplit(str(response.url)).netloc for response in visitor.history} == {urlsplit(SITE).netloc}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"q=\\evil", "q=%5Cevil"),
        (b"q=\xc3\xa9", "q=%C3%A9"),
        (b"q=\xff", "q=%FF"),
        (b'q=<script>"', "q=%3Cscript%3E%22"),
    ],
)
async def test_the_query_to_return_to_is_encoded(report: World, sent: bytes, kept: str) -> None:
    """The ASGI server passes all bytes of the client on."""
    transport: Any = report.client._transport
    started: list[dict[str, Any]] = []
    scope = {"type": "http", "method": "GET", "path": "/report", "query_string": sent, "headers": [], "root_path": ""}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        started.append(message)

    await transport.app(scope, receive, send)
    location = dict(started[0]["headers"])[b"location"].decode()
    assert parse_qs(urlsplit(location).query) == {"next": [f"/report?{kept}"]}
    page = await Visitor(report.client).sign_in("ann", PASSWORD, location)
    assert page.url == f"{SITE}/report?{kept}"


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example/report?x=1",
        "https://evil.example/report?x=1",
        "/report@evil.example?x=1",
        "/\\evil.example?/report",
        "/report?x=\\evil.example",
        "/report?x=1\r\nLocation: https://evil.example/",
        "/else?/report",
    ],
)
async def test_sign_in_refuses_to_return_to_an_unsafe_path_with_a_query(report: World, to: str) -> None:
    visitor = Visitor(report.client)
    page = await visitor.open(f"/sign-in?{urlencode({'next': to}, quote_via=quote)}")
    page = await visitor.send(page, "/sign-in", username="ann", password=PASSWORD, next=to)
    assert page.url == report.start


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%5cevil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/partners/../../evil",
        "/sign-out",
        "/partners\r\nSet-Cookie: x=1",
        "partners",
        "@evil.example/partners",
        " //evil.example/partners",
        "/partners@evil.example",
        "//[",
    ],
)
async def test_sign_in_never_redirects_to_other_sites(provider: World, visitor: Visitor, to: str) -> None:
    page = await visitor.open(f"/sign-in?next={quote(to)}")
    page = await visitor.send(page, "/sign-in", username="ann", password=PASSWORD, next=to)
    assert page.url == provider.start
    assert {urlsplit(str(response.url)).netloc for response in visitor.history} == {urlsplit(SITE).netloc}


async def test_sign_in_returns_to_the_requested_page(visitor: Visitor) -> None:
    page = await visitor.open("/password")
    assert page.url == f"{SITE}/sign-in?next=%2Fpassword"
    page = await visitor.send(page, "/sign-in", username="ann", password=PASSWORD)
    assert page.url == f"{SITE}/password"
    assert (await visitor.open("/sign-in?next=%2Fpassword")).url == f"{SITE}/password"


async def test_sign_in_returns_to_each_page_that_requires_it(provider: World, visitor: Visitor) -> None:
    transport: Any = provider.client._transport
    paths = [
        re.sub(r"\{[^}]+\}", "1", route.path.replace("{key}", "alice"))
        for route in transport.app.router.routes
        if "GET" in route.methods and "uuid" not in route.path
    ]
    asking = dict[str, str]()
    for path in paths:
        page = await visitor.open(path)
        if urlsplit(page.url).path == "/sign-in" != path:
            asking[path] = page.url
    assert {"/partners", "/partners/alice/revoke", "/password", "/second-factor"} <= asking.keys()
    for path, sign_in in asking.items():
        assert sign_in in (f"{SITE}/sign-in?{urlencode({'next': path})}", f"{SITE}/sign-in")
    remembered = {path for path, sign_in in asking.items() if sign_in != f"{SITE}/sign-in"}
    for path in sorted(remembered):
        visitor = Visitor(provider.client)
        page = await visitor.sign_in("ann", PASSWORD, asking[path])
        reached = [urlsplit(str(response.url)).path for response in visitor.history]
        assert path in reached
    assert asking.keys() - remembered == {"/sign-in/code", "/sign-in/recovery-code", "/sign-in/second-factor"}
