"""Registration of Booking Partners by themselves, with a token of an administrator."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.identity.oauth.errors import InvalidClientMetadataError, InvalidRedirectUriError, InvalidTokenError
from openbooking.identity.oauth.registration import read_metadata, write_registration
from openbooking.identity.records import IdentityRecord, Partner, RegistrationToken
from support.identity_provider import Desk, basic

pytestmark = pytest.mark.anyio

METADATA = {"redirect_uris": ["https://app.example.com/cb"], "client_name": "App"}
# The metadata that the Test Suite sends.
SUITE = {
    "redirect_uris": ["http://localhost:3000/cb"],
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "client_name": "OpenActive Test Suite Client",
    "client_uri": "https://github.com/openactive/openactive-test-suite",
    "logo_uri": "https://via.placeholder.com/512x256.png?text=Logo",
    "scope": "openid profile openactive-openbooking openactive-ordersfeed oauth-dymamic-client-update",
}


@pytest.mark.spec("OB-AUTH-20", "OB-AUTH-33")
@pytest.mark.parametrize("metadata", [METADATA, SUITE])
async def test_a_token_registers_several_partners(desk: Desk, metadata: dict[str, Any]) -> None:
    registration = desk.provider.registration
    token = await registration.new_token("Acme Ltd", None, None)
    keys = set()
    for _ in range(3):
        registered = await registration.register(token, metadata)
        told = write_registration(registered)
        keys.add(told["client_id"])
        assert told["client_secret"].startswith("obs_")
        assert told["client_secret_expires_at"] == 0
        assert told["redirect_uris"] == metadata["redirect_uris"]
        form = {"grant_type": "client_credentials", "scope": "openactive-ordersfeed"}
        assert await desk.provider.tokens.issue(form, basic(told["client_id"], told["client_secret"]))
        (partner,) = await desk.store.find(Partner, key=told["client_id"])
        assert partner.name == metadata["client_name"]
        assert partner.registered_by == "registration token Acme Ltd"
        assert partner.registered == desk.clock()
        assert told["client_secret"] not in str(partner)
    assert len(keys) == 3
    (kept,) = await desk.store.find(RegistrationToken)
    assert kept.uses == 3
    assert token not in str(kept)


async def test_registration_tokens_expire_are_used_up_and_are_revoked(desk: Desk) -> None:
    registration = desk.provider.registration
    once = await registration.new_token("a", None, 1)
    await registration.register(once, METADATA)
    short = await registration.new_token("b", timedelta(days=1), None)
    await registration.check_token(short)
    desk.clock.move(timedelta(days=1))
    withdrawn = await registration.new_token("c", None, None)
    kept = await registration.check_token(withdrawn)
    await desk.store.remove(RegistrationToken, digest=kept.digest)
    for token in (once, short, withdrawn, "", "obi_x"):
        with pytest.raises(InvalidTokenError):
            await registration.register(token, METADATA)
    assert len(await desk.store.find(Partner)) == 3


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "app.example.com/cb",
        "/cb",
        "http://app.example.com/cb",
        "http://localhost.evil.example/cb",
        "https:///cb",
        "https://app.example.com/cb#",
        "https://app.example.com/cb#x",
        "https://user@app.example.com/cb",
        "https://*.example.com/cb",
        "https://app.example.com/ cb",
        "https://app.example.com/cb; script-src *",
        "https://app.\u00e9xample.com/cb",
        "https://[::1/cb",
        "https://@app.example.com/cb",
        "https://app.example.com:secret@evil.example/cb",
        "https://app.example.com\\@evil.example/cb",
        "https://app.example.com\\cb",
        "https://app.example.com:99999/cb",
        "https://app.example.com:0/cb",
        "https://app.example.com:x/cb",
        "https://app.example.com:/cb",
        "https://app.exam\nple.com/cb",
        "https://app.example.com/cb\r\n",
        "https://app.example.com/\tcb",
        "https://app.example.com/\x00",
        "https://app%2eexample.com/cb",
        " https://app.example.com/cb",
        "\ud800",
        "https://app.example.com/\ud800",
        "javascript:alert(1)",
        "data:text/html,x",
        "com.example.app:/cb",
    ],
)
async def test_other_redirect_uris_are_refused(uri: str) -> None:
    with pytest.raises(InvalidRedirectUriError):
        read_metadata({"redirect_uris": ["https://app.example.com/cb", uri]})


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com/cb?x=1&y=%20(z)",
        "https://App.example.com:8443",
        "https://[2001:db8::1]:8443/cb",
        "http://localhost:3000/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:3000/cb",
    ],
)
async def test_https_and_localhost_redirect_uris_are_accepted(uri: str) -> None:
    assert read_metadata({"redirect_uris": [uri]})["redirect_uris"] == (uri,)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uris": None}, InvalidRedirectUriError),
        ({"redirect_uris": []}, InvalidRedirectUriError),
        ({"redirect_uris": "https://app.example.com/cb"}, InvalidRedirectUriError),
        ({"redirect_uris": [1]}, InvalidRedirectUriError),
        ({"redirect_uris": ["https://app.example.com/cb"] * 11}, InvalidRedirectUriError),
        ({"token_endpoint_auth_method": "none"}, InvalidClientMetadataError),
        ({"token_endpoint_auth_method": ["client_secret_basic"]}, InvalidClientMetadataError),
        ({"response_types": ["token"]}, InvalidClientMetadataError),
        ({"grant_types": ["implicit"]}, InvalidClientMetadataError),
        ({"grant_types": "authorization_code"}, InvalidClientMetadataError),
        ({"client_name": 1}, InvalidClientMetadataError),
        ({"client_name": "x" * 501}, InvalidClientMetadataError),
        ({"client_name": "App\n"}, InvalidClientMetadataError),
        ({"client_uri": "javascript:alert(1)"}, InvalidClientMetadataError),
        ({"client_uri": "https://["}, InvalidClientMetadataError),
        ({"client_uri": "https://"}, InvalidClientMetadataError),
        ({"logo_uri": "https://["}, InvalidClientMetadataError),
        ({"client_name": "\ud800"}, InvalidClientMetadataError),
        ({"contacts": [None]}, InvalidClientMetadataError),
        ({"contacts": ["\ud800"]}, InvalidClientMetadataError),
        ({"contacts": ["kit@example.com\n"]}, InvalidClientMetadataError),
    ],
)
def test_wrong_metadata_is_refused(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        read_metadata({**METADATA, **changes})


def test_metadata_must_be_an_object() -> None:
    with pytest.raises(InvalidClientMetadataError):
        read_metadata(["x"])  # type: ignore[arg-type]


def test_a_partner_for_its_own_orders_feed_needs_no_redirect_uri() -> None:
    described = read_metadata({"grant_types": ["client_credentials"]})
    assert described["redirect_uris"] == ()
    assert described["name"]


async def test_concurrent_registrations_cannot_share_the_last_use_of_a_token(desk: Desk) -> None:
    """Only one of two concurrent registrations succeeds."""
    registration = desk.provider.registration
    token = await registration.new_token("a", None, 1)
    save = desk.store.save

    async def overtaken(*records: IdentityRecord, **others: Any) -> bool:
        desk.store.save = save  # type: ignore[method-assign]
        kept = await registration.check_token(token)
        await save(replace(kept, uses_left=0))
        return await save(*records, **others)

    desk.store.save = overtaken  # type: ignore[method-assign]
    with pytest.raises(InvalidTokenError):
        await registration.register(token, METADATA)
