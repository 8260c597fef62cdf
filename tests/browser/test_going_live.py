"""The dataset site and the form for access in a real browser: accessible, and readable by pages of other sites."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, ViewportSize, expect

from openbooking.identity.access_request_records import AccessRequest
from openbooking.identity.records import User
from openbooking.system import System
from support.browsers.axe import barriers
from support.browsers.browser import PASSWORD, Site, chromium, served

PHONE, DESKTOP = ViewportSize(width=360, height=740), ViewportSize(width=1280, height=800)
SIZE = 'width="1600" height="400"'
WIDE = f'<svg xmlns="http://www.w3.org/2000/svg" {SIZE}><rect {SIZE} fill="#357"/></svg>'
SCRIPT = "<html><body><p id=told></p><script>let c = 'none'; try { c = document.cookie } catch (e) { c = e.name } \
document.getElementById('told').textContent = origin + ' ' + c</script></body></html>"
FETCH = "async ([url, options]) => { const r = await fetch(url, options); return [r.status, r.headers.get('etag')] }"


async def _administrate(system: System) -> None:
    """Make ann an administrator, who has a request to decide about."""
    (ann,) = await system.identity.store.find(User, name="ann")
    now = datetime.now(UTC)
    asked = AccessRequest(
        id="r1",
        name="Dee Veloper",
        email="dee@fit.example.com",
        organisation="MyFitnessApp",
        use_case="People book classes.",
        received=now,
        expires=now + timedelta(days=90),
    )
    assert await system.identity.store.save(replace(ann, is_administrator=True), asked)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with all that the dataset site can show."""
    folder = tmp_path_factory.mktemp("live")
    (folder / "wide.svg").write_text(WIDE)
    (folder / "index.html").write_text(SCRIPT)
    settings = {
        "DATASET_BACKGROUND": folder / "wide.svg",
        "CONFORMANCE_CERTIFICATE": folder / "index.html",
        "DATA_CATALOG": "https://north.example.com/openactive",
        "OPEN_REFERRAL": "true",
        "FEEDBACK_URL": "https://github.com/example/openactive/issues",
        "TRIAL_SYSTEM_URL": "https://sandbox.example.com/",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(f"OPENBOOKING_{name}", str(value))
        with served(folder) as running:
            running.do(_administrate)
            yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser for this module."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A window in which tests run scripts of their own."""
    context = browser.new_context(base_url=site.url, bypass_csp=True)
    yield context.new_page()
    context.close()


def looks(page: Page) -> dict[str, Any]:
    """Return what axe finds on the open page, on a desktop and on a telephone, and whether it is too wide."""
    found = dict[str, Any]()
    for size, scheme in ((DESKTOP, "light"), (PHONE, "dark")):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        violations = barriers(page)
        is_wide = page.evaluate("document.documentElement.scrollWidth") > size["width"]
        found |= {f"{page.url} {scheme}": (violations, is_wide)} if violations or is_wide else {}
    return found


def test_the_dataset_site_and_the_form_are_accessible(page: Page) -> None:
    found = dict[str, Any]()
    for path in ("/openactive", "/openactive/terms", "/access-request"):
        page.goto(path)
        found |= looks(page)
    page.get_by_label("E-mail address").fill("dee@")
    page.locator("form").evaluate("form => { form.noValidate = true }")
    page.get_by_role("button", name="Send the request").click()
    expect(page.get_by_role("alert")).to_contain_text("Tick all statements.")
    found |= looks(page)
    assert found == {}


def test_the_pages_of_an_administrator_are_accessible(page: Page) -> None:
    page.goto("/console/access-requests")
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    found = looks(page)
    page.get_by_role("link", name="MyFitnessApp").click()
    found |= looks(page)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose the Sellers")
    page.get_by_label("The app may book for").select_option("*")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#secret")).to_contain_text("obk_")
    found |= looks(page)
    assert found == {}


def test_the_background_is_shown_with_the_policy_of_the_page(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.url)
    page = context.new_page()
    page.goto("/openactive")
    assert page.locator(".banner img").evaluate("image => image.naturalWidth") == 1600
    context.close()


def test_a_page_of_another_origin_reads_open_data_and_nothing_else(page: Page, site: Site) -> None:
    # Browsers let only pages of this machine read from it.
    page.goto(f"{site.url.replace('127.0.0.1', 'localhost')}/openactive/terms")
    assert page.evaluate("origin") != site.url
    for path in ("/feeds/scheduled-sessions", "/openactive", "/data-catalog", "/open-referral/services"):
        assert page.evaluate(FETCH, [f"{site.url}{path}", {}])[0] == 200, path
    # This header needs a preflight request.
    status, etag = page.evaluate(FETCH, [f"{site.url}/feeds/slots", {"headers": {"If-None-Match": '"x"'}}])
    assert (status, bool(etag)) == (200, True)
    for path in ("/api/orders-rpde", "/console", "/sign-in", "/access-request"):
        with pytest.raises(Exception, match="Failed to fetch"):
            page.evaluate(FETCH, [f"{site.url}{path}", {}])


def test_the_script_of_a_certificate_cannot_reach_this_site(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.url)
    page = context.new_page()
    page.goto("/sign-in")
    page.goto("/conformance")
    expect(page.locator("#told")).to_have_text("null SecurityError")
    context.close()
