"""The pages of the authorization endpoint: consent, refusal and invalid requests."""

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from openbooking.identity.oauth.registration import Registration
from openbooking.identity.records import Authorization, Grant
from support.authorization_requests import ASKED, AUTHORIZE
from support.browsers.form_browser import Visitor
from support.http_system import SITE, World
from support.identity_provider import PASSWORD

pytestmark = pytest.mark.anyio


@pytest.mark.spec("OB-AUTH-28")
async def test_the_consent_page_separates_claims_of_a_partner_from_facts(provider: World, visitor: Visitor) -> None:
    """A partner that registers itself may give any name. Only the address that receives the answer is verified."""
    registration = Registration(provider.identity, provider.clock)
    says = {"client_name": "Swim", "client_uri": "https://swim.example/", "redirect_uris": ["https://evil.example/cb"]}
    registered = (await registration.register(await registration.new_token("Acme", None, None), says)).partner
    asked = {**ASKED, "client_id": registered.key, "redirect_uri": registered.redirect_uris[0]}
    page = await visitor.sign_in("ann", PASSWORD, f"/oauth/authorize?{urlencode(asked)}")
    certain, _, said = page.text.partition("Not verified: what the app says about itself")
    assert "Verified Your answer is sent to https://evil.example, and your browser opens that site." in certain
    assert said.startswith(
        " Its name is Swim, and its web site is https://swim.example/. "
        "Allow this only if you know that https://evil.example belongs to Swim."
    )
    assert "swim.example" not in certain
    await visitor.send(page, "/oauth/consent", "allow")
    assert "says it is at https://swim.example/" in (await visitor.open("/partners")).text
    page = await visitor.open(AUTHORIZE)
    assert "Your answer is sent to https://alice.example.com," in page.text
    assert f"What {provider.settings.name} says about the app Its name is Alice." in page.text


async def test_a_refusal_returns_to_the_client_with_access_denied(visitor: Visitor) -> None:
    page = await visitor.send(await visitor.sign_in("ann", PASSWORD, AUTHORIZE), "/oauth/consent", "deny")
    told = parse_qs(urlsplit(page.left_for).query)
    assert (told["error"], told["state"]) == (["access_denied"], ["xyz"])


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "60"}, {"max_age": "0"}])
async def test_a_client_may_request_a_new_sign_in(provider: World, visitor: Visitor, asked: dict[str, str]) -> None:
    """The user enters the password once more. `auth_time` is the time of this sign-in (OpenID Connect Core 3.1.2.1)."""
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
    """Otherwise a link to this site would be an open redirector to any registered address (RFC 9700 4.11.2)."""
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


async def test_consent_is_valid_for_the_displayed_request_only(provider: World, visitor: Visitor) -> None:
    """The form contains the request, which is checked again."""
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
