"""A manager of a Seller allows and stops partners in a real browser, by mouse or keyboard, without script."""

import base64
import itertools
import re
from datetime import timedelta
from typing import Any, Literal, NoReturn
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, expect
from pyotp import TOTP
from starlette.applications import Starlette
from starlette.requests import Request

from openbooking.booking.store import StoreUnavailableError
from openbooking.identity.digests import new_id
from openbooking.identity.oauth.authorization_lifecycle import challenge
from openbooking.identity.partners.grants import give
from openbooking.identity.records import Attempts, Role, User
from openbooking.identity.scopes import Scope
from openbooking.identity.sign_in import attempt_limits
from openbooking.system import System
from openbooking.web.pages import Pages, Visit
from support.browsers.axe import barriers
from support.browsers.browser import PASSWORD, SECRET, URI, Site
from support.parties import MANAGER

VERIFIER = "v" * 48
NEW = "lampshade orbit cabbage"


def authorize(key: str) -> str:
    """Return the URL to which the client sends people."""
    asked = {
        "response_type": "code",
        "client_id": key,
        "redirect_uri": URI,
        "scope": "openid offline_access openactive-openbooking",
        "state": "xyz",
        "code_challenge": challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    return f"/oauth/authorize?{urlencode(asked)}"


def sign_in(page: Page, where: str = "/sign-in", name: str = "ann") -> None:
    page.goto(where)
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def tokens_for(site: Site, key: str, url: str) -> dict[str, Any]:
    """Return the tokens for the code in the redirect."""
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(url).query)["code"][0],
        "redirect_uri": URI,
        "code_verifier": VERIFIER,
    }
    credentials = base64.b64encode(f"{key}:{SECRET}".encode()).decode()
    reply = httpx2.post(f"{site.url}/oauth/token", data=form, headers={"Authorization": f"Basic {credentials}"})
    assert reply.status_code == 200
    tokens: dict[str, Any] = reply.json()
    return tokens


@pytest.mark.spec("OB-AUTH-03", "OB-AUTH-05", "OB-AUTH-28", "OB-AUTH-32")
def test_a_manager_allows_an_app_and_stops_it_again(page: Page, site: Site, client: tuple[str, str]) -> None:
    key, name = client
    sign_in(page, authorize(key))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Let {name} book for Riverside Centre?")
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_text("Welcome back")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["state"] == ["xyz"]
    bearer = {"Authorization": f"Bearer {tokens_for(site, key, page.url)['access_token']}"}
    order = f"{site.url}/api/orders/e11429ea-467f-4270-ab62-e47368996fe8"
    assert httpx2.get(order, headers=bearer).status_code == 404
    page.goto("/partners")
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("book, change and cancel")
    row.get_by_role("button", name=f"Pause {name}").click()
    expect(row).to_contain_text("none: paused by Riverside Centre")
    assert httpx2.get(order, headers=bearer).status_code == 401
    row.get_by_role("button", name=f"Resume {name}").click()
    assert httpx2.get(order, headers=bearer).status_code == 404
    row.get_by_role("link", name=f"Stop {name}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Stop {name} from booking for Riverside Centre?")
    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_role("listitem").filter(has_text=f"{name}, stopped on")).to_be_visible()
    assert httpx2.get(order, headers=bearer).status_code == 401


def test_earlier_consent_returns_to_the_app_at_once(page: Page, client: tuple[str, str]) -> None:
    """The sign-in page allows the redirect to the site of the client."""
    sign_in(page, authorize(client[0]))
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_text("Welcome back")).to_be_visible()
    page.context.clear_cookies()
    sign_in(page, authorize(client[0]))
    expect(page.get_by_text("Welcome back")).to_be_visible()


def test_a_manager_refuses_an_app(page: Page, client: tuple[str, str]) -> None:
    sign_in(page, authorize(client[0]))
    page.get_by_role("button", name="Do not allow").click()
    expect(page.get_by_text("Welcome back")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["error"] == ["access_denied"]


def test_the_whole_flow_works_by_keyboard(page: Page, client: tuple[str, str]) -> None:
    """The focus follows the order of the page and is visible."""
    page.goto(authorize(client[0]))
    for key in ("Tab", "Tab"):
        page.keyboard.press(key)
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("ann")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Let {client[1]} book")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Allow", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Do not allow")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Welcome back")).to_be_visible()


