"""Pages on which a Seller sees its Booking Partners, and pauses, resumes or stops them."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import anyio
import pytest
from msgspec.structs import replace

from openbooking.booking.store import Store
from openbooking.identity.records import Grant, GrantState, Partner
from support.authorization_requests import ASKED, AUTHORIZE
from support.browsers.form_browser import Visitor
from support.builders import UUID
from support.http_system import SITE, YOGA, World, open_world, serving
from support.identity_provider import PASSWORD
from support.parties import AGREED

pytestmark = pytest.mark.anyio


async def test_a_manager_allows_pauses_resumes_and_stops_a_partner(provider: World, visitor: Visitor) -> None:
    page = await visitor.open(AUTHORIZE)
    assert page.url.startswith(f"{SITE}/sign-in?")
    assert "Alice asks for permission to book for you" in page.text
    page = await visitor.send(page, "/sign-in", username="ann", password=PASSWORD)
    assert "Let Alice book for Riverside Centre?" in page.text
    assert "https://alice.example.com" in page.text
    page = await visitor.send(page, "/oauth/consent", "allow")
    assert page.left_for.startswith("https://alice.example.com/cb?code=")
    await provider.call("PUT", f"orders/{UUID}", provider.order(provider.item(YOGA)))
    # The last request is written in the background.
    while "1 1 March 2027 nothing" not in (page := await visitor.open("/partners")).text:
        await anyio.sleep(0.05)
    assert re.search(
        r"Alice book, change and cancel 1 March 2027, by ann 1 1 March 2027 nothing to read yet Pause Alice Terms for "
        "Alice Stop Alice",
        page.text,
    )
    page = await visitor.send(page, "/partners/alice/suspend")
    assert "Alice none: paused by Riverside Centre" in page.text
    assert (await provider.call("GET", f"orders/{UUID}")).status_code == 401
    page = await visitor.send(page, "/partners/alice/resume")
    assert (await provider.call("GET", f"orders/{UUID}")).status_code == 200
    page = await visitor.open("/partners/alice/revoke")
    assert "Stop Alice from booking for Riverside Centre?" in page.text
    page = await visitor.send(page, "/partners/alice/revoke")
    assert "Alice, stopped on 1 March 2027 by ann; 1 Orders" in page.text
    assert (await provider.call("GET", f"orders/{UUID}")).status_code == 401
    assert (await visitor.open("/partners/alice/revoke")).url == f"{SITE}/partners"


async def test_a_seller_sees_which_partners_have_special_terms(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, access="openid", terms=AGREED) as world:
        visitor = Visitor(world.client)
        await visitor.sign_in("ann", PASSWORD)
        page = await visitor.open("/partners")
        assert "Alice book, change and cancel, on special terms" in page.text
        assert "Bob book, change and cancel 1 March" in page.text
        assert "Special terms extend or limit" in page.text


async def test_a_seller_sees_and_changes_its_own_partners_only(provider: World, visitor: Visitor) -> None:
    await visitor.sign_in("ann", PASSWORD)
    page = await visitor.open("/partners")
    assert "Charlie" not in page.text
    token = page.form("/sign-out").fields["form_token"]
    for action in ("revoke", "suspend"):
        await visitor.post(f"/partners/charlie/{action}", {"form_token": token})
        await visitor.post(f"/partners/nobody/{action}", {"form_token": token})
    grants = {(grant.partner, grant.seller): grant.state for grant in await provider.identity.find(Grant)}
    assert set(grants.values()) == {GrantState.ACTIVE}
    assert ("charlie", "centre") not in grants


async def test_staff_neither_see_nor_change_partners(provider: World, visitor: Visitor) -> None:
    await visitor.sign_in("cat", PASSWORD)
    page = await visitor.open("/partners")
    assert (page.status, "For managers only" in page.text, "Alice" in page.text) == (403, True, False)
    token = page.form("/sign-out").fields["form_token"]
    page = await visitor.post("/partners/alice/revoke", {"form_token": token})
    assert (page.status, "For managers only" in page.text) == (403, True)
    page = await visitor.open(AUTHORIZE)
    assert (page.status, "A manager has to decide this" in page.text) == (403, True)
    page = await visitor.post("/oauth/consent", {"form_token": token, "request": urlencode(ASKED), "decision": "allow"})
    assert page.status == 403
    assert {grant.changed_by for grant in await provider.identity.find(Grant)} == {"desk"}


class StoreWithoutViews:
    """A store of an embedder that has no views, over another store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        if name == "views":
            raise AttributeError(name)
        return getattr(self._store, name)


async def test_the_page_for_managers_only_leads_to_the_console_if_there_is_one(
    provider: World, visitor: Visitor
) -> None:
    await visitor.sign_in("cat", PASSWORD)
    assert '<a href="/console">Go to today</a>' in (await visitor.open("/partners")).response.text
    store: Any = StoreWithoutViews(provider.store)
    async with serving(provider.settings, provider.clock, store, provider.identity) as world:
        cat = Visitor(world.client)
        await cat.sign_in("cat", PASSWORD)
        page = await cat.open("/partners")
        assert (page.status, "For managers only" in page.text) == (403, True)
        assert "/console" not in page.response.text


async def test_a_stopped_partner_can_ask_for_consent_again_if_it_has_a_redirect_uri(
    provider: World, visitor: Visitor
) -> None:
    """A partner without a redirect URI uses an API key, so only the operator can give it a grant."""
    await visitor.sign_in("ann", PASSWORD)
    page = await visitor.open("/partners/alice/revoke")
    assert "To allow Alice again, start from its own web site." in page.text
    (alice,) = await provider.identity.find(Partner, key="alice")
    await provider.identity.save(replace(alice, redirect_uris=()))
    page = await visitor.open("/partners/alice/revoke")
    assert "ask the operator of" in page.text
    assert "The operator runs openbooking partner grant alice centre." in page.text


async def test_a_manager_asks_the_operator_to_allow_partners_with_api_keys(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, access="api-key") as world:
        visitor = Visitor(world.client)
        await visitor.sign_in("ann", PASSWORD)
        page = await visitor.open("/partners/alice/revoke")
        assert "The operator runs openbooking partner grant alice centre." in page.text
        await visitor.send(page, "/partners/alice/revoke")
        await world.identity.remove(Grant, seller="centre")
        page = await visitor.open("/partners")
        assert "Ask the operator of" in page.text
        assert "openbooking partner add KEY --name NAME --seller centre, which prints its API key" in page.text
        assert "openbooking partner grant KEY centre for an app that has one" in page.text


async def test_a_seller_without_partners_waits_for_an_app_that_asks(provider: World, visitor: Visitor) -> None:
    await provider.identity.remove(Grant, seller="centre")
    await visitor.sign_in("ann", PASSWORD)
    page = await visitor.open("/partners")
    assert "An app that wants to book sends you to this site" in page.text
