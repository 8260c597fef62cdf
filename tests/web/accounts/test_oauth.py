"""The OpenID provider over HTTP: with the client of Authlib, and with invalid requests."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.errors import InvalidClaimError
from joserfc.jwk import KeySet

from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.order import OrderKey
from openbooking.booking.store import StoreUnavailableError
from openbooking.identity.oauth.registration import Registration
from openbooking.identity.records import Partner, RegistrationToken
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from support.authlib_client import AsyncOAuth2Client, CodeIDToken
from support.browsers.form_browser import Visitor
from support.builders import UUID
from support.http_system import SITE, YOGA, World, open_world
from support.identity_provider import PASSWORD, basic
from support.parties import MANAGER
from support.validators import Validator

pytestmark = pytest.mark.anyio

SCOPE = "openid offline_access openactive-openbooking"
URI = "https://alice.example.com/cb"
OPENACTIVE = "https://openactive.io/"


@pytest.fixture
async def provider(world_settings: dict[str, str], tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System with an OpenID provider, on each store."""
    async with open_world(folder=tmp_path, access="openid", **world_settings) as world:
        yield world


@pytest.fixture
async def sqlite_provider(tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System with an OpenID provider on SQLite, for tests that do not depend on the store."""
    async with open_world("sqlite", tmp_path, access="openid") as world:
        yield world


def client_of(world: World, *credentials: str, **options: Any) -> AsyncOAuth2Client:
    """Return a client of Authlib with these credentials, by default those of alice."""
    client_id, secret = credentials or ("alice", "obs_alice")
    return AsyncOAuth2Client(
        client_id,
        secret,
        redirect_uri=URI,
        scope=SCOPE,
        code_challenge_method="S256",
        transport=world.client._transport,
        **options,
    )


async def authorised(world: World, client: AsyncOAuth2Client, name: str = "ann", **options: Any) -> dict[str, Any]:
    """Give consent in a browser, and return the tokens."""
    verifier = "v" * 48
    url, state = client.create_authorization_url(f"{SITE}/oauth/authorize", code_verifier=verifier, **options)
    visitor = Visitor(world.client)
    page = await visitor.sign_in(name, PASSWORD, url)
    if not page.left_for:
        page = await visitor.send(page, "/oauth/consent", "allow")
    tokens: dict[str, Any] = await client.fetch_token(
        f"{SITE}/oauth/token", authorization_response=page.left_for, code_verifier=verifier, state=state
    )
    return tokens


async def call(world: World, method: str, path: str, token: str, body: Any = None) -> httpx2.Response:
    """Send a request to the API with a token."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": BOOKING_MEDIA_TYPE}
    return await world.client.request(method, f"/api/{path}", json=body, headers=headers)


@pytest.mark.spec("OB-AUTH-32")
async def test_discovery_names_every_endpoint(provider: World) -> None:
    found = (await provider.client.get("/.well-known/openid-configuration")).json()
    assert found["issuer"] == SITE
    assert (await provider.client.get("/.well-known/oauth-authorization-server")).json() == found
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["id_token_signing_alg_values_supported"] == ["RS256"]
    assert set(found["scopes_supported"]) >= {"openid", "offline_access", "openactive-openbooking"}
    for name in ("authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint"):
        assert urlsplit(found[name]).netloc == urlsplit(SITE).netloc
        reply = await provider.client.request("PUT", found[name])
        assert reply.status_code == 405
    (key,) = (await provider.client.get(found["jwks_uri"])).json()["keys"]
    assert "d" not in key


