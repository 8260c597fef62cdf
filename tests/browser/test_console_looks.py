"""Every page of the console in a real browser: accessible in light and dark and on a telephone, and ready for print."""

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal, NamedTuple

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, Route, ViewportSize, expect
from starlette.routing import Route as PathRoute

from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.commands.opportunities.timetable import SaveTimetableEntry
from openbooking.booking.model.timetable import EntryKey, TimetableRule
from openbooking.booking.rules.orders.order_lines import OrderStatus
from openbooking.booking.views import StoreWithViews
from openbooking.sandbox.database import DEMO, PASSWORD
from openbooking.sandbox.sellers import TRUST
from openbooking.system import System
from openbooking.web.console.console import Console
from openbooking.web.console.routes import console_routes
from openbooking.web.pages import Pages
from support.browsers.axe import barriers
from support.browsers.browser import Site, chromium, served_demo
from support.timetables import SPIN, SQUASH, VENUE, closed

LOGO = "https://logo.riverbank.example/logo.svg"
# A colour that is readable neither on light nor on dark pages as it is.
COLOUR = "#8a8a00"
PHONE, DESKTOP = ViewportSize(width=360, height=740), ViewportSize(width=1280, height=800)


class Look(NamedTuple):
    """The size and the colours with which a page is shown."""

    size: ViewportSize
    scheme: Literal["light", "dark"]


LOOKS = (Look(DESKTOP, "light"), Look(PHONE, "dark"), Look(DESKTOP, "dark"), Look(PHONE, "light"))
# Pages that no link of the demo leads to, with their paths.
OTHER_PATHS = ("/", "/console/nowhere", "/console/orders?status=nonsense", "/console/orders?partner=nobody")
TIMETABLE: dict[str, TimetableRule] = {
    "second-site": replace(VENUE, name="Second site"),
    "second-spin": replace(SPIN, venue="second-site"),
    "second-squash": replace(SQUASH, venue="second-site"),
    "repair": closed("2031-01-01T09:00", "2031-01-01T10:00", entry="second-squash"),
}
ORDER_PATH = re.compile(r"/console/orders/[^/]+/[0-9a-f-]{36}")
DOWNLOADS = re.compile(r"\b(csv|json)\b")


async def save(key: str, rule: TimetableRule, system: System) -> None:
    """Save an entry of the timetable of the demo's Seller."""
    await system.store.execute(SaveTimetableEntry(key=EntryKey(TRUST.key, key), rule=rule, actor=DEMO))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with the data of the demo, whose Seller has a logo and a colour."""
    with served_demo(tmp_path_factory.mktemp("demo")) as site:
        picture = {"@type": "ImageObject", "url": LOGO}
        branded = replace(TRUST, colour=COLOUR, properties={**TRUST.properties, "logo": picture})
        site.do(lambda system: system.store.execute(PublishSeller(branded, actor=DEMO)))
        for key, rule in TIMETABLE.items():
            site.do(partial(save, key, rule))
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser for this module."""
    with chromium() as started:
        yield started


def opened(browser: Browser, demo: Site, user: str = "sam", **options: Any) -> Page:
    """Return a window in which a user has signed in. The site of the logo answers with a picture."""
    context = browser.new_context(base_url=demo.url, locale="en-GB", **options)
    context.set_default_timeout(20_000)
    context.route(f"{LOGO}**", send_logo)
    page = context.new_page()
    page.goto("/sign-in?next=/console")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console")
    return page


def send_logo(route: Route) -> None:
    picture = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="40"><rect width="90" height="40"/></svg>'
    route.fulfill(body=picture, content_type="image/svg+xml")


@pytest.fixture(scope="module")
def page_of_manager(browser: Browser, demo: Site) -> Iterator[Page]:
    """A window of a manager in which tests run scripts of their own."""
    page = opened(browser, demo, bypass_csp=True)
    yield page
    page.context.close()


