"""Pages on which users sign in, sign out and set passwords."""

import re
from datetime import timedelta
from http.cookies import SimpleCookie

import pytest

from openbooking.identity.oauth.registration import Registration
from openbooking.identity.records import Session
from support.authorization_requests import AUTHORIZE, link_for
from support.browsers.form_browser import Page, Visitor
from support.http_system import SITE, World
from support.identity_provider import PASSWORD

pytestmark = pytest.mark.anyio

NEW = "lampshade orbit cabbage"


async def test_a_wrong_password_is_reported_and_the_user_name_kept(visitor: Visitor) -> None:
    page = await visitor.sign_in("ann", "wrong")
    assert page.status == 422
    assert "There is a problem The user name or the password is wrong." in page.text
    assert "<title>Error: Sign in" in page.response.text
    assert page.form("/sign-in").fields["username"] == "ann"
    assert page.form("/sign-in").fields["password"] == ""


async def filled_in(world: World, visitor: Visitor, where: str, fields: dict[str, str]) -> Page:
    """Send the form, and return the page that follows."""
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
        (("/registration", {"contact": ""}), ["contact"], "Give the e-mail address of the developers of the app."),
        (
            ("/registration", {"contact": "nonsense"}),
            ["contact"],
            "Give the e-mail address of the developers of the app.",
        ),
        (("/registration", {"site": "foo:bar"}), ["site"], "Give the address of a web site, which begins with https"),
        (("/registration", {"site": "https://["}), ["site"], "Give the address of a web site"),
        (("/registration", {"site": "x" * 501}), ["site"], "Give the address of a web site"),
        (
            ("/registration", {"contact": "x" * 501}),
            ["contact"],
            "Give the e-mail address of the developers of the app.",
        ),
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
    # A known browser has ten attempts. Then it counts as unknown, and has five more.
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
    assert page.url == provider.start
    page = await Visitor(provider.client).open(f"/set-password?link={link}")
    assert (page.status, "This link does not work any more" in page.text) == (404, True)
    assert (await Visitor(provider.client).sign_in("eve", NEW)).url == provider.start


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
    assert page.url == provider.start
    assert (await visitor.open("/partners")).url == f"{SITE}/partners"
    assert (await elsewhere.open("/partners")).url.startswith(f"{SITE}/sign-in")


async def test_signing_out_ends_the_session(provider: World, visitor: Visitor) -> None:
    page = await visitor.sign_in("ann", PASSWORD)
    page = await visitor.send(page, "/sign-out")
    assert page.url == f"{SITE}/sign-in"
    assert await provider.identity.find(Session) == []
    assert (await visitor.open("/partners")).url.startswith(f"{SITE}/sign-in")


async def test_a_form_that_is_sent_without_a_session_is_reported_as_lost(provider: World, visitor: Visitor) -> None:
    page = await visitor.post("/partners/alice/revoke", {"form_token": "0" * 64})
    assert "nothing was done" in page.text
    page = await visitor.send(page, "/sign-in", username="ann", password=PASSWORD)
    assert page.url == f"{SITE}/partners/alice/revoke"
    await visitor.send(page, "/sign-out")
    page = await visitor.post("/sign-out", {"form_token": "0" * 64})
    assert page.url == f"{SITE}/sign-in"
    assert "nothing was done" not in page.text


async def test_guesses_of_strangers_do_not_lock_out_a_known_browser(provider: World, visitor: Visitor) -> None:
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
    assert (await visitor.sign_in("ann", PASSWORD)).url == provider.start


@pytest.mark.parametrize("way", ["again", "as another", "prompt=login", "by a link"])
async def test_a_new_session_ends_the_old_session_of_the_browser(provider: World, visitor: Visitor, way: str) -> None:
    """A stolen old cookie becomes invalid. Sessions in other browsers continue."""
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
