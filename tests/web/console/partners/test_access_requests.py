"""The pages on which an administrator decides about requests for access."""

import re
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.identity.access_request_records import AccessRequest, AccessRequestState
from openbooking.identity.records import Grant, Partner, User
from support.browsers.form_browser import Visitor
from support.builders import NOW, UUID
from support.console import SignIn
from support.http_system import YOGA, World
from support.parties import CENTRE

pytestmark = pytest.mark.anyio

LIST = "/console/access-requests"
PATH = f"{LIST}/r1"
ASKED = AccessRequest(
    id="r1",
    name="Dee <i>Veloper</i>",
    email="dee@fit.example.com",
    organisation="My Fitness-App!",
    use_case="People book.",
    received=NOW,
    expires=NOW + timedelta(days=90),
)


@pytest.fixture
async def ann(world: World, sign_in: SignIn) -> Visitor:
    """The browser of an administrator, who is a manager of the centre."""
    (user,) = await world.identity.find(User, name="ann")
    assert await world.identity.save(replace(user, is_administrator=True))
    return await sign_in("ann")


async def ask(world: World, **changes: Any) -> None:
    assert await world.identity.save(replace(ASKED, **changes))


async def stored(world: World) -> AccessRequest:
    (found,) = await world.identity.find(AccessRequest)
    return found


async def test_an_administrator_approves_a_request(world: World, ann: Visitor) -> None:
    await ask(world)
    page = await ann.open(LIST)
    assert f'href="{PATH}"' in page.response.text
    assert "<i>" not in page.response.text
    page = await ann.open(PATH)
    assert page.form(PATH).fields["key"] == "my-fitness-app"
    page = await ann.send(page, PATH, button="approve")
    assert (page.status, page.summary) == (422, ["sellers"])
    page = await ann.send(page, PATH, button="approve", sellers=CENTRE.key, key="alice")
    assert (page.status, page.summary) == (422, ["key"])
    page = await ann.send(page, PATH, button="approve", key="fit")
    told = re.search(r'<code id="secret">(obk_\S+)</code>', page.response.text)
    assert told
    headers = {"Authorization": f"Bearer {told[1]}"}
    quote = world.quote(world.item(YOGA))
    assert (await world.call("PUT", f"order-quote-templates/{UUID}", quote, **headers)).status_code == HTTPStatus.OK
    assert [grant.seller for grant in await world.identity.find(Grant, partner="fit")] == [CENTRE.key]
    assert (await stored(world)).state is AccessRequestState.APPROVED
    assert told[1] not in (await ann.open(PATH)).response.text


async def test_an_app_with_redirect_uris_needs_no_seller(world: World, ann: Visitor) -> None:
    await ask(world, redirect_uris=("https://fit.example.com/cb",))
    page = await ann.send(await ann.open(PATH), PATH, button="approve")
    assert "obs_" in page.text
    (partner,) = await world.identity.find(Partner, key="my-fitness-app")
    assert partner.redirect_uris == ("https://fit.example.com/cb",)


async def test_a_request_is_refused_once(world: World, ann: Visitor) -> None:
    await ask(world)
    page = await ann.open(PATH)
    assert "Refused" in (await ann.send(page, PATH, button="refuse")).text
    assert (await stored(world)).state is AccessRequestState.REFUSED
    page = await ann.send(page, PATH, button="approve", sellers="*")
    assert (page.status, "already" in page.text) == (422, True)
    assert await world.identity.find(Partner, key="my-fitness-app") == []


async def test_a_request_is_erased_on_demand(world: World, ann: Visitor) -> None:
    await ask(world)
    page = await ann.open(PATH)
    await ann.post(PATH, {**page.forms[-1].fields, "decision": "erase"})
    assert await world.identity.find(AccessRequest) == []
    assert (await ann.open(PATH)).status == HTTPStatus.NOT_FOUND


async def test_the_pages_exist_for_administrators_only(world: World, ann: Visitor, sign_in: SignIn) -> None:
    await ask(world)
    assert LIST in (await ann.open("/console")).response.text
    ben = await sign_in("ben")
    assert LIST not in (await ben.open("/console")).response.text
    token = (await ben.open("/password")).form("/password").fields["form_token"]
    for path in (LIST, PATH):
        page = await ben.open(path)
        assert (page.status, ASKED.email in page.text) == (HTTPStatus.NOT_FOUND, False)
    sent = {"form_token": token, "decision": "approve", "key": "fit", "sellers": "*"}
    assert (await ben.post(PATH, sent)).status == HTTPStatus.NOT_FOUND
    assert (await stored(world)).state is AccessRequestState.OPEN