@pytest.mark.spec("OB-AUTH-03", "OB-AUTH-24", "OB-AUTH-28", "OB-AUTH-30", "OB-AUTH-32")
async def test_a_standard_client_authorises_books_refreshes_and_revokes(provider: World) -> None:
    async with client_of(provider) as client:
        tokens = await authorised(provider, client, nonce="n-1")
        keys = KeySet.import_key_set((await provider.client.get("/oauth/jwks")).json())
        token = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"])
        claims = CodeIDToken(
            token.claims,
            token.header,
            {"iss": {"value": SITE}, "aud": {"value": "alice"}, "sub": {"value": provider.ids.seller("centre")}},
            {"nonce": "n-1", "client_id": "alice", "access_token": tokens["access_token"]},
        )
        claims.validate(now=int(provider.clock().timestamp()))
        assert claims[f"{OPENACTIVE}sellerId"] == provider.ids.seller("centre")
        body = provider.order(provider.item(YOGA))
        for path, sent, status in (
            (f"order-quotes/{UUID}", {**body, "@type": "OrderQuote"}, 200),
            (f"orders/{UUID}", body, 201),
        ):
            assert (await call(provider, "PUT", path, tokens["access_token"], sent)).status_code == status
        fresh = await client.refresh_token(f"{SITE}/oauth/token", refresh_token=tokens["refresh_token"])
        assert fresh["refresh_token"] != tokens["refresh_token"]
        assert (await call(provider, "GET", f"orders/{UUID}", fresh["access_token"])).status_code == 200
        revoke: Any = client.revoke_token  # its stub names no types
        revoked = await revoke(f"{SITE}/oauth/revoke", token=fresh["refresh_token"])
        assert revoked.status_code == 200
        refused = await call(provider, "GET", f"orders/{UUID}", fresh["access_token"])
        assert refused.status_code == 401
        assert refused.json()["@type"] == "InvalidAuthorizationDetailsError"
        assert refused.headers["www-authenticate"].startswith("Bearer ")


async def test_a_client_detects_an_injected_access_token(sqlite_provider: World) -> None:
    """The ID token contains the `at_hash` of its access token (RFC 9700 4.6)."""
    async with client_of(sqlite_provider) as client:
        anns, bens = [await authorised(sqlite_provider, client, name) for name in ("ann", "ben")]
    keys = KeySet.import_key_set((await sqlite_provider.client.get("/oauth/jwks")).json())
    token = jwt.decode(anns["id_token"], keys, algorithms=["RS256"])
    came, slipped_in = (
        CodeIDToken(token.claims, token.header, {}, {"client_id": "alice", "access_token": tokens["access_token"]})
        for tokens in (anns, bens)
    )
    now = int(sqlite_provider.clock().timestamp())
    came.validate(now)
    with pytest.raises(InvalidClaimError, match="at_hash"):
        slipped_in.validate(now)


@pytest.mark.spec("OB-AUTH-25")
async def test_a_standard_client_reads_its_orders_feed(provider: World) -> None:
    async with client_of(provider) as client:
        tokens = await authorised(provider, client)
        await call(provider, "PUT", f"orders/{UUID}", tokens["access_token"], provider.order(provider.item(YOGA)))
        await provider.store.execute(SellerCancel(order=OrderKey("alice", UUID), actor=MANAGER))
        own = await client.fetch_token(
            f"{SITE}/oauth/token", grant_type="client_credentials", scope="openactive-ordersfeed"
        )
        page = (await call(provider, "GET", "orders-rpde", own["access_token"])).json()
        assert [item["id"] for item in page["items"]] == [UUID]
        booking = await call(provider, "GET", f"orders/{UUID}", own["access_token"])
        assert (booking.status_code, booking.json()["@type"]) == (401, "InvalidAuthorizationDetailsError")


@pytest.mark.spec("OB-AUTH-32")
async def test_a_user_who_agreed_is_not_asked_again_over_http(provider: World) -> None:
    async with client_of(provider) as client:
        await authorised(provider, client)
        url, _ = client.create_authorization_url(f"{SITE}/oauth/authorize", code_verifier="v" * 48)
        page = await Visitor(provider.client).sign_in("ann", PASSWORD, url)
        assert page.left_for.startswith(f"{URI}?code=")


