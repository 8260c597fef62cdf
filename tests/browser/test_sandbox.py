"""The control page of the sandbox in a real browser: used without script, and judged by axe."""

from collections.abc import Iterator
from contextlib import closing
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, ViewportSize, expect

from openbooking.sandbox.client import Sandbox
from support.browsers.axe import barriers
from support.browsers.browser import chromium
from support.sandbox_broker import ORDERS, SandboxBroker

DESKTOP, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=320, height=640)
LOOKS: tuple[tuple[ViewportSize, Literal["light", "dark"]], ...] = ((DESKTOP, "light"), (PHONE, "dark"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser for this module."""
    with chromium() as started:
        yield started


def window(browser: Browser, sandbox: Sandbox, **more: object) -> BrowserContext:
    context: BrowserContext = browser.new_context(base_url=sandbox.url, **more)  # type: ignore[arg-type] # many kinds
    context.set_default_timeout(20_000)
    return context


def test_the_control_page_works_without_script(openbooking_sandbox: Sandbox, browser: Browser) -> None:
    with closing(SandboxBroker(openbooking_sandbox)) as broker:
        order = broker.book()
        context = window(browser, openbooking_sandbox, java_script_enabled=False)
        page = context.new_page()
        page.goto("/sandbox")
        page.get_by_label("What the Seller does").select_option("cancel")
        page.get_by_label("Order").fill(order)
        page.get_by_label("Text").fill("The instructor is ill.")
        page.get_by_role("button", name="Do it").click()
        expect(page.get_by_role("status")).to_have_text(f"cancel: demo/{order}")
        (seen,) = broker.feed(ORDERS)
        assert seen["orderedItem"][0]["cancellationMessage"] == "The instructor is ill."
        page.get_by_label("Days").fill("soon")
        page.get_by_role("button", name="Turn the clock forwards").click()
        expect(page.get_by_role("alert")).to_contain_text("There is a problem")
        expect(page.get_by_label("Days")).to_have_value("soon")
        page.goto("/sandbox")
        page.get_by_role("link", name="B", exact=False).first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Request")
        context.close()


def test_the_pages_of_the_sandbox_have_no_barriers(openbooking_sandbox: Sandbox, browser: Browser) -> None:
    with closing(SandboxBroker(openbooking_sandbox)) as broker:
        broker.b("e11429ea-467f-4270-ab62-e47368996fe8", customer={"@type": "Person"})
    openbooking_sandbox.faults("503", operation=["B"])
    openbooking_sandbox.act("allow", after_seconds=600)
    number = openbooking_sandbox.exchanges("B")[0]["number"]
    context = window(browser, openbooking_sandbox, bypass_csp=True)
    page = context.new_page()
    for path in ("/sandbox", f"/sandbox/requests/{number}", "/sandbox/requests/999"):
        page.goto(path)
        for size, scheme in LOOKS:
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            assert barriers(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    context.close()