@pytest.fixture
def page(browser: Browser, demo: Site) -> Iterator[Page]:
    """A window of a manager without scripts."""
    page = opened(browser, demo, java_script_enabled=False)
    yield page
    page.context.close()


async def pages_of(system: System) -> list[PathRoute]:
    """Return the routes of the pages of the console that can be opened."""
    assert isinstance(system.store, StoreWithViews)
    routes = console_routes(Console(system, Pages(system), system.store.views))
    return [route for route in routes if "GET" in (route.methods or ())]


@pytest.fixture(scope="module")
def paths(page_of_manager: Page, demo: Site) -> list[str]:
    """One path for each page that links lead to, from the start of the console on."""
    page, routes = page_of_manager, demo.do(pages_of)
    page.goto(f"/console?day={datetime.now(UTC).date() + timedelta(days=2)}")
    coming = str(page.locator("tbody a").first.get_attribute("href"))
    first = ["/console?day=2031-01-01", coming, "/console", "/partners"]
    waiting, found = list(first), dict[str, str]()
    while waiting:
        path = waiting.pop(0)
        pattern = next((route.path for route in routes if route.path_regex.fullmatch(path.partition("?")[0])), path)
        key = path if path in first else pattern
        if key in found or DOWNLOADS.search(path):
            continue
        found[key] = path
        page.goto(path)
        links = page.locator("a[href^='/console'], a[href^='/partners'], a[href^='/password']")
        hrefs = links.evaluate_all("links => links.map(link => link.getAttribute('href'))")
        waiting += [str(href).partition("#")[0] for href in hrefs]
    order = next(path for path in found.values() if ORDER_PATH.fullmatch(path))
    # Only Orders whose access can be renewed have a link to this page.
    return [*found.values(), f"{order}/access", *OTHER_PATHS]


def test_links_lead_to_every_kind_of_page(paths: list[str]) -> None:
    for start in ("/console?day=", "/console/register/", "/console/proposals/", "/console/orders/", "/partners/"):
        assert any(path.startswith(start) for path in paths), start
    for end in ("/cancel", "/notify", "/access", "/timetable/sheet", "/add/facility", "/remove"):
        assert any(path.endswith(end) for path in paths), end


def test_every_page_is_accessible_and_fits(
    request: pytest.FixtureRequest, page_of_manager: Page, paths: list[str]
) -> None:
    """axe finds no violation, nothing scrolls sideways, and no caption is broken to one word a line.

    axe checks one page after the other in the next of LOOKS; with the option `--every-look`, each page in all of them.
    """
    page = page_of_manager
    every_look = request.config.getoption("--every-look")
    found = dict[str, Any]()
    for path, next_look in zip(paths, itertools.cycle(LOOKS), strict=False):
        for look in LOOKS if every_look else [next_look]:
            page.set_viewport_size(look.size)
            page.emulate_media(color_scheme=look.scheme)
            open_page(page, path, look.size)
            if violations := barriers(page):
                found[f"{path} {look}"] = violations
        for size in (PHONE, DESKTOP):
            page.set_viewport_size(size)
            if wide := too_wide(page, size):
                found[f"{path} {size}"] = wide
    page.emulate_media(color_scheme="light")
    assert found == {}


def too_wide(page: Page, size: ViewportSize) -> list[Any]:
    """Return the elements of the open page that are wider than it, and the captions that are higher than wide."""
    is_wide = page.evaluate("document.documentElement.scrollWidth") > size["width"]
    boxes = [caption.bounding_box() for caption in page.locator("caption:visible").all()]
    broken = [box for box in boxes if box is None or box["height"] > box["width"]]
    return [*(page.evaluate(WIDEST) if is_wide else []), *broken]


def open_page(page: Page, path: str, size: ViewportSize) -> None:
    """Open a page, and on a telephone also its menu."""
    page.goto(path)
    if size is PHONE and page.locator(".menu summary").count():
        page.locator(".menu summary").click()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "telephone"])