@pytest.mark.spec("OB-AUTH-04", "OB-AUTH-20", "OB-AUTH-33")
async def test_a_client_that_registers_itself_is_authorised(provider: World) -> None:
    token = await Registration(provider.identity, provider.clock).new_token("kit", None, None)
    metadata = {"redirect_uris": [URI], "client_name": "New App", "scope": SCOPE}
    headers = {"Authorization": f"Bearer {token}"}
    reply = await provider.client.post("/oauth/register", json=metadata, headers=headers)
    assert reply.status_code == 201
    assert reply.headers["cache-control"] == "no-store"
    registered = reply.json()
    async with client_of(provider, registered["client_id"], registered["client_secret"]) as client:
        tokens = await authorised(provider, client)
        body = {**provider.quote(provider.item(YOGA)), "@type": "OrderQuote"}
        path = f"order-quote-templates/{UUID}"
        assert (await call(provider, "PUT", path, tokens["access_token"], body)).status_code == 200
    posting = {"token_endpoint_auth_method": "client_secret_post"}
    async with client_of(provider, registered["client_id"], registered["client_secret"], **posting) as client:
        own = await client.fetch_token(
            f"{SITE}/oauth/token", grant_type="client_credentials", scope="openactive-ordersfeed"
        )
        assert own


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer x", "Basic eDp5", "Bearer obk_alice"])
async def test_registration_needs_a_token(sqlite_provider: World, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    reply = await sqlite_provider.client.post("/oauth/register", json={"redirect_uris": [URI]}, headers=headers)
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_token")
    assert reply.headers["www-authenticate"].startswith("Bearer")
    assert len(await sqlite_provider.identity.find(Partner)) == 3


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'"x"', b"{}", b"[" * 100_000, b"x" * 30_000])
async def test_invalid_registrations_are_refused(sqlite_provider: World, body: bytes) -> None:
    token = await Registration(sqlite_provider.identity, sqlite_provider.clock).new_token("kit", None, None)
    headers = {"Authorization": f"Bearer {token}"}
    reply = await sqlite_provider.client.post("/oauth/register", content=body, headers=headers)
    assert reply.status_code in (400, 413)
    assert reply.json()["error"].startswith("invalid_")
    (kept,) = await sqlite_provider.identity.find(RegistrationToken)
    assert kept.uses == 0


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content", "content_type", "query", "expected"),
    [
        (b"grant_type=client_credentials", FORM, "", (200, None)),
        (b"grant_type=client_credentials", f"{FORM}; charset=utf-8", "", (200, None)),
        (b"grant_type=client_credentials&grant_type=client_credentials", FORM, "", (400, "invalid_request")),
        (b"grant_type=client_credentials", FORM, "?grant_type=client_credentials", (400, "invalid_request")),
        (b'{"grant_type": "client_credentials"}', "application/json", "", (400, "invalid_request")),
        (b"", FORM, "", (400, "unsupported_grant_type")),
        (b"grant_type=client_credentials&scope=openid", FORM, "", (400, "invalid_scope")),
        (b"grant_type=client_credentials&scope=openactive-openbooking", FORM, "", (400, "invalid_scope")),
        (b"&".join(b"a%d=1" % n for n in range(99)), FORM, "", (400, "invalid_request")),
        (b"x=" + b"y" * 30_000, FORM, "", (413, "invalid_request")),
        (b"grant_type=authorization_code&code=%ff%fe", FORM, "", (400, "invalid_grant")),
    ],
)
async def test_the_token_endpoint_refuses_invalid_requests(
    sqlite_provider: World, content: bytes, content_type: str, query: str, expected: tuple[int, str | None]
) -> None:
    headers = {"Authorization": basic("alice", "obs_alice"), "Content-Type": content_type}
    reply = await sqlite_provider.client.post(f"/oauth/token{query}", content=content, headers=headers)
    assert (reply.status_code, reply.json().get("error")) == expected
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["content-type"] == "application/json"


