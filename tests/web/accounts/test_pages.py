"""Pages for people: what they do, their security headers, and attacks from other sites."""

import json
import logging
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
import structlog

from openbooking.identity.oauth.authorization_lifecycle import challenge
from openbooking.identity.oauth.registration import Registration
from openbooking.identity.records import Authorization, Grant, GrantState, Partner, RegistrationToken, Role, Session
from openbooking.identity.sign_in.accounts import Accounts
from openbooking.identity.sign_in.passwords import Passwords
from support.builders import UUID
from support.form_browser import Page, Visitor
from support.http_system import SITE, YOGA, World, open_world
from support.identity_provider import PASSWORD, basic
from support.parties import AGREED

pytestmark = pytest.mark.anyio

VERIFIER = "v" * 48
NEW = "lampshade orbit cabbage"
ASKED = {
    "response_type": "code",
    "client_id": "alice",
    "redirect_uri": "https://alice.example.com/cb",
    "scope": "openid offline_access openactive-openbooking",
    "state": "xyz",
    "code_challenge": challenge(VERIFIER),
    "code_challenge_method": "S256",
}
AUTHORIZE = f"/oauth/authorize?{urlencode(ASKED)}"


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System with an OpenID provider."""
    async with open_world("sqlite", tmp_path, access="openid") as world:
        yield world


@pytest.fixture
def visitor(provider: World) -> Visitor:
    """A browser without cookies."""
    return Visitor(provider.client)


def cookie_of(page: Page) -> tuple[str, Any]:
    """Return name and attributes of the cookie that a response sets."""
    ((name, morsel),) = SimpleCookie(page.response.headers["set-cookie"]).items()
    return name, morsel


async def link_for(world: World, name: str = "eve") -> str:
    """Return a link for a new user."""
    accounts = Accounts(world.identity, world_policy(world), world.clock, Passwords())
    return await accounts.add(name, "centre", Role.MANAGER)


def world_policy(world: World) -> Any:
    return world.settings.identity_policy


async def test_a_manager_signs_in_allows_sees_pauses_and_stops(provider: World, visitor: Visitor) -> None:
    page = await visitor.open(AUTHORIZE)
    assert page.url.startswith(f"{SITE}/sign-in?")
    assert "Alice asks to be allowed to book for you" in page.text
    page = await visitor.send(page, "/sign-in", username="ann", password=PASSWORD)
    assert "Let Alice book for Riverside Centre?" in page.text
    assert "https://alice.example.com" in page.text
    page = await visitor.send(page, "/oauth/consent", "allow")
    assert page.left_for.startswith("https://alice.example.com/cb?code=")
    await provider.call("PUT", f"orders/{UUID}", provider.order(provider.item(YOGA)))
    page = await visitor.open("/partners")
    assert re.search(
        r"Alice book, change and cancel 1 March 2027, by ann 1 1 March 2027 Pause Alice Stop Alice", page.text
    )
    page = await visitor.send(page, "/partners/alice/suspend")
    assert "Alice not book: you have paused it" in page.text
    assert (await provider.call("GET", f"orders/{UUID}")).status_code == 401
    page = await visitor.send(page, "/partners/alice/resume")
    assert (await provider.call("GET", f"orders/{UUID}")).status_code == 200
    page = await visitor.open("/partners/alice/revoke")
    assert "Stop Alice from booking for Riverside Centre?" in page.text
    page = await visitor.send(page, "/partners/alice/revoke")
    assert "Alice, stopped on 1 March 2027 by ann; 1 Orders" in page.text
    assert (await provider.call("GET", f"orders/{UUID}")).status_code == 401
    assert (await visitor.open("/partners/alice/revoke")).url == f"{SITE}/partners"


@pytest.mark.spec("OB-AUTH-28")
async def test_the_consent_page_separates_claims_of_a_partner_from_facts(provider: World, visitor: Visitor) -> None:
    """A partner that registers itself may give any name. The address that gets the answer is certain."""
    registration = Registration(provider.identity, provider.clock)
    says = {"client_name": "Swim", "client_uri": "https://swim.example/", "redirect_uris": ["https://evil.example/cb"]}
    registered = (await registration.register(await registration.new_token("Acme", None, None), says)).partner
    asked = {**ASKED, "client_id": registered.key, "redirect_uri": registered.redirect_uris[0]}
    page = await visitor.sign_in("ann", PASSWORD, f"/oauth/authorize?{urlencode(asked)}")
    certain, _, said = page.text.partition("What it says of itself, and nobody has checked")
    assert "What is certain Your answer goes to https://evil.example, and so do you." in certain
    assert said.startswith(
        " Its name is Swim, its web site https://swim.example/. Allow it only if you know https://evil.example "
    )
    assert "swim.example" not in certain
    await visitor.send(page, "/oauth/consent", "allow")
    assert "says it is at https://swim.example/" in (await visitor.open("/partners")).text
    page = await visitor.open(AUTHORIZE)
    assert "Your answer goes to https://alice.example.com," in page.text
    assert f"What {provider.settings.name} says of it Its name is Alice." in page.text


async def test_a_seller_sees_which_partners_have_special_terms(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, access="openid", terms=AGREED) as world:
        visitor = Visitor(world.client)
        await visitor.sign_in("ann", PASSWORD)
        page = await visitor.open("/partners")
        assert "Alice book, change and cancel, on special terms" in page.text
        assert "Bob book, change and cancel 1 March" in page.text
        assert "Special terms extend or limit" in page.text


async def test_a_seller_sees_and_changes_its_own_partners_only(provider: World, visitor: Visitor) -> None:
    page = await visitor.sign_in("ann", PASSWORD)
    assert "Charlie" not in page.text
    token = page.form("/sign-out").fields["form_token"]
    for action in ("revoke", "suspend"):
        await visitor.post(f"/partners/charlie/{action}", {"form_token": token})
        await visitor.post(f"/partners/nobody/{action}", {"form_token": token})
    grants = {(grant.partner, grant.seller): grant.state for grant in await provider.identity.find(Grant)}
    assert set(grants.values()) == {GrantState.ACTIVE}
    assert ("charlie", "centre") not in grants


async def test_staff_see_partners_and_cannot_change_them(provider: World, visitor: Visitor) -> None:
    page = await visitor.sign_in("cat", PASSWORD)
    assert "Alice book, change and cancel" in page.text
    assert [form.action for form in page.forms] == ["/sign-out"]
    token = page.form("/sign-out").fields["form_token"]
    page = await visitor.post("/partners/alice/revoke", {"form_token": token})
    assert (page.status, "A manager has to do this" in page.text) == (403, True)
    page = await visitor.open(AUTHORIZE)
    assert (page.status, "A manager has to decide this" in page.text) == (403, True)
    page = await visitor.post("/oauth/consent", {"form_token": token, "request": urlencode(ASKED), "decision": "allow"})
    assert page.status == 403
    assert {grant.changed_by for grant in await provider.identity.find(Grant)} == {"desk"}


async def test_a_refusal_returns_to_the_client_with_access_denied(visitor: Visitor) -> None:
    page = await visitor.send(await visitor.sign_in("ann", PASSWORD, AUTHORIZE), "/oauth/consent", "deny")
    told = parse_qs(urlsplit(page.left_for).query)
    assert (told["error"], told["state"]) == (["access_denied"], ["xyz"])


async def test_a_wrong_password_is_reported_and_the_user_name_kept(visitor: Visitor) -> None:
    page = await visitor.sign_in("ann", "wrong")
    assert page.status == 422
    assert "There is a problem The user name or the password is wrong." in page.text
    assert "<title>Error: Sign in" in page.response.text
    assert page.form("/sign-in").fields["username"] == "ann"
    assert page.form("/sign-in").fields["password"] == ""


async def filled_in(world: World, visitor: Visitor, where: str, fields: dict[str, str]) -> Page:
    """Return the page after the form is sent."""
    registration = Registration(world.identity, world.clock)
    links = {
        "/password": "/password",
        "/sign-in": "/sign-in",
        "/set-password": f"/set-password?link={await link_for(world)}",
        "/registration": f"/registration?token={await registration.new_token('Acme', None, None)}",
    }
    if where == "/password":
        await visitor.sign_in("ann", PASSWORD)
    return await visitor.send(await visitor.open(links[where]), where, **fields)


GOOD = {
    "/sign-in": {"username": "ann", "password": PASSWORD},
    "/password": {"password": PASSWORD, "new_password": NEW, "repeated": NEW},
    "/set-password": {"new_password": NEW, "repeated": NEW},
    "/registration": {
        "name": "Acme App",
        "site": "https://acme.example/",
        "contact": "dev@acme.example",
        "redirect_uris": "https://acme.example/cb",
    },
}


@pytest.mark.parametrize(
    ("filled", "marked", "text"),
    [
        (("/sign-in", {"password": "no"}), ["username", "password"], "The user name or the password is wrong."),
        (("/password", {"password": "no"}), ["password"], "This is not your current password."),
        (("/password", {"new_password": "x", "repeated": "x"}), ["new_password"], "Use at least 12 characters."),
        (("/password", {"repeated": "x"}), ["repeated"], "The two new passwords differ."),
        (("/set-password", {"new_password": "x", "repeated": "x"}), ["new_password"], "Use at least 12 characters."),
        (("/set-password", {"repeated": "x"}), ["repeated"], "The two new passwords differ."),
        (("/registration", {"name": "x" * 501}), ["name"], "Write the name on one line, with at most 500 characters."),
        (("/registration", {"name": " "}), ["name"], "Write the name that Sellers will see."),
        (("/registration", {"contact": ""}), ["contact"], "Give an email address of the people who run it."),
        (("/registration", {"site": "foo:bar"}), ["site"], "Give the address of a web site, which begins with https"),
        (("/registration", {"site": "https://["}), ["site"], "Give the address of a web site"),
        (("/registration", {"site": "x" * 501}), ["site"], "Give the address of a web site"),
        (("/registration", {"contact": "x" * 501}), ["contact"], "Give an email address of at most 500 characters."),
        (
            ("/registration", {"redirect_uris": "http://a.b"}),
            ["redirect_uris"],
            "'http://a.b' must begin with https://",
        ),
        (("/registration", {"redirect_uris": "https://a.b/#"}), ["redirect_uris"], "'https://a.b/#' must have no frag"),
        (
            ("/registration", {"redirect_uris": "https://a.b/ " * 11}),
            ["redirect_uris"],
            "List at most 10 redirect URIs",
        ),
        (("/registration", {"redirect_uris": ""}), ["redirect_uris"], "Name at least one redirect URI."),
    ],
)
async def test_a_problem_is_shown_at_its_field(
    provider: World, visitor: Visitor, filled: tuple[str, dict[str, str]], marked: list[str], text: str
) -> None:
    """WCAG 3.3.1 and 3.3.3: the field is marked and described by the text, and the summary links to it."""
    where, wrong = filled
    page = await filled_in(provider, visitor, where, {**GOOD[where], **wrong})
    assert page.status == 422
    told = page.paragraphs["wrong"]
    assert told.startswith(text)
    assert f"There is a problem {told}" in page.text
    assert not re.search(r"[a-z]_[a-z]", told)
    assert page.summary == [page.fields[marked[0]]["id"]]
    assert [name for name, field in page.fields.items() if "aria-invalid" in field] == marked
    described = {name for name, field in page.fields.items() if "wrong" in field.get("aria-describedby", "").split()}
    assert described == set(marked)
    hinted = [field for field in page.fields.values() if "hint" in field.get("aria-describedby", "").split()]
    assert len(hinted) == (where != "/sign-in")


@pytest.mark.parametrize("where", ["/sign-in", "/password"])
async def test_a_problem_without_a_field_is_shown_for_the_form(provider: World, visitor: Visitor, where: str) -> None:
    page = await filled_in(provider, visitor, where, {**GOOD[where], "password": "wrong"})
    # The browser of somebody who has signed in is known for ten guesses, and a stranger for five more.
    for _ in range(15 if where == "/password" else 5):
        page = await visitor.send(page, where, **{**GOOD[where], "password": "wrong"})
    assert "There is a problem Too many attempts." in page.text
    assert (page.status, page.summary, "wrong" in page.paragraphs) == (422, [], False)
    assert not any("aria-invalid" in field for field in page.fields.values())


async def test_too_many_guesses_of_passwords_must_wait(provider: World, visitor: Visitor) -> None:
    for _ in range(5):
        await visitor.sign_in("ann", "wrong")
    page = await visitor.sign_in("ann", PASSWORD)
    assert (page.status, "Try again in a minute" in page.text) == (422, True)
    provider.pass_time(seconds=31)
    for _ in range(3):
        await visitor.sign_in("ann", "wrong")
        provider.pass_time(minutes=4)
    page = await visitor.sign_in("ann", "wrong")
    page = await visitor.sign_in("ann", PASSWORD)
    assert "Try again in 8 minutes" in page.text


async def test_a_link_sets_a_password_and_signs_in(provider: World, visitor: Visitor) -> None:
    link = await link_for(provider)
    page = await visitor.open(f"/set-password?link={link}")
    assert "For the account eve." in page.text
    page = await visitor.send(page, "/set-password", new_password=NEW, repeated="other")
    assert "The two new passwords differ." in page.text
    page = await visitor.send(page, "/set-password", new_password="short", repeated="short")
    assert "at least 12 characters" in page.text
    page = await visitor.send(page, "/set-password", new_password=NEW, repeated=NEW)
    assert "Booking partners of Riverside Centre" in page.text
    page = await Visitor(provider.client).open(f"/set-password?link={link}")
    assert (page.status, "This link does not work any more" in page.text) == (404, True)
    assert (await Visitor(provider.client).sign_in("eve", NEW)).url == f"{SITE}/partners"


async def test_a_password_is_changed(provider: World, visitor: Visitor) -> None:
    await visitor.sign_in("ann", PASSWORD)
    elsewhere = Visitor(provider.client)
    await elsewhere.sign_in("ann", PASSWORD)
    for fields, told in (
        ({"password": "wrong", "new_password": NEW, "repeated": NEW}, "not your current password"),
        ({"password": PASSWORD, "new_password": NEW, "repeated": "x"}, "two new passwords differ"),
        ({"password": PASSWORD, "new_password": "x", "repeated": "x"}, "at least 12"),
    ):
        page = await visitor.send(await visitor.open("/password"), "/password", **fields)
        assert (page.status, told in page.text) == (422, True)
    page = await visitor.send(
        await visitor.open("/password"), "/password", password=PASSWORD, new_password=NEW, repeated=NEW
    )
    assert page.url == f"{SITE}/partners"
    assert (await visitor.open("/partners")).url == f"{SITE}/partners"
    assert (await elsewhere.open("/partners")).url.startswith(f"{SITE}/sign-in")


async def test_signing_out_ends_the_session(provider: World, visitor: Visitor) -> None:
    page = await visitor.sign_in("ann", PASSWORD)
    page = await visitor.send(page, "/sign-out")
    assert page.url == f"{SITE}/sign-in"
    assert await provider.identity.find(Session) == []
    assert (await visitor.open("/partners")).url.startswith(f"{SITE}/sign-in")


@pytest.mark.spec("OB-AUTH-04", "OB-AUTH-20")
async def test_a_partner_registers_by_a_link(provider: World, visitor: Visitor) -> None:
    token = await Registration(provider.identity, provider.clock).new_token("Acme", None, 1)
    filled = {"name": "Acme App", "site": "https://acme.example/", "contact": "dev@acme.example"}
    page = await visitor.open(f"/registration?token={token}")
    page = await visitor.send(page, "/registration", **filled, redirect_uris="http://acme.example/cb")
    assert (page.status, "must begin with https://" in page.text) == (422, True)
    assert page.form("/registration").fields["name"] == "Acme App"
    page = await visitor.send(page, "/registration", redirect_uris="https://acme.example/cb\n https://acme.example/2")
    told = re.search(r"Client id (\S+) Client secret (obs_\S+)", page.text)
    assert told
    (partner,) = await provider.identity.find(Partner, key=told[1])
    assert partner.redirect_uris == ("https://acme.example/cb", "https://acme.example/2")
    assert partner.contacts == ("dev@acme.example",)
    tokens = await provider.client.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": basic(told[1], told[2])}
    )
    assert tokens.status_code == 200
    for url in (f"/registration?token={token}", "/registration"):
        page = await visitor.open(url)
        assert (page.status, "does not work any more" in page.text) == (404, True)
    (kept,) = await provider.identity.find(RegistrationToken)
    assert kept.uses == 1


async def test_sign_in_sets_a_new_secure_cookie(provider: World, visitor: Visitor) -> None:
    """Scripts, other sites, plain HTTP and other hosts do not get the cookie, and nobody can plant it beforehand."""
    page = await visitor.open("/sign-in")
    name, morsel = cookie_of(page)
    assert name == "__Host-openbooking"
    assert morsel["secure"]
    assert morsel["httponly"]
    assert (morsel["samesite"].lower(), morsel["path"], morsel["domain"]) == ("lax", "/", "")
    planted = morsel.value
    await visitor.send(page, "/sign-in", username="ann", password=PASSWORD)
    signed_in = next(response for response in visitor.history if response.request.method == "POST")
    assert planted not in signed_in.headers["set-cookie"]
    stale = await provider.client.get("/partners", headers={"Cookie": f"{name}={planted}"})
    assert stale.headers["location"].startswith("/sign-in")


async def test_a_browser_in_which_somebody_signed_in_is_not_locked_out_by_strangers(
    provider: World, visitor: Visitor
) -> None:
    """A secure cookie identifies the browser. It outlives the session and does not name the user."""
    await visitor.sign_in("ann", "wrong")
    assert "__Host-openbooking-device" not in visitor.cookies
    page = await visitor.sign_in("ann", PASSWORD)
    signed_in = next(response for response in reversed(visitor.history) if response.request.method == "POST")
    (given,) = [cookie for cookie in signed_in.headers.get_list("set-cookie") if "-device=" in cookie]
    ((name, morsel),) = SimpleCookie(given).items()
    assert name == "__Host-openbooking-device"
    assert morsel["secure"]
    assert morsel["httponly"]
    assert (morsel["samesite"].lower(), morsel["path"], morsel["domain"]) == ("strict", "/", "")
    assert int(morsel["max-age"]) == timedelta(days=180).total_seconds()
    assert "ann" not in morsel.value
    await visitor.send(page, "/sign-out")
    stranger = Visitor(provider.client)
    for _ in range(6):
        page = await stranger.sign_in("ann", "wrong")
    assert "Too many attempts." in page.text
    page = await visitor.sign_in("ann", "wrong")
    assert "The user name or the password is wrong." in page.text
    assert (await visitor.sign_in("ann", PASSWORD)).url == f"{SITE}/partners"


@pytest.mark.parametrize("way", ["again", "as another", "prompt=login", "by a link"])
async def test_a_session_ends_when_another_begins_in_the_same_browser(
    provider: World, visitor: Visitor, way: str
) -> None:
    """A stolen old cookie is useless then. Sessions of other browsers go on."""
    elsewhere = Visitor(provider.client)
    await elsewhere.sign_in("ann", PASSWORD)
    await visitor.sign_in("ann", PASSWORD)
    name = "__Host-openbooking"
    old = visitor.cookies[name]
    match way:
        case "by a link":
            page = await visitor.open(f"/set-password?link={await link_for(provider)}")
            await visitor.send(page, "/set-password", new_password=NEW, repeated=NEW)
        case "prompt=login":
            await visitor.sign_in("ann", PASSWORD, f"{AUTHORIZE}&prompt=login")
        case _:
            await visitor.sign_in("ann" if way == "again" else "ben", PASSWORD)
    stale = await provider.client.get("/partners", headers={"Cookie": f"{name}={old}"})
    assert stale.headers["location"].startswith("/sign-in")
    for browser in (visitor, elsewhere):
        assert (await browser.open("/partners")).url == f"{SITE}/partners"


async def test_on_localhost_cookies_need_no_tls(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, access="openid", site_url="http://localhost:8000") as world:
        page = await Visitor(world.client).open("/sign-in")
        name, morsel = cookie_of(page)
        assert (name, bool(morsel["secure"]), bool(morsel["httponly"])) == ("openbooking", False, True)
        assert "strict-transport-security" not in page.response.headers


PAGES = ["/sign-in", AUTHORIZE, "/partners", "/partners/alice/revoke", "/password", "/oauth/authorize", "/registration"]


@pytest.mark.spec("OB-SEC-01")
@pytest.mark.parametrize("path", [*PAGES, "/pages.css"])
async def test_every_page_has_security_headers(visitor: Visitor, path: str) -> None:
    await visitor.sign_in("ann", PASSWORD)
    headers = (await visitor.open(path)).response.headers
    policy = dict(directive.split(" ", 1) for directive in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["style-src"] == policy["img-src"] == "'self'"
    assert policy["form-action"] == ("'self' https://alice.example.com" if path == AUTHORIZE else "'self'")
    assert "script-src" not in policy
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["strict-transport-security"].startswith("max-age=")
    if path != "/pages.css":
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
async def test_no_page_has_scripts_or_styles_of_its_own(visitor: Visitor, path: str) -> None:
    await visitor.sign_in("ann", PASSWORD)
    html = (await visitor.open(path)).response.text
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", html)
    assert html.count('class="btn-primary"') <= 1


async def test_names_cannot_become_markup(provider: World, visitor: Visitor) -> None:
    (alice,) = await provider.identity.find(Partner, key="alice")
    await provider.identity.save(
        Partner(**{f: getattr(alice, f) for f in alice.__struct_fields__} | {"name": "<script>alert(1)</script>"})
    )
    for page in (await visitor.sign_in("ann", PASSWORD, AUTHORIZE), await visitor.open("/partners")):
        assert "<script>alert" not in page.response.text
        assert "&lt;script&gt;alert(1)" in page.response.text


FORMS = ["/sign-out", "/password", "/oauth/consent", "/partners/alice/revoke", "/partners/alice/suspend"]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("token", [None, "", "x", "é", "another's"])
async def test_forms_of_other_sites_are_refused(
    provider: World, visitor: Visitor, path: str, token: str | None
) -> None:
    """A missing token and a token of another browser are refused."""
    await visitor.sign_in("ann", PASSWORD)
    if token == "another's":
        page = await Visitor(provider.client).sign_in("ben", PASSWORD)
        token = page.form("/sign-out").fields["form_token"]
    fields = {"request": urlencode(ASKED), "decision": "allow", **({} if token is None else {"form_token": token})}
    page = await visitor.post(path, fields)
    assert (page.status, "The page was out of date" in page.text) == (403, True)
    assert {grant.state for grant in await provider.identity.find(Grant)} == {GrantState.ACTIVE}
    assert {grant.changed_by for grant in await provider.identity.find(Grant)} == {"desk"}
    assert (await visitor.open("/partners")).status == 200


async def test_forms_of_other_sites_cannot_sign_in(provider: World, visitor: Visitor) -> None:
    page = await visitor.post("/sign-in", {"username": "ann", "password": PASSWORD})
    assert page.status == 403
    token = (await Visitor(provider.client).open("/sign-in")).form("/sign-in").fields["form_token"]
    await visitor.open("/sign-in")
    page = await visitor.post("/sign-in", {"username": "ann", "password": PASSWORD, "form_token": token})
    assert page.status == 403
    assert await provider.identity.find(Session) == []


@pytest.mark.parametrize("body", [b"{}", b"form_token=1&form_token=2", b"x" * 30_000])
async def test_bodies_that_are_no_forms_are_refused(visitor: Visitor, body: bytes) -> None:
    await visitor.sign_in("ann", PASSWORD)
    reply = await visitor._client.post("/password", content=body, headers={"Content-Type": "text/plain"})
    assert reply.status_code in (400, 413)
    assert reply.headers["content-type"].startswith("text/html")


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
async def test_sign_in_never_leads_to_other_sites(visitor: Visitor, to: str) -> None:
    page = await visitor.open(f"/sign-in?next={quote(to)}")
    page = await visitor.send(page, "/sign-in", username="ann", password=PASSWORD, next=to)
    assert page.url == f"{SITE}/partners"
    assert {urlsplit(str(response.url)).netloc for response in visitor.history} == {urlsplit(SITE).netloc}


async def test_sign_in_leads_back_to_the_wanted_page(visitor: Visitor) -> None:
    page = await visitor.open("/password")
    assert page.url == f"{SITE}/sign-in?next=%2Fpassword"
    page = await visitor.send(page, "/sign-in", username="ann", password=PASSWORD)
    assert page.url == f"{SITE}/password"
    assert (await visitor.open("/sign-in?next=%2Fpassword")).url == f"{SITE}/password"


async def test_sign_in_leads_back_to_each_page_that_asks_for_it(provider: World, visitor: Visitor) -> None:
    transport: Any = provider.client._transport
    paths = [
        route.path.format(key="alice")
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


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "60"}, {"max_age": "0"}])
async def test_a_client_may_ask_that_somebody_signs_in_again(
    provider: World, visitor: Visitor, asked: dict[str, str]
) -> None:
    """The password is asked for, once, and `auth_time` is that of the second time (OpenID Connect Core 3.1.2.1)."""
    page = await visitor.send(await visitor.sign_in("ann", PASSWORD, AUTHORIZE), "/oauth/consent", "allow")
    provider.clock.move(timedelta(seconds=61))
    page = await visitor.open(f"/oauth/authorize?{urlencode({**ASKED, **asked})}")
    assert (page.url.startswith(f"{SITE}/sign-in?"), page.left_for) == (True, "")
    refused = await visitor.send(page, "/sign-in", username="ann", password="wrong")
    assert (refused.status, refused.left_for) == (422, "")
    provider.clock.move(timedelta(seconds=1))
    page = await visitor.send(page, "/sign-in", username="ann", password=PASSWORD)
    assert page.left_for.startswith("https://alice.example.com/cb?code=")
    authorizations = await provider.identity.find(Authorization)
    assert max(found.authenticated for found in authorizations if found.authenticated) == provider.clock()


@pytest.mark.parametrize("changes", [{"scope": "x"}, {"response_type": "x"}, {"code_challenge": ""}, {"max_age": "x"}])
async def test_an_invalid_request_does_not_redirect_before_sign_in(visitor: Visitor, changes: dict[str, str]) -> None:
    """Else a link to this site would be an open redirector to any registered address (RFC 9700 4.11.2)."""
    page = await visitor.open(f"/oauth/authorize?{urlencode({**ASKED, **changes})}")
    assert (page.url.startswith(f"{SITE}/sign-in?"), page.left_for) == (True, "")
    page = await visitor.send(page, "/sign-in", username="ann", password=PASSWORD)
    assert page.left_for.startswith("https://alice.example.com/cb?error=")


@pytest.mark.parametrize(
    "changes",
    [{"client_id": "nobody"}, {"redirect_uri": "https://evil.example/cb"}, {"redirect_uri": ""}, {"client_id": ""}],
)
async def test_an_unknown_client_gets_no_redirect(visitor: Visitor, changes: dict[str, str]) -> None:
    await visitor.sign_in("ann", PASSWORD)
    page = await visitor.open(f"/oauth/authorize?{urlencode({**ASKED, **changes})}")
    assert (page.status, "This link does not work" in page.text, page.left_for) == (400, True, "")
    assert "evil.example" not in page.response.text
    assert "evil.example" not in str(page.response.headers)


async def test_a_repeated_parameter_is_refused(visitor: Visitor) -> None:
    page = await visitor.open(f"{AUTHORIZE}&state=abc")
    assert (page.status, page.left_for) == (400, "")


async def test_consent_is_given_to_the_request_that_was_shown(provider: World, visitor: Visitor) -> None:
    """The form carries the request, which is checked again."""
    page = await visitor.sign_in("ann", PASSWORD, AUTHORIZE)
    token = page.form("/oauth/consent").fields["form_token"]
    for changes, status in (
        ({"redirect_uri": "https://evil.example/cb"}, 400),
        ({"client_id": "bob"}, 400),
    ):
        asked = urlencode({**ASKED, **changes})
        page = await visitor.post("/oauth/consent", {"form_token": token, "request": asked, "decision": "allow"})
        assert (page.status, page.left_for) == (status, "")
    assert {grant.changed_by for grant in await provider.identity.find(Grant)} == {"desk"}


async def test_the_redirect_with_the_code_is_not_cached_and_uses_get(visitor: Visitor) -> None:
    """303 makes browsers drop the form (RFC 9700 4.12)."""
    page = await visitor.send(await visitor.sign_in("ann", PASSWORD, AUTHORIZE), "/oauth/consent", "allow")
    assert page.response.status_code == 303
    assert page.response.headers["cache-control"] == "no-store"


async def test_nothing_secret_is_logged(
    provider: World, visitor: Visitor, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """No password, cookie, code, token, key, secret or link is logged, whether valid or not."""
    caplog.set_level(logging.DEBUG)
    link = await link_for(provider)
    registration = await Registration(provider.identity, provider.clock).new_token("Acme", None, None)
    with structlog.testing.capture_logs() as told:
        await visitor.sign_in("ann", "a wrong password")
        page = await visitor.sign_in("ann", PASSWORD, AUTHORIZE)
        page = await visitor.send(page, "/oauth/consent", "allow")
        code = parse_qs(urlsplit(page.left_for).query)["code"][0]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": ASKED["redirect_uri"],
            "code_verifier": VERIFIER,
        }
        headers = {"Authorization": basic("alice", "obs_alice")}
        tokens = (await provider.client.post("/oauth/token", data=form, headers=headers)).json()
        for _ in range(2):
            refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
            await provider.client.post("/oauth/token", data=refresh, headers=headers)
        await provider.client.post("/oauth/token", data=form, headers=headers)
        await provider.client.post("/oauth/token", data=form, headers={"Authorization": basic("alice", "obs_wrong")})
        await provider.call("GET", f"orders/{UUID}")
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        await provider.client.get(f"/api/orders/{UUID}", headers=bearer)
        await visitor.open(f"/set-password?link={link}")
        await visitor.open(f"/registration?token={registration}")
    assert {entry["event"] for entry in told} >= {"sign_in.refused", "authorization.ended_by_replay"}
    output = capsys.readouterr()
    ours = [record.getMessage() for record in caplog.records if record.name != "httpx2"]
    logged = json.dumps([told, ours], default=str) + output.out + output.err
    secrets = [PASSWORD, "a wrong password", code, VERIFIER, link, registration, "obs_alice", "obs_wrong", "obk_alice"]
    secrets += [tokens[name] for name in ("access_token", "refresh_token", "id_token")]
    secrets += [cookie.value or "" for cookie in visitor.cookies.jar]
    for secret in secrets:
        assert secret
        assert secret not in logged
