"""The start page with its three doors, the icon, and the brand of a Seller on its pages."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.openactive.web_addresses import is_web_address
from support.browsers.form_browser import Visitor
from support.builders import UUID
from support.http_system import YOGA, World, open_world
from support.identity_provider import PASSWORD
from support.parties import CENTRE, MANAGER

pytestmark = pytest.mark.anyio

LOGO = "https://cdn.riverside.example/logo.png"
PICTURE = {"@type": "ImageObject", "url": LOGO}
BRANDED = replace(CENTRE, colour="#ffcc00", properties={**CENTRE.properties, "logo": PICTURE})


HTML = "text/html,application/xhtml+xml,*/*;q=0.8"


def browser_of(world: World) -> Visitor:
    """Return a new browser, which asks for HTML as browsers do."""
    visitor = Visitor(world.client)
    visitor._client.headers["Accept"] = HTML
    return visitor


def links_of(html: str) -> list[str]:
    return re.findall(r'<a [^>]*href="([^"#]+)', html)


@pytest.mark.parametrize("access", ["openid", "api-key"])
async def test_the_start_page_has_a_door_for_each_kind_of_visitor(tmp_path: Path, access: str) -> None:
    async with open_world("sqlite", tmp_path, access=access) as world:
        page = await browser_of(world).open("/")
        assert page.status == 200
        own = {link for link in links_of(page.response.text) if not is_web_address(link)}
        assert {"/console", "/openactive", "/feeds/slots"} <= own
        assert ("/.well-known/openid-configuration" in own) == (access == "openid")
        for link in own:
            reply = await world.client.get(link)
            assert reply.status_code in (200, 303), link


async def test_the_door_for_sellers_leads_on_after_sign_in(provider: World) -> None:
    visitor = browser_of(provider)
    assert "Sign in" in (await visitor.open("/")).text
    page = await visitor.sign_in("ann", PASSWORD, "/console")
    assert page.url.endswith("/console")
    assert "Go to your pages" in (await visitor.open("/")).text


async def test_programs_are_redirected_to_the_dataset_site(provider: World) -> None:
    for accept in ("*/*", "application/json, application/vnd.openactive.rpde+json;version=1;q=0.9"):
        home = await provider.client.get("/", headers={"Accept": accept})
        assert (home.status_code, home.headers["location"]) == (307, "/openactive")


async def test_without_pages_the_start_page_is_the_dataset_site(tmp_path: Path) -> None:
    async with open_world(
        "sqlite", tmp_path, access="headers", trusted_partner_header="x-partner", trusted_seller_header="x-seller"
    ) as world:
        home = await world.client.get("/")
        assert (home.status_code, home.headers["location"]) == (307, "/openactive")


@pytest.mark.parametrize("path", ["/favicon.svg", "/favicon.ico"])
async def test_the_icon_is_a_picture(provider: World, path: str) -> None:
    reply = await provider.client.get(path)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "image/svg+xml")
    assert reply.text.startswith("<svg")


async def brand(world: World) -> Visitor:
    """Give the centre a logo and a colour, and return the browser of its manager."""
    await world.store.execute(PublishSeller(BRANDED, actor=MANAGER))
    ann = browser_of(world)
    await ann.sign_in("ann", PASSWORD)
    return ann


async def test_the_pages_of_a_seller_show_its_name_logo_and_colour(provider: World) -> None:
    ann = await brand(provider)
    for path in ("/console", "/partners", "/partners/alice/revoke"):
        page = await ann.open(path)
        assert f'<img src="{LOGO}" alt="">' in page.response.text
        assert '<p class="service"' in page.response.text
        assert "img-src 'self' https://cdn.riverside.example;" in page.response.headers["content-security-policy"]
        (theme,) = re.findall(r'href="(/theme\.css[^"]*)"', page.response.text)
        style = await ann.open(theme)
        assert style.response.headers["content-type"].startswith("text/css")
        assert "--brand: #ffcc00; --on-brand: #000000" in style.response.text


async def test_other_pages_and_sellers_do_not_show_the_brand(provider: World) -> None:
    ann = await brand(provider)
    ben = browser_of(provider)
    await ben.sign_in("ben", PASSWORD)
    for visitor, path in ((ann, "/password"), (ann, "/"), (ben, "/console"), (ben, "/partners")):
        page = await visitor.open(path)
        assert LOGO not in page.response.text
        assert "theme.css" not in page.response.text
        assert "img-src 'self';" in page.response.headers["content-security-policy"]


@pytest.mark.parametrize("colour", ["", "red", "#fff", "%23fff%7D"])
async def test_a_stylesheet_of_no_colour_is_not_found(provider: World, colour: str) -> None:
    assert (await provider.client.get(f"/theme.css?colour={colour}")).status_code == 404


async def test_the_colour_of_a_seller_is_not_published(sqlite_world: World) -> None:
    world = sqlite_world
    await world.store.execute(PublishSeller(BRANDED, actor=MANAGER))
    order = await world.call("PUT", f"orders/{UUID}", world.order(world.item(YOGA)))
    assert order.json()["seller"]["logo"] == PICTURE
    feeds = [await world.read_feed(path) for path in ("/feeds/session-series", "/api/orders-rpde")]
    texts = [order.text, *map(str, feeds), (await world.client.get("/openactive")).text]
    assert [text for text in texts if "ffcc00" in text or "colour" in text.casefold()] == []


async def test_the_start_page_works_below_a_path(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, access="openid", site_url="https://example.com/booking") as world:
        page = await browser_of(world).open("https://example.com/booking/")
        assert page.status == 200
        own = [link for link in links_of(page.response.text) if not is_web_address(link)]
        assert own
        assert all(urlsplit(link).path.startswith("/booking/") for link in own)
