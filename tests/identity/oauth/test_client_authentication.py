"""Authentication of clients by their secret."""

import pytest

from openbooking.identity.oauth.errors import (
    InvalidClientError,
    InvalidRequestError,
)
from support.identity_provider import Desk, basic, partner

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("secret", ["", "obs_bob", "obk_alice", "OBS_ALICE", "obs_alic\u00e9"])
async def test_a_client_must_know_its_secret(desk: Desk, secret: str) -> None:
    form = {"grant_type": "client_credentials"}
    for header, more in ((basic("alice", secret), {}), (None, {"client_id": "alice", "client_secret": secret})):
        with pytest.raises(InvalidClientError):
            await desk.provider.tokens.issue(form | more, header)


@pytest.mark.parametrize("header", ["Bearer x", "Basic", "Basic !", "Basic YWxpY2U=", "Basic /w==", "Basic \u00e9"])
async def test_malformed_client_headers_are_refused(desk: Desk, header: str) -> None:
    with pytest.raises(InvalidClientError):
        await desk.provider.tokens.issue({"grant_type": "client_credentials"}, header)


async def test_a_secret_is_sent_in_the_header_or_the_form_but_not_both(desk: Desk) -> None:
    await desk.store.save(partner("a:b", secret_digest=partner("x y").secret_digest))
    form = {"grant_type": "client_credentials"}
    assert await desk.provider.tokens.issue(form, basic("a%3Ab", "obs_x+y"))
    posted = {**form, "client_id": "alice", "client_secret": "obs_alice"}
    assert await desk.provider.tokens.issue(posted, None)
    for more in ({"client_secret": "obs_alice"}, {"client_id": "bob"}):
        with pytest.raises(InvalidRequestError):
            await desk.provider.tokens.issue(form | more, basic("alice", "obs_alice"))


async def test_a_client_without_a_secret_cannot_authenticate(desk: Desk) -> None:
    await desk.store.save(partner("carol", secret_digest=None))
    with pytest.raises(InvalidClientError):
        await desk.provider.tokens.issue({"grant_type": "client_credentials"}, basic("carol", ""))