def test_set_a_password_by_a_link_and_sign_out(page: Page, site: Site) -> None:
    link = site.do(lambda system: system.identity.accounts.add("eve", "centre", Role.MANAGER, MANAGER))
    page.goto(f"/set-password?link={link}")
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("Repeat the new password").fill(NEW)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Today")
    page.get_by_role("button", name="Sign out eve").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.get_by_label("User name").fill("eve")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("The user name or the password is wrong.")
    expect(page).to_have_title(re.compile("^Error: Sign in .* Riverside Bookings$"))


def test_a_second_factor_from_setting_it_up_to_removing_it(page: Page, site: Site) -> None:
    """The user signs in with a code of an app, and with a recovery code."""
    link = site.do(lambda system: system.identity.accounts.add("gus", "centre", Role.MANAGER, MANAGER))
    page.goto(f"/set-password?link={link}")
    send(page, {"New password": PASSWORD, AGAIN: PASSWORD}, forget=False)
    page.get_by_role("link", name="Second factor").click()
    expect(page.get_by_role("img", name="QR code of the key below")).to_be_visible()
    send(page, {"Your password": PASSWORD, "Code": "{code}"}, forget=False)
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep your recovery codes")
    recovery = page.get_by_role("main").get_by_role("listitem").all_inner_texts()
    page.get_by_role("link", name="Continue: I have saved them").click()
    page.get_by_role("button", name="Sign out gus").click()
    sign_in(page, name="gus")
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter a code")
    page.get_by_role("link", name="Use a recovery code instead").click()
    send(page, {"Recovery code": recovery[0]}, forget=False)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Today")
    page.get_by_role("link", name="Second factor").click()
    expect(page.get_by_text("You have 9 recovery codes left.")).to_be_visible()
    send(page, {"Your password": PASSWORD, "Code": recovery[1]}, forget=False)
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up a second factor")


def test_a_partner_registers(page: Page, site: Site) -> None:
    token = site.do(lambda system: system.identity.registration.new_token("Acme", None, None))
    page.goto(f"/registration?token={token}")
    page.get_by_label("Name of the app, as Sellers will see it").fill("Acme App")
    page.get_by_label("Email address of its developers").fill("dev@acme.example")
    page.get_by_label("Redirect URIs").fill("https://acme.example/cb")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_text("obs_")).to_be_visible()


NOW, AGAIN, YOURS = "Current password", "Repeat the new password", "Your password"
REGISTERED = {
    "Name of the app, as Sellers will see it": "Acme App",
    "Email address of its developers": "dev@acme.example",
    "Redirect URIs": "https://acme.example/cb",
}
UNAVAILABLE = "/unavailable"


def waiting(system: System) -> Attempts:
    """Return a counter that makes dan wait."""
    until = system.clock() + timedelta(minutes=8)
    return Attempts(subject=attempt_limits.account_subject("dan"), failures=8, blocked_until=until, expires=until)


async def copy_user(system: System, name: str, copy: str) -> None:
    """Add a user with the same password."""
    (user,) = await system.identity.store.find(User, name=name)
    await system.identity.store.save(replace(user, name=copy, revision=0))


async def page_without_database(system: System) -> str:
    """Return the page that is shown while the database is unavailable."""

    async def fail(request: Request, visit: Visit) -> NoReturn:
        del request, visit
        raise StoreUnavailableError("It does not answer.")

    app = Starlette(routes=[Pages(system).route(UNAVAILABLE, fail)])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost") as client:
        return (await client.get(UNAVAILABLE)).text


def shown_by_the_app(page: Page) -> str:
    """Return the code for the key that the page shows."""
    return TOTP(page.locator("#secret").inner_text().replace(" ", "")).now()


def send(page: Page, fields: dict[str, str], *, forget: bool) -> None:
    """Fill in the form and press its button; delete the cookies first if `forget` is set."""
    for label, value in fields.items():
        page.get_by_label(label, exact=True).fill(shown_by_the_app(page) if value == "{code}" else value)
    if forget:
        page.context.clear_cookies()
    with page.expect_navigation():  # a click alone may return before the next page is parsed
        page.locator("button.btn-primary").click()


SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# The user who has signed in, the path, and the fields to fill in before the button is pressed; None to press none.
PAGES: dict[str, tuple[str, str, dict[str, str] | None]] = {
    "sign in": ("", "/sign-in", None),
    "problem: wrong password": ("", "/sign-in", {"User name": "ann", "Password": "wrong"}),
    "problem: too many attempts": ("", "/sign-in", {"User name": "dan", "Password": "wrong"}),
    "unknown client": ("", "/oauth/authorize", None),
    "unknown link": ("", "/set-password?link=x", None),
    "unavailable": ("", UNAVAILABLE, None),
    "registration": ("", "/registration?token={token}", None),
    "problem: no web site": ("", "/registration?token={token}", {**REGISTERED, "Web site of the app": "foo:bar"}),
    "problem: no redirect URI": (
        "",
        "/registration?token={token}",
        {**REGISTERED, "Redirect URIs": "http://acme.example/cb"},
    ),
    "registered": ("", "/registration?token={token}", REGISTERED),
    "link": ("", "/set-password?link={link}", None),
    "problem: link, different": ("", "/set-password?link={link}", {"New password": NEW, AGAIN: NEW.upper()}),
    "code": ("", "/sign-in", {"User name": "flo", "Password": PASSWORD}),
    "consent": ("ann", "{authorize}", None),
    "partners": ("ann", "/partners", None),
    "stop": ("ann", "/partners/{finder}/revoke", None),
    "password": ("ann", "/password", None),
    "problem: password, wrong": ("ann", "/password", {NOW: "wrong", "New password": NEW, AGAIN: NEW}),
    "problem: password, weak": ("ann", "/password", {NOW: PASSWORD, "New password": "a" * 12, AGAIN: "a" * 12}),
    "problem: password, different": ("ann", "/password", {NOW: PASSWORD, "New password": NEW, AGAIN: NEW.upper()}),
    "may not consent": ("cat", "{authorize}", None),
    "for managers only": ("cat", "/partners/{finder}/revoke", None),
    "problem: code, wrong": ("flo", "/sign-in/code", {"Code": "12345"}),
    "recovery code": ("flo", "/sign-in/recovery-code", None),
    "problem: recovery code, wrong": ("flo", "/sign-in/recovery-code", {"Recovery code": "x"}),
    "second factor to set up": ("ann", "/second-factor", None),
    "problem: second factor, wrong password": ("ann", "/second-factor", {YOURS: "wrong", "Code": "12345"}),
    "problem: second factor, wrong code": ("ann", "/second-factor", {YOURS: PASSWORD, "Code": "12345"}),
    "recovery codes": ("ivy", "/second-factor", {YOURS: PASSWORD, "Code": "{code}"}),
    "second factor": ("ivy", "/second-factor", None),
    "problem: second factor, not removed": ("ivy", "/second-factor", {YOURS: PASSWORD, "Code": "12345"}),
    "out of date": ("cat", "/password!", {NOW: PASSWORD, "New password": NEW, AGAIN: NEW}),
}


def test_pages_meet_wcag_2_2_aa_and_fit_on_a_telephone(
    request: pytest.FixtureRequest, scripted: Page, site: Site, client: tuple[str, str]
) -> None:
    """axe finds no violations, and no page scrolls sideways at a width of 320 pixels (1280 pixels at 400 %).

    axe checks one page after the other in the next scheme; with the option `--every-look`, each page in both.
    """
    every_look = request.config.getoption("--every-look")
    finder, _ = site.new_client("Active Finder")
    booking = give(frozenset({Scope.OPENBOOKING}))
    site.do(lambda system: system.identity.grants.change(finder, "centre", booking, MANAGER))
    site.do(lambda system: system.identity.store.save(waiting(system)))
    unavailable = site.do(page_without_database)
    scripted.route(f"**{UNAVAILABLE}", lambda route: route.fulfill(body=unavailable, content_type="text/html"))
    filled = {
        "authorize": authorize(client[0]),
        "finder": finder,
        "link": site.do(lambda system: system.identity.accounts.add("hal", "centre", Role.MANAGER, MANAGER)),
        "token": site.do(lambda system: system.identity.registration.new_token(new_id(), None, None)),
    }
    site.do(lambda system: copy_user(system, "cat", "ivy"))
    signed_in = ""
    for (what, (name, path, fields)), next_scheme in zip(PAGES.items(), itertools.cycle(SCHEMES), strict=False):
        if name != signed_in:
            scripted.context.clear_cookies()
            sign_in(scripted, name=name)
            signed_in = name
        scripted.goto(path.format(**filled).removesuffix("!"))
        if fields is not None:
            send(scripted, fields, forget=path.endswith("!"))
        assert scripted.title().startswith("Error: ") == what.startswith("problem: "), what
        for width in (1280, 320):
            scripted.set_viewport_size({"width": width, "height": 800})
            assert scripted.evaluate("document.documentElement.scrollWidth") <= width, (what, width)
            for caption in scripted.locator("caption").all():
                box = caption.bounding_box()
                assert box is not None
                assert box["height"] < box["width"], (what, width)
        for scheme in SCHEMES if every_look else [next_scheme]:
            scripted.emulate_media(color_scheme=scheme)
            assert barriers(scripted) == [], (what, scheme)
