"""Validation of access tokens: signature, audience and lifetime."""

import asyncio
import base64
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from openbooking.identity.oauth.claims import ClaimWriter, InvalidAccessTokenError
from openbooking.identity.records import Authorization
from openbooking.identity.scopes import Scope
from openbooking.openactive.errors import (
    InvalidAuthorizationDetailsError,
)
from openbooking.openactive.ids import Identifiers
from support.identity_provider import IDS, POLICY, Desk, signing_key

pytestmark = pytest.mark.anyio


def part(value: dict[str, Any]) -> str:
    return raw(json.dumps(value).encode())


def raw(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@pytest.mark.spec("OB-AUTH-13", "OB-AUTH-26")
async def test_an_access_token_is_valid_for_15_minutes_plus_clock_skew(desk: Desk) -> None:
    """The clocks of several machines may differ by half a minute."""
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


async def test_a_token_of_the_single_seller_is_invalid_with_several_sellers(desk: Desk) -> None:
    """The `@id` of its Seller is unknown then. The token does not become a token of the client itself."""
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