async def test_an_unknown_client_receives_a_challenge(sqlite_provider: World) -> None:
    for headers in ({}, {"Authorization": basic("alice", "x")}):
        reply = await sqlite_provider.client.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, headers=headers
        )
        assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")
        assert reply.headers["www-authenticate"].startswith("Basic")


async def test_text_with_nul_is_an_error_of_the_client(provider: World) -> None:
    headers = {"Content-Type": FORM}
    for sent in (b"client_secret=x&client_id=%00", b"client_secret=obs_alice&client_id=alice&code=obc_x.%00"):
        content = b"grant_type=authorization_code&" + sent
        reply = await provider.client.post("/oauth/token", content=content, headers=headers)
        assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")
    for client in ("a\0", "a%00"):
        reply = await provider.client.post("/oauth/token", headers={**headers, "Authorization": basic(client, "x")})
        assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")
    assert (await provider.client.get("/oauth/authorize?client_id=%00")).status_code == 400
    assert (await Visitor(provider.client).sign_in("ann\0", PASSWORD)).status == 400


async def test_the_authorization_endpoint_accepts_post(sqlite_provider: World) -> None:
    """The authorization endpoint takes its parameters from a form too (OpenID Connect Core 3.1.2.1)."""
    async with client_of(sqlite_provider) as client:
        url, _ = client.create_authorization_url(f"{SITE}/oauth/authorize", code_verifier="v" * 48)
    query = {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}
    visitor = Visitor(sqlite_provider.client)
    page = await visitor.post("/oauth/authorize", query)
    page = await visitor.send(page, "/sign-in", username="ann", password=PASSWORD)
    page = await visitor.send(page, "/oauth/consent", "deny")
    assert parse_qs(urlsplit(page.left_for).query)["error"] == ["access_denied"]


@pytest.mark.spec("OB-AUTH-32", "OB-DISC-01")
async def test_the_dataset_site_names_the_openid_provider(provider: World, validator: Validator) -> None:
    page = (await provider.client.get("/openactive")).text
    dataset = json.loads(page.partition('<script type="application/ld+json">')[2].partition("</script>")[0])
    assert dataset["accessService"]["authenticationAuthority"] == SITE
    assert validator.failures("DatasetSite", dataset) == []


@pytest.mark.parametrize(
    ("access", "header", "paths"),
    [
        ("api-key", "", {"/sign-in": 200, "/oauth/jwks": 404, "/registration": 404}),
        ("headers", "X-Partner", {"/sign-in": 404, "/oauth/jwks": 404, "/partners": 404, "/pages.css": 404}),
    ],
)
async def test_other_access_modes_have_no_openid_provider(
    tmp_path: Path, access: str, header: str, paths: dict[str, int]
) -> None:
    async with open_world("sqlite", tmp_path, access=access, trusted_partner_header=header) as world:
        for path, status in paths.items():
            assert (await world.client.get(path)).status_code == status
        page = (await world.client.get("/openactive")).text
        assert "authenticationAuthority" not in page
        assert (await world.client.get("/.well-known/openid-configuration")).status_code == 404


async def test_an_unavailable_database_is_reported_in_the_format_of_the_client(
    sqlite_provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*args: Any, **lookups: Any) -> Any:
        raise StoreUnavailableError("the disk is full")

    monkeypatch.setattr(sqlite_provider.identity, "find", away)
    reply = await sqlite_provider.client.post(
        "/oauth/token", data={"grant_type": "x"}, headers={"Authorization": basic("a", "b")}
    )
    assert (reply.status_code, reply.json()["error"]) == (503, "temporarily_unavailable")
    assert int(reply.headers["retry-after"]) > 0
    page = await sqlite_provider.client.get("/oauth/authorize?client_id=alice")
    assert page.status_code == 503
    assert int(page.headers["retry-after"]) > 0
    assert page.headers["content-type"].startswith("text/html")
