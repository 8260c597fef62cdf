"""The token endpoint: codes and refresh tokens are valid once, and misuse ends the authorization."""

import asyncio
from datetime import timedelta
from typing import Literal

import pytest
from msgspec.structs import replace

from openbooking.booking.model.order import Caller
from openbooking.identity.oauth.authorization_lifecycle import challenge
from openbooking.identity.oauth.errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuthError,
    UnsupportedGrantTypeError,
)
from openbooking.identity.oauth.token_endpoint import Tokens
from openbooking.identity.partners.grants import give, resume, revoke, suspend
from openbooking.identity.records import EVERY_SELLER, Authorization, User
from openbooking.identity.scopes import Scope
from openbooking.openactive.errors import InvalidAuthorizationDetailsError
from support.identity_provider import POLICY, Desk, basic
from support.parties import MANAGER

pytestmark = pytest.mark.anyio


async def dead(desk: Desk, tokens: Tokens) -> bool:
    """Return whether both the access token and the refresh token are invalid."""
    with pytest.raises(InvalidAuthorizationDetailsError):
        await desk.caller(tokens["access_token"])
    with pytest.raises(InvalidGrantError):
        await desk.refresh(tokens["refresh_token"])
    return True


@pytest.mark.spec("OB-AUTH-24", "OB-AUTH-28", "OB-AUTH-32")
async def test_a_code_becomes_an_access_a_refresh_and_an_id_token(desk: Desk) -> None:
    tokens = await desk.tokens()
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 900
    assert tokens["scope"] == "openid offline_access openactive-openbooking"
    assert tokens["refresh_token"].startswith("obr_")
    caller = await desk.caller(tokens["access_token"])
    assert caller == Caller("alice", frozenset({"centre"}))


async def test_without_offline_access_there_is_no_refresh_token(desk: Desk) -> None:
    tokens = await desk.tokens(scope="openid openactive-openbooking")
    assert "refresh_token" not in tokens
    assert tokens["id_token"]


async def test_without_openid_there_is_no_id_token(desk: Desk) -> None:
    assert "id_token" not in await desk.tokens(scope="openactive-openbooking")


async def test_a_code_used_twice_ends_its_authorization(desk: Desk) -> None:
    code, verifier = await desk.code()
    tokens = await desk.exchange(code, verifier)
    with pytest.raises(InvalidGrantError):
        await desk.exchange(code, verifier)
    assert await dead(desk, tokens)


