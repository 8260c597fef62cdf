"""The form with which developers ask for access to the API."""

from pathlib import Path

import pytest

from openbooking.identity.access_request_records import AccessRequest
from openbooking.web.accounts.access_requests import _STATEMENTS
from support.browsers.form_browser import Page, Visitor
from support.http_system import World, open_world

pytestmark = pytest.mark.anyio

PATH = "/access-request"
TYPED = {
    "name": "Dee Veloper",
    "email": "dee@fit.example.com",
    "organisation": "MyFitnessApp",
    "use_case": "People <b>book</b> classes.",
}
AGREED = dict.fromkeys(_STATEMENTS, "yes")
URI = "https://fit.example.com/cb"


async def send(visitor: Visitor, **changes: str) -> Page:
    """Fill in the form and send it."""
    return await visitor.send(await visitor.open(PATH), PATH, **{**TYPED, **AGREED, **changes})


async def test_a_request_is_stored_and_confirmed(provider: World, visitor: Visitor) -> None:
    page = await send(visitor, redirect_uris=f"{URI}\n")
    assert (page.status, "Your request was sent" in page.text) == (200, True)
    (stored,) = await provider.identity.find(AccessRequest)
    assert (stored.name, stored.organisation, stored.redirect_uris) == (TYPED["name"], TYPED["organisation"], (URI,))
    assert stored.id not in page.response.text


async def test_faults_are_shown_at_their_fields_and_nothing_is_lost(provider: World, visitor: Visitor) -> None:
    page = await visitor.send(
        await visitor.open(PATH), PATH, **{**TYPED, "email": "dee", "agrees_tested": "yes", "site": "ftp://x"}
    )
    assert page.status == 422
    assert page.summary == ["email", "site", "agrees_protection"]
    fields = page.form(PATH).fields
    assert {**TYPED, "email": "dee", "agrees_tested": "yes"}.items() <= fields.items()
    assert "agrees_protection" not in fields
    assert page.fields["email"]["aria-invalid"] == page.fields["agrees_sellers"]["aria-invalid"] == "true"
    assert await provider.identity.find(AccessRequest) == []


async def test_everybody_gets_the_same_answer(provider: World, visitor: Visitor) -> None:
    """The answer does not tell whether an address or an organisation has asked or booked before."""
    first, again = await send(visitor), await send(visitor)
    partner = await send(visitor, organisation="alice", email="other@fit.example.com")
    assert first.response.text == again.response.text == partner.response.text


async def test_an_address_that_asks_often_has_to_wait(provider: World, visitor: Visitor) -> None:
    for _ in range(5):
        assert (await send(visitor)).status == 200
    page = await send(visitor)
    assert (page.status, "Try again in 15 minutes" in page.text) == (422, True)
    assert page.form(PATH).fields["use_case"] == TYPED["use_case"]
    assert len(await provider.identity.find(AccessRequest)) == 5


@pytest.mark.parametrize("token", ["", "0" * 64])
async def test_a_form_of_another_site_is_refused(provider: World, visitor: Visitor, token: str) -> None:
    await visitor.open(PATH)
    assert (await visitor.post(PATH, {**TYPED, **AGREED, "form_token": token})).status == 403
    assert (await visitor.post(PATH, {**TYPED, "use_case": "x" * 30_000})).status == 400
    assert await provider.identity.find(AccessRequest) == []


async def test_the_page_names_the_sandbox_and_asks_for_redirect_uris_only_with_openid(tmp_path: Path) -> None:
    async with open_world("memory", tmp_path, trial_system_url="https://sandbox.example.com/") as world:
        page = await Visitor(world.client).open(PATH)
    assert 'href="https://sandbox.example.com/"' in page.response.text
    assert "redirect_uris" not in page.fields
