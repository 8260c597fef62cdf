"""The page on which a Booking Partner registers itself."""

import re

import pytest

from openbooking.identity.oauth.registration import Registration
from openbooking.identity.records import Partner, RegistrationToken
from support.browsers.form_browser import Visitor
from support.http_system import World
from support.identity_provider import basic

pytestmark = pytest.mark.anyio


@pytest.mark.spec("OB-AUTH-04", "OB-AUTH-20")
async def test_a_partner_registers_by_a_link(provider: World, visitor: Visitor) -> None:
    token = await Registration(provider.identity, provider.clock).new_token("Acme", None, 1)
    filled = {"name": "Acme App", "site": "https://acme.example/", "contact": "dev@acme.example"}
    page = await visitor.open(f"/registration?token={token}")
    page = await visitor.send(page, "/registration", **filled, redirect_uris="http://acme.example/cb")
    assert (page.status, "must begin with https://" in page.text) == (422, True)
    assert page.form("/registration").fields["name"] == "Acme App"
    page = await visitor.send(page, "/registration", redirect_uris="https://acme.example/cb\n https://acme.example/2")
    told = re.search(r"Client id (\S+) Client secret (obs_\S+)", page.text)
    assert told
    (partner,) = await provider.identity.find(Partner, key=told[1])
    assert partner.redirect_uris == ("https://acme.example/cb", "https://acme.example/2")
    assert partner.contacts == ("dev@acme.example",)
    tokens = await provider.client.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": basic(told[1], told[2])}
    )
    assert tokens.status_code == 200
    for url in (f"/registration?token={token}", "/registration"):
        page = await visitor.open(url)
        assert (page.status, "does not work any more" in page.text) == (404, True)
    (kept,) = await provider.identity.find(RegistrationToken)
    assert kept.uses == 1
