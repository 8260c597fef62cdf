"""The documentation site in a real browser: as files and from a server, accessible, with its search."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browsers.axe import barriers
from support.browsers.browser import chromium
from support.docs_site.building import build_site, serve_folder

PAGES = (
    "index.html",
    "tutorial/first-club.html",
    "how-to/keep-a-timetable.html",
    "reference/errors.html",
    "explanation/bounds.html",
)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PHONE_WIDTH = 360


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    return build_site(tmp_path_factory.mktemp("docs") / "site")


@pytest.fixture(scope="module", params=["file", "server"])
def root(request: pytest.FixtureRequest, site: Path) -> Iterator[str]:
    """The address of the site: of its files, and on a plain server."""
    if request.param == "file":
        yield f"{site.as_uri()}/"
    else:
        with serve_folder(site) as url:
            yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser for this module."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new window."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def test_pages_of_the_site_are_accessible(request: pytest.FixtureRequest, page: Page, site: Path) -> None:
    """axe finds no violation. One page after the other is checked in the next scheme; with `--every-look`, in both."""
    every_look = request.config.getoption("--every-look")
    found = {}
    for path, next_scheme in zip(PAGES, itertools.cycle(SCHEMES), strict=False):
        for scheme in SCHEMES if every_look else [next_scheme]:
            page.emulate_media(color_scheme=scheme)
            page.goto(f"{site.as_uri()}/{path}")
            if violations := barriers(page):
                found[path, scheme] = violations
    assert found == {}


def test_search_finds_pages_without_other_hosts(page: Page, root: str) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{root}how-to/import.html")
    page.get_by_role("button", name="Search").first.click()
    page.get_by_role("combobox", name="Search").fill("bounds")
    page.get_by_role("option", name="Bounds on holding").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bounds on holding")
    assert len(requested) > 5
    assert [url for url in requested if not url.startswith(root)] == []


def test_links_lead_from_the_front_page_to_a_role_and_a_page(page: Page, root: str) -> None:
    page.goto(root + "index.html")
    page.get_by_role("link", name="Vendors", exact=True).first.click()
    page.get_by_role("navigation").get_by_role("link", name="Embed in FastAPI", exact=True).first.click(force=True)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Embed in FastAPI")


def test_pages_of_the_site_fit_a_telephone(page: Page, site: Path) -> None:
    page.set_viewport_size({"width": PHONE_WIDTH, "height": 740})
    for path in PAGES:
        page.goto(f"{site.as_uri()}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_WIDTH, path
