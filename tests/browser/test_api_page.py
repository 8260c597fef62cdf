"""The page of the API in a real browser: accessible in light and dark, on a desktop and on a telephone."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, ViewportSize

from support.browsers.axe import barriers
from support.browsers.browser import Site, chromium, served

# One of each kind: the page repeats them for a hundred operations and messages.
PARTS = ["header", "nav", "h1", "main > ol", "section[aria-labelledby=book]", "section[aria-labelledby=schema-Order]"]
PHONE, DESKTOP = ViewportSize(width=360, height=740), ViewportSize(width=1280, height=800)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running server."""
    with served(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser for this module."""
    with chromium() as started:
        yield started


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_page_of_the_api_is_accessible(
    browser: Browser, site: Site, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(base_url=site.url, viewport=size, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto("/docs#book")
    assert page.get_by_role("heading", name="B: book").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert barriers(page, PARTS) == []
    context.close()
