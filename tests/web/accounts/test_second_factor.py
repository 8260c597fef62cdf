"""The pages for the second step of sign-in, and for setting up and removing a second factor."""

import json
import logging
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import structlog
from msgspec.structs import replace
from pyotp import TOTP

from openbooking.identity.policy import SecondFactorMode
from openbooking.identity.records import Authorization, SecondFactor, Session, User
from support.authorization_requests import ASKED, AUTHORIZE
from support.browsers.form_browser import Page, Visitor
from support.http_system import SITE, World, open_world
from support.identity_provider import PASSWORD

pytestmark = pytest.mark.anyio

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
CODE, RECOVERY, ENROLMENT = "/sign-in/code", "/sign-in/recovery-code", "/sign-in/second-factor"
SECOND_FACTOR, REMOVE = "/second-factor", "/second-factor/remove"
DEVICE = "__Host-openbooking-device"


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System where people may set up a second factor, and ann has."""
    async with open_world("sqlite", tmp_path, access="openid", second_factor=SecondFactorMode.OPTIONAL) as world:
        await enrol(world)
        yield world


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System that requires a second factor, which nobody has yet."""
    async with open_world("sqlite", tmp_path, access="openid", second_factor=SecondFactorMode.REQUIRED) as world:
        yield world


async def enrol(world: World, name: str = "ann") -> None:
    (user,) = await world.identity.find(User, name=name)
    factor = SecondFactor(secret=SECRET, since=world.clock())
    assert await world.identity.save(replace(user, second_factor=factor))


def code(world: World, secret: str = SECRET, steps: int = 0) -> str:
    """Return the code that the app shows now, or `steps` half minutes later."""
    return TOTP(secret).at(world.clock(), counter_offset=steps)


def secret_on(page: Page) -> str:
    """Return the key that the page shows."""
    found = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', page.response.text)
    assert found
    return found[1].replace(" ", "")


def recovery_codes_on(page: Page) -> list[str]:
    return re.findall(r"<li><code>([a-z2-7-]+)</code>", page.response.text)


async def both_steps(world: World, visitor: Visitor, url: str = "/sign-in", steps: int = 0) -> Page:
    page = await visitor.sign_in("ann", PASSWORD, url)
    return await visitor.send(page, CODE, code=code(world, steps=steps))


async def test_no_page_opens_before_the_second_step(provider: World, visitor: Visitor) -> None:
    page = await visitor.sign_in("ann", PASSWORD)
    assert page.url.startswith(f"{SITE}{CODE}")
    assert "Enter a code" in page.text
    assert DEVICE not in visitor.cookies
    assert await provider.identity.find(Session) == []
    for path in ("/partners", "/password", SECOND_FACTOR, AUTHORIZE, ENROLMENT):
        assert urlsplit((await visitor.open(path)).url).path == "/sign-in", path
    token = page.form(CODE).fields["form_token"]
    for path in ("/oauth/consent", "/partners/alice/revoke", REMOVE, "/sign-out"):
        page = await visitor.post(path, {"form_token": token, "request": urlencode(ASKED), "decision": "allow"})
        assert urlsplit(page.url).path == "/sign-in", path
    page = await visitor.send(await visitor.open(CODE), CODE, code=code(provider))
    assert page.url == provider.start
    assert DEVICE in visitor.cookies


async def test_both_steps_return_to_the_requested_page(provider: World, visitor: Visitor) -> None:
    page = await visitor.sign_in("ann", PASSWORD, AUTHORIZE)
    assert page.response.headers["content-security-policy"].count("https://alice.example.com") == 1
    page = await visitor.send(page, CODE, code="000000")
    assert page.form(CODE).fields["next"] == AUTHORIZE
    page = await visitor.send(page, CODE, code=code(provider))
    assert "Let Alice book for Riverside Centre?" in page.text
    await visitor.send(page, "/sign-out")
    page = await visitor.sign_in("ann", PASSWORD, "/password")
    assert (await visitor.open(f"{RECOVERY}?next=//evil.example/")).form(RECOVERY).fields["next"] == ""
    page = await visitor.send(page, CODE, code=code(provider, steps=1), next="https://evil.example/")
    assert page.url == provider.start