async def test_concurrent_uses_of_a_code_give_tokens_at_most_once(desk: Desk) -> None:
    code, verifier = await desk.code()
    outcomes = await asyncio.gather(*(desk.exchange(code, verifier) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(outcome, dict) for outcome in outcomes) <= 1
    assert {type(outcome) for outcome in outcomes if not isinstance(outcome, dict)} == {InvalidGrantError}


@pytest.mark.parametrize(
    "changes",
    [
        {"verifier": "x" * 43},
        {"verifier": ""},
        {"redirect_uri": "https://alice.example.com/other"},
        {"redirect_uri": ""},
    ],
)
async def test_a_code_is_valid_only_for_the_client_that_requested_it(desk: Desk, changes: dict[str, str]) -> None:
    """Afterwards the code is invalid for every client, because it has leaked."""
    code, verifier = await desk.code()
    shown = changes.get("verifier", verifier)
    uri = {"redirect_uri": changes["redirect_uri"]} if "redirect_uri" in changes else {}
    with pytest.raises(InvalidGrantError):
        await desk.exchange(code, shown, **uri)
    with pytest.raises(InvalidGrantError):
        await desk.exchange(code, verifier)


@pytest.mark.parametrize("verifier", [None, "", "abc", "v" * 42, "v" * 129, "v" * 42 + "+", "v" * 43 + "\n", "é" * 43])
async def test_a_verifier_of_another_form_is_refused(desk: Desk, verifier: str | None) -> None:
    """A short or missing verifier is refused for every challenge. The code cannot be used again (RFC 7636 4.1)."""
    sound = "aZ09-._~" * 16
    for shown, asked_with in ((verifier, verifier or ""), (verifier, sound)):
        code, _ = await desk.code(code_challenge=challenge(asked_with))
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://alice.example.com/cb"}
        proof = {} if shown is None else {"code_verifier": shown}
        with pytest.raises(InvalidGrantError):
            await desk.provider.tokens.issue(form | proof, basic("alice", "obs_alice"))
        with pytest.raises(InvalidGrantError):
            await desk.exchange(code, asked_with)
    for fitting in (sound, "v" * 43):
        code, _ = await desk.code(code_challenge=challenge(fitting))
        assert await desk.exchange(code, fitting)


async def test_another_client_cannot_use_or_spend_a_code(desk: Desk) -> None:
    code, verifier = await desk.code()
    with pytest.raises(InvalidGrantError):
        await desk.exchange(code, verifier, "bob", redirect_uri="https://alice.example.com/cb")
    assert await desk.exchange(code, verifier)


async def test_a_code_is_valid_for_a_minute(desk: Desk) -> None:
    code, verifier = await desk.code()
    desk.clock.move(timedelta(seconds=60))
    with pytest.raises(InvalidGrantError):
        await desk.exchange(code, verifier)


@pytest.mark.parametrize("code", ["", "obc_x", "obc_x.", "obc_x.nothing", "obr_x.nothing", "." * 50, "obc_\u00e9.x"])
async def test_malformed_codes_are_refused(desk: Desk, code: str) -> None:
    with pytest.raises(InvalidGrantError):
        await desk.exchange(code, "v" * 43)


async def test_a_guessed_code_does_not_spend_the_real_one(desk: Desk) -> None:
    code, verifier = await desk.code()
    with pytest.raises(InvalidGrantError):
        await desk.exchange(f"obc_guess.{code.partition('.')[2]}", verifier)
    assert await desk.exchange(code, verifier)


async def test_a_refresh_returns_the_next_refresh_token(desk: Desk) -> None:
    tokens = await desk.tokens()
    for _ in range(3):
        fresh = await desk.refresh(tokens["refresh_token"])
        assert fresh["refresh_token"] != tokens["refresh_token"]
        assert await desk.sellers(fresh["access_token"]) == {"centre"}
        tokens = fresh


async def test_a_refresh_token_used_twice_ends_the_family(desk: Desk) -> None:
    first = await desk.tokens()
    second = await desk.refresh(first["refresh_token"])
    third = await desk.refresh(second["refresh_token"])
    with pytest.raises(InvalidGrantError):
        await desk.refresh(first["refresh_token"])
    assert await dead(desk, third)
    with pytest.raises(InvalidAuthorizationDetailsError):
        await desk.caller(second["access_token"])


async def test_a_leeway_allows_concurrent_refreshes() -> None:
    """Within the leeway the tokens of each answer are valid. A later second use ends the authorization."""
    desk = await Desk(replace(POLICY, refresh_leeway=timedelta(seconds=10))).open()
    first = await desk.tokens()
    answers = await asyncio.gather(*(desk.refresh(first["refresh_token"]) for _ in range(3)))
    kept = await desk.refresh(answers[1]["refresh_token"])
    desk.clock.move(timedelta(seconds=11))
    assert await desk.sellers(kept["access_token"]) == {"centre"}
    with pytest.raises(InvalidGrantError):
        await desk.refresh(first["refresh_token"])
    assert await dead(desk, kept)


async def test_refresh_tokens_end_when_they_are_not_used(desk: Desk) -> None:
    tokens = await desk.tokens()
    desk.clock.move(timedelta(days=89))
    tokens = await desk.refresh(tokens["refresh_token"])
    desk.clock.move(timedelta(days=91))
    with pytest.raises(InvalidGrantError):
        await desk.refresh(tokens["refresh_token"])


async def test_a_refresh_can_request_fewer_scopes_but_not_more(desk: Desk) -> None:
    tokens = await desk.tokens(scope="openid offline_access openactive-identity")
    less = await desk.refresh(tokens["refresh_token"], scope="openid openactive-openbooking")
    assert less["scope"] == "openid"
    with pytest.raises(InvalidScopeError):
        await desk.refresh(less["refresh_token"], scope="openactive-openbooking")


@pytest.mark.spec("OB-AUTH-28")
async def test_a_refresh_for_other_scopes_does_not_spend_the_token(desk: Desk) -> None:
    """A used refresh token ends the authorization, even if the scopes are not allowed."""
    first = await desk.tokens()
    for _ in range(2):
        with pytest.raises(InvalidScopeError):
            await desk.refresh(first["refresh_token"], scope="openactive-ordersfeed")
    second = await desk.refresh(first["refresh_token"])
    with pytest.raises(InvalidGrantError):
        await desk.refresh(first["refresh_token"], scope="openactive-ordersfeed")
    assert await dead(desk, second)


async def test_another_client_cannot_refresh(desk: Desk) -> None:
    tokens = await desk.tokens()
    with pytest.raises(InvalidGrantError):
        await desk.refresh(tokens["refresh_token"], "bob")
    assert await desk.refresh(tokens["refresh_token"])


@pytest.mark.spec("OB-AUTH-07", "OB-AUTH-10")
async def test_revoked_tokens_end_at_once_and_for_ever(desk: Desk) -> None:
    """A new consent allows new tokens. The old tokens stay invalid."""
    tokens, bens = await desk.tokens(), await desk.tokens("ben")
    code, verifier = await desk.code()
    await desk.provider.grants.change("alice", "centre", revoke, MANAGER)
    assert await dead(desk, tokens)
    with pytest.raises(InvalidGrantError):
        await desk.exchange(code, verifier)
    again = await desk.tokens()
    assert await dead(desk, tokens)
    assert await desk.sellers(again["access_token"]) == {"centre"}
    assert await desk.sellers(bens["access_token"]) == {"studio"}


@pytest.mark.spec("OB-AUTH-27")
async def test_tokens_survive_a_suspension(desk: Desk) -> None:
    tokens, own = await desk.tokens(), await desk.own_token()
    await desk.provider.grants.change("alice", "centre", suspend, MANAGER)
    with pytest.raises(InvalidAuthorizationDetailsError):
        await desk.caller(tokens["access_token"])
    tokens = await desk.refresh(tokens["refresh_token"])
    with pytest.raises(InvalidAuthorizationDetailsError):
        await desk.caller(tokens["access_token"])
    assert (await desk.caller(own, Scope.ORDERS_FEED)).partner == "alice"
    await desk.provider.grants.change("alice", "centre", resume, MANAGER)
    assert await desk.sellers(tokens["access_token"]) == {"centre"}


@pytest.mark.spec("OB-AUTH-29")
async def test_a_grant_outlives_the_user_who_gave_it(desk: Desk) -> None:
    tokens = await desk.tokens()
    (ann,) = await desk.store.find(User, name="ann")
    await desk.provider.accounts.remove(ann.name, MANAGER)
    tokens = await desk.refresh(tokens["refresh_token"])
    assert await desk.sellers(tokens["access_token"]) == {"centre"}


@pytest.mark.spec("OB-AUTH-25")
async def test_a_client_token_reads_the_orders_feed(desk: Desk) -> None:
    own = await desk.own_token(scope="openactive-ordersfeed unheard-of")
    assert (await desk.caller(own, Scope.ORDERS_FEED)).partner == "alice"
    with pytest.raises(InvalidAuthorizationDetailsError):
        await desk.caller(own)
    tokens = await desk.tokens()
    with pytest.raises(InvalidAuthorizationDetailsError):
        await desk.caller(tokens["access_token"], Scope.ORDERS_FEED)


@pytest.mark.spec("OB-AUTH-24", "OB-AUTH-25")
async def test_a_client_token_cannot_book(desk: Desk) -> None:
    """A client token has no Seller, even if the partner has grants."""
    await desk.tokens(scope="openactive-openbooking")
    await desk.provider.grants.change("alice", EVERY_SELLER, give(frozenset({Scope.OPENBOOKING})), MANAGER)
    for scope in (Scope.OPENBOOKING, Scope.OPENID, Scope.OFFLINE_ACCESS):
        with pytest.raises(InvalidScopeError):
            await desk.own_token(scope=scope)
    own = await desk.own_token(scope="openactive-ordersfeed openactive-openbooking")
    with pytest.raises(InvalidAuthorizationDetailsError):
        await desk.caller(own)
    assert await desk.caller(own, Scope.ORDERS_FEED) == Caller("alice", frozenset())


@pytest.mark.parametrize("grant_type", ["", "password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"])
async def test_other_grant_types_are_refused(desk: Desk, grant_type: str) -> None:
    """The password grant is refused too (RFC 9700 2.4)."""
    form = {"grant_type": grant_type, "username": "ann", "password": "correct horse battery"}
    with pytest.raises(UnsupportedGrantTypeError):
        await desk.provider.tokens.issue(form, basic("alice", "obs_alice"))


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_a_client_can_revoke_its_tokens(desk: Desk, which: Literal["access_token", "refresh_token"]) -> None:
    tokens = await desk.tokens()
    await desk.provider.tokens.revoke({"token": tokens[which]}, basic("bob", "obs_bob"))
    assert await desk.sellers(tokens["access_token"]) == {"centre"}
    await desk.provider.tokens.revoke({"token": tokens[which]}, basic("alice", "obs_alice"))
    assert await dead(desk, tokens)


async def test_revoking_an_unknown_token_is_no_error(desk: Desk) -> None:
    for token in ("x", "obr_x.y", (await desk.tokens())["id_token"]):
        await desk.provider.tokens.revoke({"token": token}, basic("alice", "obs_alice"))
    for form, error in (({}, InvalidRequestError), ({"token": "x"}, InvalidClientError)):
        header = basic("alice", "obs_alice") if not form else basic("alice", "wrong")
        with pytest.raises(OAuthError) as refusal:
            await desk.provider.tokens.revoke(form, header)
        assert isinstance(refusal.value, error)


async def test_no_secret_is_stored(desk: Desk) -> None:
    code, verifier = await desk.code()
    tokens = await desk.exchange(code, verifier)
    (kept,) = await desk.store.find(Authorization)
    for secret in (code, verifier, tokens["access_token"], tokens["refresh_token"], tokens["id_token"]):
        assert secret not in str(kept)
