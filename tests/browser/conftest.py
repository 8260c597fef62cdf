"""A server, a browser, and a new window without cookies."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from support.browsers.browser import URI, Site, chromium, served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser for one module. Its event loop prevents other event loops, so it is stopped after the module."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A real server, started once."""
    with served(tmp_path_factory.mktemp("site")) as started:
        yield started


@pytest.fixture
def client(site: Site) -> tuple[str, str]:
    """The key and name of a client without grants."""
    return site.new_client()


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A window without scripts, because no page needs scripts."""
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    yield opened(context)
    context.close()


@pytest.fixture
def scripted(browser: Browser, site: Site) -> Iterator[Page]:
    """A window in which tests run their own scripts."""
    context = browser.new_context(base_url=site.url, bypass_csp=True)
    yield opened(context)
    context.close()


def opened(context: BrowserContext) -> Page:
    """Return a page of the context, in which the web site of the client answers."""
    context.route(f"{URI}**", lambda route: route.fulfill(body="Welcome back", content_type="text/html"))
    context.set_default_timeout(20_000)
    return context.new_page()