async def test_a_wrong_code_is_reported_at_its_field(provider: World, visitor: Visitor) -> None:
    used = code(provider)
    await both_steps(provider, visitor)
    for path, shown, told in (
        (CODE, "000000", "The code is wrong or was used before."),
        (CODE, used, "The code is wrong or was used before."),
        (RECOVERY, "aaaa-aaaa", "The recovery code is wrong or was used before."),
    ):
        await visitor.sign_in("ann", PASSWORD)
        page = await visitor.send(await visitor.open(path), path, code=shown)
        assert page.status == 422
        assert "<title>Error: Enter a" in page.response.text
        assert page.paragraphs["wrong"].startswith(told)
        assert page.summary == ["code"]
        assert page.fields["code"]["aria-invalid"] == "true"
        assert page.fields["code"]["aria-describedby"] == "hint wrong"
        assert shown not in page.response.text
    page = await visitor.open(CODE)
    assert (page.fields["code"]["autocomplete"], page.fields["code"]["inputmode"]) == ("one-time-code", "numeric")


async def test_too_many_guesses_of_codes_must_wait(provider: World, visitor: Visitor) -> None:
    page = await visitor.sign_in("ann", PASSWORD)
    for _ in range(6):
        page = await visitor.send(page, CODE, code="000000")
    assert "There is a problem Too many attempts." in page.text
    assert (page.status, page.summary) == (422, [])
    page = await visitor.sign_in("ann", PASSWORD)
    page = await visitor.send(page, CODE, code=code(provider))
    assert "Too many attempts." in page.text


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "60"}])
async def test_a_client_that_asks_for_a_new_sign_in_gets_both_steps(
    provider: World, visitor: Visitor, asked: dict[str, str]
) -> None:
    page = await visitor.send(await both_steps(provider, visitor, AUTHORIZE), "/oauth/consent", "allow")
    provider.clock.move(timedelta(seconds=90))
    again = f"/oauth/authorize?{urlencode({**ASKED, **asked})}"
    page = await visitor.sign_in("ann", PASSWORD, again)
    assert (urlsplit(page.url).path, page.left_for) == (CODE, "")
    assert await provider.identity.find(Session) == []
    provider.clock.move(timedelta(seconds=1))
    page = await visitor.send(page, CODE, code=code(provider))
    assert page.left_for.startswith("https://alice.example.com/cb?code=")
    authorizations = await provider.identity.find(Authorization)
    assert max(found.authenticated for found in authorizations if found.authenticated) == provider.clock()


async def test_a_required_second_factor_is_set_up_during_sign_in(strict: World) -> None:
    visitor = Visitor(strict.client)
    page = await visitor.sign_in("ann", PASSWORD, AUTHORIZE)
    assert page.url.startswith(f"{SITE}{ENROLMENT}")
    secret = secret_on(page)
    assert f"otpauth://totp/Openbooking:ann?secret={secret}&amp;issuer=Openbooking" in page.response.text
    assert "<svg" in page.response.text
    wrong = await visitor.send(page, ENROLMENT, code="000000")
    assert (wrong.status, secret_on(wrong), wrong.summary) == (422, secret, ["code"])
    assert await strict.identity.find(Session) == []
    page = await visitor.send(wrong, ENROLMENT, code=code(strict, secret))
    codes = recovery_codes_on(page)
    assert (page.status, len(codes), "Keep your recovery codes" in page.text) == (200, 10, True)
    assert page.response.headers["cache-control"] == "no-store"
    onwards = re.search(r'<a class="btn-secondary" href="([^"]+)">', page.response.text)
    assert onwards
    assert onwards[1].replace("&amp;", "&") == AUTHORIZE
    assert "Let Alice book" in (await visitor.open(AUTHORIZE)).text
    page = await visitor.send(page, "/sign-out")
    assert page.url == f"{SITE}/sign-in"
    for shown, good in ((codes[0], True), (codes[0], False), (codes[1].upper(), True)):
        await visitor.sign_in("ann", PASSWORD)
        page = await visitor.send(await visitor.open(RECOVERY), RECOVERY, code=shown)
        assert (page.url == strict.start) is good


