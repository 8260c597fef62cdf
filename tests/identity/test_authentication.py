"""Authentication of callers by API key, by access token and by trusted headers."""

import asyncio
import base64
import hmac
import json
from datetime import timedelta
from typing import Any
from unittest.mock import AsyncMock

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from msgspec.structs import replace

from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.booking.model.order import Caller
from openbooking.identity.authentication import ApiKeyAuthentication, TrustedHeaderAuthentication
from openbooking.identity.digests import digest
from openbooking.identity.oauth.claims import ClaimWriter, InvalidAccessTokenError
from openbooking.identity.partners.grants import agree, give, resume, revoke, suspend
from openbooking.identity.records import EVERY_SELLER, Authorization, IdentityRecord, Partner
from openbooking.identity.scopes import Scope
from openbooking.openactive.errors import (
    InvalidAPITokenError,
    InvalidAuthorizationDetailsError,
    NoAPITokenError,
    UnauthenticatedError,
)
from openbooking.openactive.ids import Identifiers
from support.identity_provider import IDS, POLICY, SITE, Desk, partner, signing_key

pytestmark = pytest.mark.anyio

BOOKING = give(frozenset({Scope.OPENBOOKING}))


def part(value: dict[str, Any]) -> str:
    return raw(json.dumps(value).encode())


