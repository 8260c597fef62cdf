"""The sample app of a Broker beside the demo, in a real browser: a booking from the search to the refund.

The Seller sees the booking in the console and cancels it, and the app tells the Customer.
"""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from openbooking.sandbox.database import PASSWORD
from support.browsers.axe import barriers

OPENBOOKING = str(Path(sys.executable).with_name("openbooking"))
PHONE = ViewportSize(width=360, height=740)
TOLD_WITHIN_MS = 30_000


class Demo(NamedTuple):
    """The addresses that the demo prints."""

    console: str
    app: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo, as a user starts it."""
    database = tmp_path_factory.mktemp("demo") / "demo.sqlite3"
    command = [OPENBOOKING, "demo", "--port", "0", "--database", str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            printed = ""
            for line in process.stdout:
                printed += line
                if line.startswith("# Sample app: "):
                    break
            addresses = dict(re.findall(r"^# (Console|Sample app): (http[^\s,]+)", printed, re.MULTILINE))
            yield Demo(addresses["Console"], addresses["Sample app"])
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


@pytest.fixture
def customer(browser: Browser) -> Iterator[Page]:
    """A telephone without scripts."""
    context = browser.new_context(viewport=PHONE, locale="en-GB", java_script_enabled=False)
    context.set_default_timeout(TOLD_WITHIN_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def seller(customer: Page, demo: Demo) -> Page:
    """Another tab of the same browser, in which the manager of the Seller has signed in."""
    page = customer.context.new_page()
    page.goto(demo.console)
    page.get_by_label("User name").fill("sam")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    return page


def reload_until(page: Page, words: str) -> None:
    """Load a page again until it has these words."""
    for _ in range(60):
        if words in page.get_by_role("main").inner_text():
            return
        page.wait_for_timeout(1_000)
        page.reload()
    raise AssertionError(page.get_by_role("main").inner_text())


def find(page: Page, demo: Demo) -> None:
    """Search for swimming in a week, once the app has harvested."""
    page.goto(demo.app)
    reload_until(page, "Choose")
    page.get_by_label("Words in the name").fill("early lane")
    page.get_by_label("Near").select_option("Oxford")
    page.get_by_role("button", name="Search").click()


def test_a_booking_is_made_seen_by_the_seller_cancelled_and_paid_back(customer: Page, seller: Page, demo: Demo) -> None:
    find(customer, demo)
    hit = customer.get_by_role("listitem").filter(has_text="Early lane swimming").nth(3)
    hit.get_by_role("button").click()
    customer.get_by_label("First name").fill("Bobbie")
    customer.get_by_label("Last name").fill("Quickfoot")
    customer.get_by_label("E-mail address").fill("bobbie@example.com")
    customer.get_by_role("button", name="Continue").click()
    held = customer.get_by_text("Your spaces are held until")
    expect(held).to_be_visible()
    customer.get_by_role("button", name="Hold them for longer").click()
    expect(held).to_be_visible()
    customer.get_by_role("link", name="Continue").click()
    customer.get_by_label("Test card that is declined").check()
    customer.get_by_role("button", name="Pay £").click()
    expect(customer.get_by_role("alert")).to_contain_text("Nothing is booked or paid.")
    customer.get_by_label("Test card that works").check()
    customer.get_by_role("button", name="Pay £").click()
    expect(customer.get_by_role("main")).to_contain_text("Paid £5.40")

    seller.goto(f"{demo.console}/orders")
    seller.get_by_label("Name, e-mail, telephone or reference").fill("Bobbie Quickfoot")
    seller.get_by_label("Name, e-mail, telephone or reference").press("Enter")
    seller.get_by_role("link", name="Bobbie Quickfoot").click()
    expect(seller.get_by_role("main")).to_contain_text("Demo Broker")
    seller.get_by_role("link", name="Cancel booking").click()
    seller.get_by_role("checkbox").first.check()
    seller.get_by_role("button", name="Cancel the chosen items").click()
    expect(seller.get_by_role("main")).to_contain_text("Cancelled.")

    reload_until(customer, "Paid back £5.40")
    expect(customer.get_by_role("main")).to_contain_text("Cancelled by the organiser")
    customer.get_by_role("link", name="My bookings").click()
    expect(customer.get_by_role("main")).to_contain_text("The organiser has cancelled your booking.")
    seller.reload()
    expect(seller.get_by_role("main")).to_contain_text("Cancelled")


@pytest.fixture(scope="module")
def scripted(browser: Browser) -> Iterator[Page]:
    """A window in which tests run their own scripts."""
    context = browser.new_context(viewport=PHONE, locale="en-GB", bypass_csp=True)
    context.set_default_timeout(TOLD_WITHIN_MS)
    yield context.new_page()
    context.close()


def problems(page: Page) -> list[Any]:
    """Return what axe finds on a page in light and dark, and whether the page scrolls sideways."""
    found: list[Any] = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [(scheme, *barrier) for barrier in barriers(page)]
    if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
        found.append("scrolls")
    return [(page.url, problem) for problem in found]


def test_every_page_of_the_app_is_accessible_and_fits(scripted: Page, demo: Demo) -> None:
    page, found = scripted, list[Any]()
    find(page, demo)
    found += problems(page)
    page.get_by_role("listitem").filter(has_text="Early lane swimming").nth(2).get_by_role("button").click()
    found += problems(page)
    page.get_by_role("button", name="Continue").click()
    found += problems(page)
    for label, text in (("First name", "Ann"), ("Last name", "Ash"), ("E-mail address", "ann@example.com")):
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="Continue").click()
    found += problems(page)
    page.get_by_label("Test card that is declined").check()
    page.get_by_role("button", name="Pay £").click()
    found += problems(page)
    page.get_by_label("Test card that works").check()
    page.get_by_role("button", name="Pay £").click()
    found += problems(page)
    page.get_by_role("link", name="Cancel space 1").click()
    found += problems(page)
    page.get_by_role("button", name="Cancel it").click()
    found += problems(page)
    page.get_by_role("link", name="My bookings").click()
    found += problems(page)
    page.goto(f"{demo.app}/bookings/0dd4ec4e-35ff-4d3f-8f8a-3f2f7a1d3c11")
    found += problems(page)
    assert found == []