async def test_a_first_password_leads_to_the_second_factor(strict: World) -> None:
    """Another browser with the password is offered another secret."""
    one, other = Visitor(strict.client), Visitor(strict.client)
    first, second = [await browser.sign_in("ann", PASSWORD) for browser in (one, other)]
    assert secret_on(first) != secret_on(second)
    await one.send(first, ENROLMENT, code=code(strict, secret_on(first)))
    page = await other.send(second, ENROLMENT, code=code(strict, secret_on(second)))
    assert page.url == f"{SITE}/sign-in?{urlencode({'next': urlsplit(strict.start).path})}"


async def test_a_second_factor_is_set_up_and_removed(provider: World) -> None:
    visitor = Visitor(provider.client)
    page = await visitor.sign_in("ben", PASSWORD)
    assert 'href="/second-factor"' in page.response.text
    page = await visitor.open(SECOND_FACTOR)
    secret = secret_on(page)
    for fields, field in (
        ({"password": "wrong", "code": code(provider, secret)}, "password"),
        ({"password": PASSWORD, "code": "000000"}, "code"),
    ):
        page = await visitor.send(page, SECOND_FACTOR, **fields)
        assert (page.status, page.summary, secret_on(page)) == (422, [field], secret)
    page = await visitor.send(page, SECOND_FACTOR, password=PASSWORD, code=code(provider, secret))
    codes = recovery_codes_on(page)
    assert len(codes) == 10
    page = await visitor.open(SECOND_FACTOR)
    assert "app on 1 March 2027. Each sign-in needs a code of the app. You have 10 recovery codes left." in page.text
    for fields, field in (
        ({"password": "wrong", "code": codes[0]}, "password"),
        ({"password": PASSWORD, "code": code(provider, secret)}, "code"),
    ):
        page = await visitor.send(page, REMOVE, **fields)
        assert (page.status, page.summary) == (422, [field])
    page = await visitor.send(page, REMOVE, password=PASSWORD, code=codes[0])
    assert page.url == f"{SITE}{SECOND_FACTOR}"
    assert secret_on(page) != secret
    for _ in range(16):
        page = await visitor.send(page, SECOND_FACTOR, password="wrong", code="000000")
    assert "Too many attempts." in page.text


async def test_a_second_factor_that_is_off_is_not_offered(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, access="openid") as world:
        visitor = Visitor(world.client)
        page = await visitor.sign_in("ben", PASSWORD)
        assert "Second factor" not in page.text
        assert (await visitor.open(SECOND_FACTOR)).url == world.start
        await enrol(world)
        await both_steps(world, visitor)
        page = await visitor.open(SECOND_FACTOR)
        assert "Your second factor" in page.text
        page = await visitor.send(page, REMOVE, password=PASSWORD, code=code(world, steps=1))
        assert page.url == world.start


@pytest.mark.parametrize("path", [CODE, RECOVERY, ENROLMENT, SECOND_FACTOR, REMOVE])
@pytest.mark.parametrize("token", [None, "", "another's"])
async def test_forms_of_other_sites_are_refused(strict: World, path: str, token: str | None) -> None:
    visitor = Visitor(strict.client)
    if path in (SECOND_FACTOR, REMOVE):
        page = await visitor.sign_in("ann", PASSWORD)
        await visitor.send(page, ENROLMENT, code=code(strict, secret_on(page)))
    else:
        if path != ENROLMENT:
            await enrol(strict)
        await visitor.sign_in("ann", PASSWORD)
    (before,) = await strict.identity.find(User, name="ann")
    if token == "another's":
        token = (await Visitor(strict.client).open("/sign-in")).form("/sign-in").fields["form_token"]
    fields = {"code": code(strict), "password": PASSWORD, **({} if token is None else {"form_token": token})}
    page = await visitor.post(path, fields)
    assert (page.status, "The page was out of date" in page.text) == (403, True)
    assert await strict.identity.find(User, name="ann") == [before]


