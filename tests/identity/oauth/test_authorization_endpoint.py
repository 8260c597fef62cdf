"""The authorization endpoint: sign-in, consent, and the answers to clients."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from openbooking.identity.oauth.authorization_endpoint import (
    AskConsent,
    MayNotConsent,
    Redirect,
    SignInFirst,
    UnknownClientError,
)
from openbooking.identity.partners.grants import revoke
from openbooking.identity.records import Grant, Partner, Role
from openbooking.identity.scopes import Scope
from support.identity_provider import SITE, Desk, partner, returned
from support.parties import MANAGER

pytestmark = pytest.mark.anyio


async def refused(desk: Desk, **changes: str | None) -> dict[str, str]:
    parameters, _ = desk.asked(**changes)
    answer = await desk.provider.authorization.handle(parameters, await desk.signed_in("ann"))
    assert isinstance(answer, Redirect)
    return returned(answer)


@pytest.mark.spec("OB-AUTH-05", "OB-AUTH-28")
async def test_the_client_gets_a_code_after_sign_in_and_consent(desk: Desk) -> None:
    parameters, _ = desk.asked()
    endpoint = desk.provider.authorization
    assert isinstance(await endpoint.handle(parameters, None), SignInFirst)
    ann = await desk.signed_in("ann")
    asked = await endpoint.handle(parameters, ann)
    assert isinstance(asked, AskConsent)
    assert asked.request.scopes == {Scope.OPENID, Scope.OFFLINE_ACCESS, Scope.OPENBOOKING}
    answer = await endpoint.decide(parameters, ann, agreed=True)
    assert isinstance(answer, Redirect)
    assert answer.url.startswith("https://alice.example.com/cb?code=obc_")
    assert returned(answer)["state"] == "xyz"
    (grant,) = await desk.store.find(Grant, partner="alice")
    assert (grant.seller, grant.agreed_by, grant.changed_by) == ("centre", frozenset({"ann"}), "ann")


async def test_answers_to_clients_name_the_issuer(desk: Desk) -> None:
    """The issuer prevents mix-up attacks (RFC 9207)."""
    parameters, _ = desk.asked()
    answer = await desk.provider.authorization.decide(parameters, await desk.signed_in("ann"), agreed=True)
    assert isinstance(answer, Redirect)
    assert returned(answer)["iss"] == SITE
    assert (await refused(desk, scope="address"))["iss"] == SITE


async def test_a_refusal_is_sent_as_access_denied(desk: Desk) -> None:
    parameters, _ = desk.asked()
    answer = await desk.provider.authorization.decide(parameters, await desk.signed_in("ann"), agreed=False)
    assert isinstance(answer, Redirect)
    assert returned(answer)["error"] == "access_denied"
    assert returned(answer)["state"] == "xyz"
    assert await desk.store.find(Grant) == []


@pytest.mark.spec("OB-AUTH-32")
async def test_a_user_who_has_agreed_is_not_asked_again(desk: Desk) -> None:
    """Consent includes offline access. More scopes, another client or another user need a new consent."""
    endpoint, ann = desk.provider.authorization, await desk.signed_in("ann")
    await desk.code("ann", scope="openid openactive-identity")
    for changes, expected in (
        ({"scope": "openid openactive-identity"}, Redirect),
        ({"scope": "openid"}, Redirect),
        ({"scope": "openid unheard-of"}, Redirect),
        ({"scope": "openid openactive-openbooking"}, AskConsent),
        ({"scope": "openid", "prompt": "consent"}, AskConsent),
    ):
        parameters, _ = desk.asked(**changes)
        assert isinstance(await endpoint.handle(parameters, ann), expected), changes
    parameters, _ = desk.asked(scope="openid")
    assert isinstance(await endpoint.handle(parameters, await desk.signed_in("ben")), AskConsent)
    parameters, _ = desk.asked("bob", scope="openid")
    assert isinstance(await endpoint.handle(parameters, ann), AskConsent)


async def test_each_user_agrees_separately(desk: Desk) -> None:
    """Each manager of a Seller is asked. The first manager is asked again after the second has allowed more scopes."""
    dan = replace((await desk.signed_in("ann")).user, name="dan", revision=0)
    await desk.store.save(dan)
    endpoint, ann = desk.provider.authorization, await desk.signed_in("ann")
    await desk.code("ann", scope="openid")
    parameters, _ = desk.asked(scope="openid")
    assert isinstance(await endpoint.handle(parameters, await desk.signed_in("dan")), AskConsent)
    await desk.code("dan", scope="openid")
    assert isinstance(await endpoint.handle(parameters, ann), Redirect)
    await desk.code("dan", scope="openid openactive-openbooking")
    assert isinstance(await endpoint.handle(parameters, ann), AskConsent)


@pytest.mark.spec("OB-AUTH-05", "OB-AUTH-32")
async def test_a_manager_who_became_staff_gets_no_code(desk: Desk) -> None:
    await desk.code("ann")
    ann = (await desk.signed_in("ann")).user
    await desk.store.save(replace(ann, role=Role.STAFF))
    endpoint, ann_again = desk.provider.authorization, await desk.signed_in("ann")
    assert isinstance(await endpoint.handle(desk.asked()[0], ann_again), MayNotConsent)
    silent = await endpoint.handle(desk.asked(prompt="none")[0], ann_again)
    assert isinstance(silent, Redirect)
    assert returned(silent)["error"] == "consent_required"


@pytest.mark.spec("OB-AUTH-05", "OB-AUTH-29")
async def test_a_later_account_of_a_name_inherits_no_consent(desk: Desk) -> None:
    accounts, password = desk.provider.accounts, "lampshade orbit cabbage"
    for agrees in (True, False):
        result = await accounts.use_link(await accounts.add("eve", "centre", Role.MANAGER, MANAGER), password)
        signed_in = await accounts.find_session(result.secret)
        assert signed_in
        assert isinstance(await desk.provider.authorization.handle(desk.asked()[0], signed_in), AskConsent)
        if agrees:
            await desk.provider.authorization.decide(desk.asked()[0], signed_in, agreed=True)
            assert isinstance(await desk.provider.authorization.handle(desk.asked()[0], signed_in), Redirect)
            await accounts.remove(signed_in.user.name, MANAGER)
    (grant,) = await desk.store.find(Grant, partner="alice")
    assert grant.changed_by == "eve"


async def test_a_revoked_grant_needs_a_new_consent(desk: Desk) -> None:
    await desk.code("ann")
    await desk.provider.grants.change("alice", "centre", revoke, MANAGER)
    parameters, _ = desk.asked()
    assert isinstance(await desk.provider.authorization.handle(parameters, await desk.signed_in("ann")), AskConsent)


async def test_staff_may_not_decide_for_the_seller(desk: Desk) -> None:
    parameters, _ = desk.asked()
    cat = await desk.signed_in("cat")
    assert isinstance(await desk.provider.authorization.handle(parameters, cat), MayNotConsent)
    assert isinstance(await desk.provider.authorization.decide(parameters, cat, agreed=True), MayNotConsent)
    assert await desk.store.find(Grant) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://alice.example.com/cb/"},
        {"redirect_uri": "https://alice.example.com/cb?x=1"},
        {"redirect_uri": "https://alice.example.com/CB"},
        {"redirect_uri": "https://alice.example.com.evil.example/cb"},
        {"redirect_uri": "https://bob.example.com/cb"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "//evil.example/cb"},
    ],
)
async def test_an_unregistered_redirect_uri_is_never_used(desk: Desk, changes: dict[str, str | None]) -> None:
    parameters, _ = desk.asked(**changes)
    for signed_in in (None, await desk.signed_in("ann")):
        with pytest.raises(UnknownClientError):
            await desk.provider.authorization.handle(parameters, signed_in)


WRONG = pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "c" * 42}, "invalid_request"),
        ({"code_challenge": "c" * 44}, "invalid_request"),
        ({"code_challenge": "c" * 42 + "="}, "invalid_request"),
        ({"code_challenge": "c" * 42 + "+"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "address offline_access"}, "invalid_scope"),
        ({"scope": "openactive-ordersfeed"}, "invalid_scope"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://alice.example.com/request"}, "request_uri_not_supported"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "none"}, "consent_required"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"nonce": "x" * 5000}, "invalid_request"),
    ],
)


@WRONG
async def test_errors_of_a_request_are_sent_to_its_client(
    desk: Desk, changes: dict[str, str | None], error: str
) -> None:
    told = await refused(desk, **changes)
    assert told["error"] == error
    assert told["state"] == "xyz"
    assert told["error_description"]
    assert "code" not in told


@WRONG
async def test_a_malformed_request_redirects_only_after_sign_in(
    desk: Desk, changes: dict[str, str | None], error: str
) -> None:
    """RFC 9700 4.11.2. Silent requests are answered at once."""
    parameters, _ = desk.asked(**changes)
    answer = await desk.provider.authorization.handle(parameters, None)
    if "none" not in parameters.get("prompt", "").split():
        assert answer == SignInFirst(parameters)
        parameters, _ = desk.asked(**{**changes, "prompt": "none"})
        answer = await desk.provider.authorization.handle(parameters, None)
    assert isinstance(answer, Redirect)
    assert returned(answer)["error"] == ("login_required" if error == "consent_required" else error)


async def test_a_silent_request_shows_no_page(desk: Desk) -> None:
    parameters, _ = desk.asked(prompt="none")
    answer = await desk.provider.authorization.handle(parameters, None)
    assert isinstance(answer, Redirect)
    assert returned(answer)["error"] == "login_required"
    await desk.code("ann")
    answer = await desk.provider.authorization.handle(parameters, await desk.signed_in("ann"))
    assert isinstance(answer, Redirect)
    assert returned(answer)["code"]


async def test_max_age_asks_for_another_sign_in(desk: Desk) -> None:
    await desk.code("ann")
    ann = await desk.signed_in("ann")
    desk.clock.move(timedelta(seconds=61))
    endpoint = desk.provider.authorization
    for changes, expected in (({"max_age": "60"}, SignInFirst), ({"max_age": "120"}, Redirect)):
        assert isinstance(await endpoint.handle(desk.asked(**changes)[0], ann), expected)
    for changes, left in (
        ({"prompt": "login consent", "max_age": "0"}, {"prompt": "consent"}),
        ({"prompt": "login"}, {}),
    ):
        parameters, _ = desk.asked(**changes)
        then = {name: value for name, value in parameters.items() if name not in changes} | left
        assert await endpoint.handle(parameters, ann) == SignInFirst(then)


async def test_a_redirect_uri_keeps_its_own_parameters(desk: Desk) -> None:
    uri = "https://carol.example.com/cb?app=1"
    await desk.store.save(partner("carol", redirect_uris=(uri,)))
    parameters, _ = desk.asked("carol", redirect_uri=uri)
    answer = await desk.provider.authorization.decide(parameters, await desk.signed_in("ann"), agreed=True)
    assert isinstance(answer, Redirect)
    assert urlsplit(answer.url).query.startswith("app=1&code=obc_")
    assert await desk.store.find(Partner, key="carol")
