"""The claims of ID tokens and access tokens."""

import base64
import hashlib
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from msgspec.structs import replace

from support.identity_provider import IDS, SITE, Desk
from support.parties import CENTRE, MANAGER

pytestmark = pytest.mark.anyio

OPENACTIVE = "https://openactive.io/"


async def claims(desk: Desk, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token, verified with the published keys."""
    published = KeySet.import_key_set(await desk.provider.keys.public_keys())
    verified = jwt.decode(token, published, algorithms=["RS256"])
    return verified.header, verified.claims


@pytest.mark.spec("OB-AUTH-29", "OB-AUTH-30")
async def test_the_id_token_describes_the_seller(desk: Desk) -> None:
    tokens = await desk.tokens(nonce="n-1")
    header, told = await claims(desk, tokens["id_token"])
    assert header["alg"] == "RS256"
    assert header["kid"]
    assert told["iss"] == SITE
    assert told["aud"] == "alice"
    assert told["sub"] == IDS.seller("centre")
    assert told["nonce"] == "n-1"
    assert told["exp"] - told["iat"] == 900
    assert told["auth_time"] == told["iat"]
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert told["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert {name.removeprefix(OPENACTIVE): value for name, value in told.items() if name.startswith(OPENACTIVE)} == {
        "sellerId": IDS.seller("centre"),
        "sellerName": CENTRE.name,
        "sellerUrl": CENTRE.properties["url"],
        "bookingServiceName": "Openbooking",
        "bookingServiceUrl": SITE,
    }
    assert "ann" not in json.dumps(told)


@pytest.mark.spec("OB-AUTH-30")
@pytest.mark.parametrize(
    "logo", [{"@type": "ImageObject", "url": "https://x.example/l.png"}, "https://x.example/l.png"]
)
async def test_scopes_select_the_claims_of_an_id_token(desk: Desk, logo: Any) -> None:
    from openbooking.booking.commands.opportunities.publish import PublishSeller  # noqa: PLC0415 - this test's alone

    described = replace(CENTRE, properties={**CENTRE.properties, "logo": logo})
    await desk.bookings.execute(PublishSeller(described, actor=MANAGER))
    _, plain = await claims(desk, (await desk.tokens(scope="openid"))["id_token"])
    assert not [name for name in plain if name.startswith(OPENACTIVE) or name == "name"]
    _, identity = await claims(desk, (await desk.tokens(scope="openid openactive-identity"))["id_token"])
    assert identity[f"{OPENACTIVE}sellerLogo"] == "https://x.example/l.png"
    _, profile = await claims(desk, (await desk.tokens(scope="openid profile"))["id_token"])
    assert (profile["name"], profile["picture"]) == (CENTRE.name, "https://x.example/l.png")


@pytest.mark.spec("OB-AUTH-31", "OB-AUTH-26")
async def test_the_claims_of_an_access_token(desk: Desk) -> None:
    header, told = await claims(desk, (await desk.tokens())["access_token"])
    assert (header["typ"], header["alg"]) == ("at+jwt", "RS256")
    assert (told["iss"], told["aud"], told["client_id"]) == (SITE, f"{SITE}/api", "alice")
    assert told["sub"] == told[f"{OPENACTIVE}sellerId"] == IDS.seller("centre")
    assert told[f"{OPENACTIVE}clientId"] == "alice"
    assert told["exp"] - told["iat"] == 900
    _, own = await claims(desk, await desk.own_token())
    assert own["sub"] == own[f"{OPENACTIVE}clientId"] == "alice"
    assert f"{OPENACTIVE}sellerId" not in own