def raw(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@pytest.mark.spec("OB-AUTH-12", "OB-AUTH-13")
@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, NoAPITokenError),
        ({"x-api-key": "obk_alice"}, NoAPITokenError),
        ({"authorization": ""}, InvalidAPITokenError),
        ({"authorization": "Bearer"}, InvalidAPITokenError),
        ({"authorization": "Bearer "}, InvalidAPITokenError),
        ({"authorization": "Bearer obk_nobody"}, InvalidAPITokenError),
        ({"authorization": "Bearer obs_alice"}, InvalidAPITokenError),
        ({"authorization": "Basic obk_alice"}, InvalidAPITokenError),
        ({"authorization": "obk_alice"}, InvalidAPITokenError),
    ],
)
async def test_malformed_and_unknown_api_keys_are_refused(
    desk: Desk, headers: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await ApiKeyAuthentication(desk.store, desk.provider.last_use_recorder, desk.clock)(headers, Scope.OPENBOOKING)


@pytest.mark.spec("OB-AUTH-02", "OB-AUTH-04", "OB-AUTH-05")
async def test_an_api_key_authenticates_its_partner_for_its_sellers(desk: Desk) -> None:
    by_api_key = ApiKeyAuthentication(desk.store, desk.provider.last_use_recorder, desk.clock)
    for grants, sellers, barred in (
        ([], frozenset(), frozenset()),
        ([("centre", BOOKING)], {"centre"}, frozenset()),
        ([("centre", suspend)], frozenset(), frozenset()),
        ([("centre", resume), ("studio", BOOKING)], {"centre", "studio"}, frozenset()),
        ([("studio", revoke)], {"centre"}, frozenset()),
        ([(EVERY_SELLER, BOOKING)], None, {"studio"}),
        ([("studio", BOOKING)], None, frozenset()),
        ([(EVERY_SELLER, revoke)], {"centre", "studio"}, frozenset()),
    ):
        for seller, change in grants:
            await desk.provider.grants.change("alice", seller, change, "administrator")
        caller = await by_api_key({"authorization": "bearer obk_alice"}, Scope.OPENBOOKING)
        assert caller == Caller("alice", None if sellers is None else frozenset(sellers), frozenset(barred))
    bob = await by_api_key({"authorization": "Bearer obk_bob"}, Scope.OPENBOOKING)
    assert bob == Caller("bob", frozenset())


async def test_a_grant_without_the_booking_scope_allows_no_bookings(desk: Desk) -> None:
    await desk.provider.grants.change("alice", "centre", give(frozenset({Scope.OPENID})), "ann")
    caller = await ApiKeyAuthentication(desk.store, desk.provider.last_use_recorder, desk.clock)(
        {"authorization": "Bearer obk_alice"}, Scope.OPENBOOKING
    )
    assert caller.sellers == frozenset()


@pytest.mark.spec("OB-AUTH-08")
async def test_a_new_key_replaces_the_old_one_for_the_same_partner(desk: Desk) -> None:
    (alice,) = await desk.store.find(Partner, key="alice")
    await desk.store.save(replace(alice, api_key_digest=digest("obk_new")))
    by_api_key = ApiKeyAuthentication(desk.store, desk.provider.last_use_recorder, desk.clock)
    with pytest.raises(InvalidAPITokenError):
        await by_api_key({"authorization": "Bearer obk_alice"}, Scope.OPENBOOKING)
    assert (await by_api_key({"authorization": "Bearer obk_new"}, Scope.OPENBOOKING)).partner == "alice"


async def test_a_suspended_partner_reads_its_feeds_and_does_nothing_else(desk: Desk) -> None:
    tokens, own = await desk.tokens(), await desk.own_token()
    (alice,) = await desk.store.find(Partner, key="alice")
    await desk.store.save(replace(alice, suspended=True))
    with pytest.raises(InvalidAuthorizationDetailsError):
        await desk.caller(tokens["access_token"])
    assert await desk.sellers("obk_alice") == set()
    assert (await desk.caller(own, Scope.ORDERS_FEED)).partner == "alice"
    (alice,) = await desk.store.find(Partner, key="alice")
    await desk.store.save(replace(alice, suspended=False))
    assert await desk.sellers(tokens["access_token"]) == {"centre"}


@pytest.mark.spec("OB-AUTH-12")
async def test_a_missing_access_token_has_its_own_error(desk: Desk) -> None:
    with pytest.raises(UnauthenticatedError):
        await desk.provider.authenticate_access_token({}, Scope.OPENBOOKING)
    await desk.provider.grants.change("alice", "centre", BOOKING, "administrator")
    assert await desk.sellers("obk_alice") == {"centre"}
    with pytest.raises(InvalidAPITokenError):
        await desk.caller("obk_nobody")


@pytest.mark.spec("OB-AUTH-13", "OB-AUTH-26")
async def test_an_access_token_lasts_a_quarter_of_an_hour_and_a_little(desk: Desk) -> None:
    """Clocks of several machines may differ by half a minute."""
    token = (await desk.tokens())["access_token"]
    for seconds, good in ((-29, True), (-31, False), (900 + 29, True), (900 + 31, False)):
        desk.clock.move(timedelta(seconds=seconds))
        if good:
            assert await desk.sellers(token) == {"centre"}
        else:
            with pytest.raises(InvalidAuthorizationDetailsError):
                await desk.caller(token)
        desk.clock.move(timedelta(seconds=-seconds))


async def forged(desk: Desk) -> dict[str, str]:
    """Return tokens that another issuer has made, or that were altered."""
    token = (await desk.tokens())["access_token"]
    header, payload, signature = token.split(".")
    ours, theirs = signing_key(), RSAKey.generate_key(2048)
    public = RSAKey.import_key(dict(ours.jwk)).as_pem(private=False)
    told = json.loads(base64.urlsafe_b64decode(payload + "=="))
    confused = f"{part({'alg': 'HS256', 'kid': ours.kid, 'typ': 'at+jwt'})}.{payload}"
    mac = hmac.digest(public, confused.encode(), "sha256")
    other = {**told, "client_id": "bob"}
    rs256, typ = {"alg": "RS256", "kid": ours.kid, "typ": "at+jwt"}, {"typ": "at+jwt"}
    return {
        "no token": "x",
        "empty": "..",
        "not ascii": token + "\u00e9",
        "without signature": f"{header}.{payload}.",
        "alg none": f"{part({**rs256, 'alg': 'none'})}.{payload}.",
        "alg None": f"{part({**rs256, 'alg': 'None'})}.{payload}.{signature}",
        "other claims": f"{header}.{part(other)}.{signature}",
        "HS256 with our public key": f"{confused}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}",
        "signed by another": jwt.encode(rs256, told, theirs, algorithms=["RS256"]),
        "another key": jwt.encode({**rs256, "kid": "x"}, told, theirs, algorithms=["RS256"]),
        "its own key": jwt.encode({**rs256, "jwk": theirs.as_dict(private=False)}, told, theirs, algorithms=["RS256"]),
        "another algorithm": jwt.encode(
            {**rs256, "alg": "PS256"}, told, RSAKey.import_key({**ours.jwk, "alg": "PS256"}), algorithms=["PS256"]
        ),
        "an ID token": (await desk.tokens())["id_token"],
        "typ JWT": await desk.provider.keys.sign("JWT", told),
        "another audience": await desk.provider.keys.sign("at+jwt", {**told, "aud": "https://else.example/api"}),
        "another issuer": await desk.provider.keys.sign("at+jwt", {**told, "iss": "https://else.example"}),
        "for ever": await desk.provider.keys.sign("at+jwt", {n: v for n, v in told.items() if n != "exp"}),
        "exp no number": await desk.provider.keys.sign("at+jwt", {**told, "exp": "9999999999"}),
        **{
            f"Seller {seller!r}": await desk.provider.keys.sign(
                "at+jwt", {**told, "https://openactive.io/sellerId": seller}
            )
            for seller in ("", None, 1, "centre", IDS.seller("studio"), f"{IDS.base_uri}/identifiers/seller")
        },
        "unknown authorization": await desk.provider.keys.sign("at+jwt", {**told, "authorization": "x"}),
        "unknown client": await desk.provider.keys.sign("at+jwt", {**told, "client_id": "nobody"}),
        "half a character": f"{part({**rs256, 'kid': chr(0xD800)})}.{payload}.{signature}",
        "NUL": f"{part({**rs256, 'kid': chr(0)})}.{payload}.{signature}",
        "kid no text": f"{part({**rs256, 'kid': [1]})}.{payload}.{signature}",
        "crit": f"{part({**rs256, 'crit': 1})}.{payload}.{signature}",
        "header no object": f"{raw(b'[]')}.{payload}.{signature}",
        "deep": f"{raw(b'[' * 9000)}.{payload}.{signature}",
        "five parts": f"{header}....",
        "no kid": jwt.encode({"alg": "RS256", **typ}, told, theirs, algorithms=["RS256"]),
    }


@pytest.mark.spec("OB-AUTH-13")
async def test_tokens_of_other_issuers_are_refused(desk: Desk) -> None:
    for what, token in (await forged(desk)).items():
        refusal = (await asyncio.gather(desk.caller(token), return_exceptions=True))[0]
        assert isinstance(refusal, InvalidAuthorizationDetailsError), what


async def test_a_token_of_the_single_seller_is_void_with_several_sellers(desk: Desk) -> None:
    """The `@id` of its Seller is unknown then, which does not make it a token of the client itself."""
    tokens = await desk.tokens()
    before = ClaimWriter(POLICY, Identifiers(IDS.base_uri, "centre"), None)
    (authorization,) = await desk.store.find(Authorization)
    told = before.access_token(authorization, authorization.scopes, desk.clock())
    assert before.read_access_token(told).seller == "centre"
    with pytest.raises(InvalidAccessTokenError):
        ClaimWriter(POLICY, IDS, None).read_access_token(told)
    token = await desk.provider.keys.sign("at+jwt", told)
    for scope in Scope:
        with pytest.raises(InvalidAuthorizationDetailsError):
            await desk.caller(token, scope)
    assert await desk.sellers(tokens["access_token"]) == {"centre"}


async def test_the_last_use_of_a_partner_is_accurate_to_a_quarter_of_an_hour(desk: Desk) -> None:
    await desk.store.save(partner("carol"))
    for minutes, noted in ((0, 0), (10, 0), (6, 16)):
        desk.clock.move(timedelta(minutes=minutes))
        await desk.caller("obk_carol", Scope.ORDERS_FEED)
        await desk.provider.last_use_recorder.wait_until_written()
        (carol,) = await desk.store.find(Partner, key="carol")
        assert carol.last_used
        assert carol.last_used == carol.registered + timedelta(minutes=noted)


async def test_one_of_several_concurrent_requests_records_the_use(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.store.save(partner("carol"))
    saved: list[IdentityRecord] = []
    all_ask, save = asyncio.Event(), desk.store.save

    async def slowly(*records: IdentityRecord) -> bool:
        saved.extend(records)
        await all_ask.wait()
        return await save(*records)

    monkeypatch.setattr(desk.store, "save", slowly)
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(desk.caller("obk_carol", Scope.ORDERS_FEED))
    all_ask.set()
    await desk.provider.last_use_recorder.wait_until_written()
    assert len(saved) == 1


async def test_a_use_that_was_not_written_is_written_by_the_next_request(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = partner("carol")
    await desk.store.save(carol)
    with monkeypatch.context() as patched:
        patched.setattr(desk.store, "save", AsyncMock(return_value=False))
        await desk.caller("obk_carol", Scope.ORDERS_FEED)
        await desk.provider.last_use_recorder.wait_until_written()
    await desk.caller("obk_carol", Scope.ORDERS_FEED)
    await desk.provider.last_use_recorder.wait_until_written()
    (found,) = await desk.store.find(Partner, key="carol")
    assert found.last_used == carol.registered


@pytest.mark.spec("OB-AUTH-12")
async def test_trusted_headers() -> None:
    by_headers = TrustedHeaderAuthentication("X-Partner", "X-Seller", IDS)
    assert (await by_headers({"X-Partner": "alice"}, Scope.OPENBOOKING)).sellers is None
    seller = {"X-Partner": "alice", "X-Seller": IDS.seller("centre")}
    assert await by_headers(seller, Scope.OPENBOOKING) == Caller("alice", frozenset({"centre"}))
    with pytest.raises(UnauthenticatedError):
        await by_headers({"X-Seller": IDS.seller("centre")}, Scope.OPENBOOKING)
    with pytest.raises(InvalidAuthorizationDetailsError):
        await by_headers({"X-Partner": "alice", "X-Seller": f"{SITE}/centre"}, Scope.OPENBOOKING)


OVERRIDES, HALL = GrantTerms(offer_overrides=True), GrantTerms(venues=frozenset({"Hall"}))


def agreed(caller: Caller) -> tuple[GrantTerms, GrantTerms]:
    """Return the terms of the caller with the centre and with the studio."""
    return caller.terms_with("centre"), caller.terms_with("studio")


@pytest.mark.spec("OB-OVR-01", "OB-DYN-01", "OB-AUTH-05")
async def test_an_api_key_has_the_terms_of_each_seller(desk: Desk) -> None:
    """The own grant of a Seller replaces the grant for all Sellers completely. An inactive grant has no terms."""
    by_api_key = ApiKeyAuthentication(desk.store, desk.provider.last_use_recorder, desk.clock)
    for seller, change, terms in (
        ("centre", BOOKING, (NO_TERMS, NO_TERMS)),
        ("centre", agree(lambda _: OVERRIDES), (OVERRIDES, NO_TERMS)),
        (EVERY_SELLER, BOOKING, (OVERRIDES, NO_TERMS)),
        (EVERY_SELLER, agree(lambda _: HALL), (OVERRIDES, HALL)),
        ("centre", agree(lambda _: NO_TERMS), (NO_TERMS, HALL)),
        ("centre", agree(lambda _: HALL), (HALL, HALL)),
        (EVERY_SELLER, suspend, (HALL, NO_TERMS)),
        (EVERY_SELLER, resume, (HALL, HALL)),
        ("studio", suspend, (HALL, HALL)),
        (EVERY_SELLER, agree(lambda _: OVERRIDES), (HALL, OVERRIDES)),
        (EVERY_SELLER, revoke, (HALL, NO_TERMS)),
    ):
        await desk.provider.grants.change("alice", seller, change, "administrator")
        caller = await by_api_key({"authorization": "Bearer obk_alice"}, Scope.OPENBOOKING)
        assert agreed(caller) == terms
    assert agreed(await desk.caller("obk_bob")) == (NO_TERMS, NO_TERMS)


@pytest.mark.spec("OB-OVR-01", "OB-DYN-01", "OB-AUTH-24")
async def test_an_access_token_has_the_present_terms_of_its_seller(desk: Desk) -> None:
    token = (await desk.tokens())["access_token"]
    change = desk.provider.grants.change
    assert agreed(await desk.caller(token)) == (NO_TERMS, NO_TERMS)
    await change("alice", EVERY_SELLER, BOOKING, "administrator")
    await change("alice", EVERY_SELLER, agree(lambda _: HALL), "administrator")
    assert (await desk.caller(token)).terms_with("centre") == NO_TERMS
    await change("alice", "centre", agree(lambda _: OVERRIDES), "ann")
    caller = await desk.caller(token)
    assert (caller.terms_with("centre"), caller.sellers) == (OVERRIDES, frozenset({"centre"}))


@pytest.mark.spec("OB-OVR-01", "OB-DYN-01")
async def test_trusted_headers_have_no_terms() -> None:
    caller = await TrustedHeaderAuthentication("p", "s", IDS)({"p": "alice"}, Scope.OPENBOOKING)
    assert agreed(caller) == (NO_TERMS, NO_TERMS)