async def pages(world: World, visitor: Visitor) -> list[Page]:
    """Return each page, and the page after each form."""
    shown = [await visitor.sign_in("ann", PASSWORD)]
    shown.append(await visitor.open(RECOVERY))
    shown.append(await visitor.send(shown[0], CODE, code=code(world)))
    shown.append(await visitor.open(SECOND_FACTOR))
    shown.append(await visitor.send(shown[-1], REMOVE, password=PASSWORD, code=code(world, steps=1)))
    offered = secret_on(shown[-1])
    shown.append(await visitor.send(shown[-1], SECOND_FACTOR, password=PASSWORD, code=code(world, offered)))
    return shown


@pytest.mark.spec("OB-SEC-01")
async def test_every_page_has_security_headers(provider: World, visitor: Visitor) -> None:
    for page in await pages(provider, visitor):
        headers = page.response.headers
        policy = dict(directive.split(" ", 1) for directive in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["style-src"] == policy["img-src"] == policy["form-action"] == "'self'"
        assert headers["cache-control"] == "no-store"
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", page.response.text)
        assert page.response.text.count('class="btn-primary"') <= 1


async def test_names_are_escaped_in_html(tmp_path: Path) -> None:
    """A name cannot change the link that an authenticator app reads."""
    async with open_world("sqlite", tmp_path, second_factor=SecondFactorMode.REQUIRED, name='<b>"A"&B') as world:
        (ann,) = await world.identity.find(User, name="ann")
        evil = "<script>alert(1)</script>?secret=aaaa&"
        await world.identity.save(replace(ann, name=evil, revision=0))
        page = await Visitor(world.client).sign_in(evil, PASSWORD)
        assert page.url.startswith(f"{SITE}{ENROLMENT}")
        assert "<script>" not in page.response.text
        assert "<b>" not in page.response.text
        (uri,) = re.findall(r'href="(otpauth:[^"]+)"', page.response.text)
        assert (uri.count("?"), uri.count("secret="), uri.count("issuer=")) == (1, 1, 1)


async def test_logs_contain_no_secret(
    strict: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """No code, recovery code, key or cookie is logged, whether valid or not."""
    caplog.set_level(logging.DEBUG)
    visitor = Visitor(strict.client)
    cookies: list[Any] = []
    with structlog.testing.capture_logs() as told:
        page = await visitor.sign_in("ann", PASSWORD)
        cookies += visitor.cookies.jar
        secret, wrong = secret_on(page), "135790"
        await visitor.send(page, ENROLMENT, code=wrong)
        used = code(strict, secret)
        page = await visitor.send(page, ENROLMENT, code=used)
        recovery = recovery_codes_on(page)
        cookies += visitor.cookies.jar
        await visitor.send(page, "/sign-out")
        for path, shown in ((CODE, wrong), (CODE, used), (RECOVERY, "wrong-recovery"), (RECOVERY, recovery[0])):
            await visitor.sign_in("ann", PASSWORD)
            await visitor.send(await visitor.open(path), path, code=shown)
            cookies += visitor.cookies.jar
        page = await visitor.open(SECOND_FACTOR)
        await visitor.send(page, REMOVE, password=PASSWORD, code=recovery[1])
    assert {entry["event"] for entry in told} >= {
        "second_factor.refused",
        "second_factor.enrolled",
        "second_factor.removed",
    }
    output = capsys.readouterr()
    ours = [record.getMessage() for record in caplog.records if record.name != "httpx2"]
    logged = json.dumps([told, ours], default=str) + output.out + output.err
    for hidden in (PASSWORD, secret, wrong, used, "wrong-recovery", *recovery, *(cookie.value for cookie in cookies)):
        assert hidden
        assert hidden not in logged