def test_faults_of_a_form_and_the_effect_of_a_change_are_accessible(
    page_of_manager: Page, demo: Site, size: ViewportSize
) -> None:
    page = page_of_manager
    page.set_viewport_size(size)
    page.goto("/console/timetable/entries/second-squash")
    page.get_by_label("Name", exact=True).fill("")
    page.get_by_label("Search the list").fill("tennis")
    for button in ("Find", "Show the effect"):
        page.get_by_role("button", name=button, exact=True).click()
        assert barriers(page) == []
    expect(page.get_by_role("alert")).to_contain_text("Give a name.")
    page.get_by_label("Name", exact=True).fill("Courts")
    page.get_by_role("button", name="Show the effect", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The effect on Squash courts")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert barriers(page) == []


WIDEST = """[...document.querySelectorAll('main *')]
    .filter(it => it.getBoundingClientRect().right > innerWidth).map(it => it.outerHTML.slice(0, 150))"""


def test_the_menu_folds_on_a_telephone_and_names_the_page(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.goto("/console/orders")
    menu = page.get_by_role("navigation", name="Menu")
    expect(menu.get_by_text("Menu", exact=False).first).to_contain_text("Bookings")
    expect(menu.get_by_role("link", name="Proposals")).to_be_hidden()
    menu.locator("summary").click()
    expect(menu.get_by_role("link", name="Bookings")).to_have_attribute("aria-current", "page")
    menu.get_by_role("link", name="Proposals").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Proposals")


def test_the_menu_is_open_where_there_is_room(page: Page) -> None:
    page.set_viewport_size(DESKTOP)
    page.goto("/console/orders")
    menu = page.get_by_role("navigation", name="Menu")
    expect(menu.locator("summary")).to_be_hidden()
    expect(menu.get_by_role("link", name="Bookings")).to_be_visible()
    expect(menu.get_by_role("button", name="Sign out sam")).to_be_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "telephone"])
def test_the_keyboard_reaches_the_menu_and_skips_it(page: Page, size: ViewportSize) -> None:
    page.set_viewport_size(size)
    page.goto("/console")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Tab")
    if size is PHONE:
        expect(page.locator(".menu summary")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Today", exact=True)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.goto("/console")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator("main :focus").count() == 1


def test_the_head_of_the_page_shows_the_logo_and_the_colour(browser: Browser, demo: Site) -> None:
    """The Content-Security-Policy is in force here: it allows the logo and the colours."""
    page = opened(browser, demo)
    assert page.locator(".service img").evaluate("it => it.naturalWidth") == 90
    assert page.locator(".bar").evaluate("it => getComputedStyle(it).backgroundColor") == "rgb(138, 138, 0)"
    expect(page.locator(".service")).to_contain_text("Riverbank Leisure Centre")
    page.context.close()


def test_a_printed_register_has_boxes_to_tick_and_nothing_to_press(page_of_manager: Page) -> None:
    page = page_of_manager
    page.goto(f"/console/orders?status={OrderStatus.BOOKED}")
    for link in ("/console/orders/", "/console/register/"):
        page.goto(str(page.locator(f"tbody a[href^='{link}']").first.get_attribute("href")))
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 680, "height": 900})
    assert page.locator(":is(button, nav, header, input):visible").count() == 0
    assert page.locator("body").evaluate("it => getComputedStyle(it).color") == "rgb(0, 0, 0)"
    rows = page.locator("tbody tr")
    ticks = page.locator("td.tick").evaluate_all("all => all.map(it => getComputedStyle(it, '::before').width)")
    assert len(ticks) == rows.count() > 0
    assert all(float(width.removesuffix("px")) > 15 for width in ticks)
    page.emulate_media(media="screen", color_scheme="light")


def test_staff_see_pages_without_money(browser: Browser, demo: Site) -> None:
    page = opened(browser, demo, "robin", bypass_csp=True)
    for path in ("/console", "/console/orders", "/console/proposals"):
        page.goto(path)
        assert barriers(page) == []
        expect(page.get_by_role("main")).not_to_contain_text("£")
    page.context.close()
