"""Cookies, security headers and CSRF checks of all pages, and secrets in logs."""

import json
import logging
import re
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import structlog

from openbooking.identity.oauth.registration import Registration
from openbooking.identity.records import Grant, GrantState, Partner, Session
from support.authorization_requests import ASKED, AUTHORIZE, VERIFIER, link_for
from support.browsers.form_browser import Page, Visitor
from support.builders import UUID
from support.http_system import World, open_world
from support.identity_provider import PASSWORD, basic

pytestmark = pytest.mark.anyio


def cookie_of(page: Page) -> tuple[str, Any]:
    """Return name and attributes of the cookie that a response sets."""
    ((name, morsel),) = SimpleCookie(page.response.headers["set-cookie"]).items()
    return name, morsel


async def test_sign_in_sets_a_new_secure_cookie(provider: World, visitor: Visitor) -> None:
    """Scripts, other sites, plain HTTP and other hosts do not get the cookie. A planted cookie is replaced."""
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


async def test_names_are_escaped_in_html(provider: World, visitor: Visitor) -> None:
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


async def test_logs_contain_no_secret(
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
