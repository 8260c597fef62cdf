"""What is published: the state, which managers change, missing details, and the JSON-LD of the open feed."""

import html
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState, TakeOffSale
from openbooking.booking.model.opportunity import SaleState
from support.browsers.form_browser import Page, Visitor
from support.builders import UUID, session
from support.console import SignIn
from support.http_system import COURT, SITE, VIDEO, YOGA, World
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

SERIES, PATH = YOGA[0].path, YOGA[-1].path
PUBLICATION = "/console/publication"
IMPORTED = session("import", source="feed")


async def choose(visitor: Visitor, path: str, sale: SaleState) -> Page:
    """Open the page of an Opportunity, and press the button that sets its state."""
    page = await visitor.open(f"{PUBLICATION}/{path}")
    return await visitor.send(page, f"{PUBLICATION}/{path}", sale)


async def set_sale(world: World, path: str, sale: SaleState) -> None:
    await world.store.execute(SetSaleState(opportunity=path, sale=sale, actor=MANAGER))


async def state_in_feed(world: World, key: str = "yoga", feed: str = "scheduled-sessions") -> str:
    """Return whether the open feed has the item as updated or deleted."""
    return str((await world.read_feed(f"/feeds/{feed}"))[key]["state"])


def json_ld(page: Page) -> Any:
    """Return the JSON-LD on a page."""
    (shown,) = re.findall(r"<pre[^>]*><code>(.*?)</code>", page.response.text, re.DOTALL)
    return json.loads(html.unescape(shown))


async def test_the_list_shows_everything_without_a_parent(world: World, sign_in: SignIn) -> None:
    page = await (await sign_in("cat")).open(PUBLICATION)
    assert "Yoga Series of sessions on sale 1 4" in page.text
    assert "Squash Facility on sale 1 3" in page.text
    assert "On demand on sale \N{EN DASH} 3" in page.text
    assert "pilates" not in page.response.text
    await set_sale(world, SERIES, SaleState.UNPUBLISHED)
    page = await (await sign_in("cat")).open(f"{PUBLICATION}?text=yOg")
    assert "Yoga Series of sessions off sale" in page.text
    assert "Squash" not in page.text


async def test_a_search_without_result_says_so(sign_in: SignIn) -> None:
    assert "Nothing has this name." in (await (await sign_in("ann")).open(f"{PUBLICATION}?text=zumba")).text


async def test_a_manager_takes_an_occurrence_off_sale_and_puts_it_back(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    page = await choose(ann, PATH, SaleState.UNPUBLISHED)
    assert "Taken off sale." in page.text
    assert "State: off sale." in page.text
    assert await state_in_feed(world) == "deleted"
    assert (await world.call("PUT", f"orders/{UUID}", world.order(world.item(YOGA)))).status_code == 409
    page = await choose(ann, PATH, SaleState.ON_SALE)
    assert "Put on sale." in page.text
    assert await state_in_feed(world) == "updated"


async def test_a_series_off_sale_keeps_its_sessions_off_sale(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    page = await choose(ann, SERIES, SaleState.UNPUBLISHED)
    assert await state_in_feed(world) == "deleted"
    assert await state_in_feed(world, "series-yoga", "session-series") == "deleted"
    page = await ann.open(f"{PUBLICATION}/{PATH}")
    assert "State: on sale. Apps do not show it, because Yoga is off sale." in page.text


async def test_a_broker_keeps_the_orders_of_what_is_off_sale(world: World, sign_in: SignIn) -> None:
    assert (await world.call("PUT", f"orders/{UUID}", world.order(world.item(YOGA)))).status_code == 201
    await choose(await sign_in("ann"), PATH, SaleState.UNPUBLISHED)
    assert (await world.call("GET", f"orders/{UUID}")).status_code == 200


async def test_staff_see_the_state_and_cannot_change_it(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    page = await cat.open(f"{PUBLICATION}/{PATH}")
    assert "State: on sale." in page.text
    assert "A manager can change the state." in page.text
    assert f"{PUBLICATION}/{PATH}" not in [form.action for form in page.forms]
    fields = {**page.forms[0].fields, "seen": "on-sale", "sale": "unpublished"}
    assert (await cat.post(f"{PUBLICATION}/{PATH}", fields)).status == 403
    assert await state_in_feed(world) == "updated"


@pytest.mark.parametrize("path", [SERIES, PATH, "scheduled-sessions/nothing", "nothing", "x/y/z"])
async def test_another_seller_has_no_such_opportunity(world: World, sign_in: SignIn, path: str) -> None:
    ben = await sign_in("ben")
    own = await ben.open("/console")
    assert (await ben.open(f"{PUBLICATION}/{path}")).status == 404
    fields = {**own.forms[0].fields, "seen": "on-sale", "sale": "unpublished"}
    assert (await ben.post(f"{PUBLICATION}/{path}", fields)).status == 404
    assert await state_in_feed(world) == "updated"


async def test_a_stale_form_shows_the_present_state_and_does_nothing(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    stale = await ann.open(f"{PUBLICATION}/{PATH}")
    await set_sale(world, PATH, SaleState.UNPUBLISHED)
    await set_sale(world, SERIES, SaleState.UNPUBLISHED)
    page = await ann.send(stale, f"{PUBLICATION}/{PATH}", SaleState.UNPUBLISHED)
    assert page.status == 422
    assert "The state has changed since you opened this page." in page.text
    assert "State: off sale." in page.text
    await set_sale(world, SERIES, SaleState.ON_SALE)
    assert await state_in_feed(world) == "deleted"


async def test_an_opportunity_that_is_not_understood_cannot_be_put_on_sale(world: World, sign_in: SignIn) -> None:
    await world.store.execute(Publish(tuple(IMPORTED), actor=MANAGER))
    await world.store.execute(TakeOffSale(sources=frozenset({"feed"}), actor=MANAGER))
    ann, path = await sign_in("ann"), f"{PUBLICATION}/{IMPORTED[-1].path}"
    page = await ann.open(path)
    assert "State: not understood." in page.text
    assert path not in [form.action for form in page.forms]
    fields = {"form_token": page.forms[0].fields["form_token"], "seen": "not-understood", "sale": "on-sale"}
    page = await ann.post(path, fields)
    assert page.status == 422
    assert await state_in_feed(world, "import") == "deleted"


async def test_a_wrong_state_in_a_form_is_refused(world: World, sign_in: SignIn) -> None:
    ann, path = await sign_in("ann"), f"{PUBLICATION}/{PATH}"
    token = (await ann.open(path)).forms[0].fields["form_token"]
    for sale in ("over", "on-sale", ""):
        page = await ann.post(path, {"form_token": token, "seen": "on-sale", "sale": sale})
        assert page.status == 422
    assert (await ann.post(path, {"form_token": "0" * 64, "seen": "on-sale", "sale": "unpublished"})).status == 403
    assert await state_in_feed(world) == "updated"


@pytest.mark.parametrize(
    ("path", "feed"),
    [
        (SERIES, "session-series"),
        (PATH, "scheduled-sessions"),
        (COURT[1].path, "individual-facility-uses"),
        (COURT[-1].path, "slots"),
        (VIDEO[-1].path, "on-demand-events"),
    ],
)
async def test_the_json_ld_is_that_of_the_open_feed(world: World, sign_in: SignIn, path: str, feed: str) -> None:
    assert (await world.call("PUT", f"orders/{UUID}", world.order(world.item(YOGA)))).status_code == 201
    page = await (await sign_in("ann")).open(f"{PUBLICATION}/{path}")
    items = (await world.client.get(f"{SITE}/feeds/{feed}")).json()["items"]
    (published,) = [item["data"] for item in items if item["data"]["@id"] == world.ids.opportunity(path)]
    assert json_ld(page) == published


async def test_a_cancelled_session_is_shown_as_one_that_nobody_can_book(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    assert "Apps show it and can book it." in (await ann.open(f"{PUBLICATION}/{PATH}")).text
    await world.store.execute(CancelOpportunity(opportunity=PATH, actor=MANAGER))
    page = await ann.open(f"{PUBLICATION}/{PATH}")
    assert "Apps show that it is cancelled or postponed, and nobody can book it." in page.text
    assert "can book it." not in page.text.replace("nobody can book it.", "")
    assert "Wed 3 Mar 2027 12:00 Yoga cancelled" in (await ann.open(f"{PUBLICATION}/{SERIES}")).text


async def test_missing_details_are_listed(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    page = await ann.open(f"{PUBLICATION}/{PATH}")
    assert "Description description Image image Position of the place on a map location.geo Age range" in page.text
    place = {**YOGA[0].properties["location"], "geo": {"latitude": 51.5, "longitude": 0.0}}
    described = {
        **YOGA[0].properties,
        "description": "For all.",
        "image": [{"@type": "ImageObject", "url": "https://example.com/yoga.png"}],
        "ageRange": {"@type": "QuantitativeValue", "minValue": 18},
        "location": place,
    }
    await world.store.execute(Publish((replace(YOGA[0], properties=described),), actor=MANAGER))
    page = await ann.open(f"{PUBLICATION}/{PATH}")
    assert "Nothing is missing that apps want to show." in page.text


async def test_a_series_lists_its_coming_sessions(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    page = await ann.open(f"{PUBLICATION}/{SERIES}")
    assert "Wed 3 Mar 2027 12:00 Yoga on sale 4" in page.text
    assert "Squash" not in page.text
    page = await ann.open(f"{PUBLICATION}/{COURT[0].path}")
    assert "Wed 3 Mar 2027 12:00" in page.text
    world.pass_time(days=3)
    assert "Coming sessions" not in (await (await sign_in("ann")).open(f"{PUBLICATION}/{SERIES}")).text


async def test_a_series_lists_sessions_from_several_pages_of_the_seller(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openbooking.web.console.seller.publication._ROWS", 1)
    monkeypatch.setattr("openbooking.web.console.seller.publication._MOST_PAGES", 20)
    first = YOGA[-1]
    assert first.start
    assert first.end
    week = timedelta(days=7)
    second = replace(first, path=f"{first.path}-next", start=first.start + week, end=first.end + week)
    await world.store.execute(Publish((second,), actor=MANAGER))
    page = await (await sign_in("ann")).open(f"{PUBLICATION}/{SERIES}")
    assert "Wed 3 Mar 2027 12:00" in page.text
    assert "Wed 10 Mar 2027 12:00" in page.text


async def test_the_register_leads_to_the_publication(sign_in: SignIn) -> None:
    page = await (await sign_in("cat")).open(f"/console/register/{PATH}")
    assert f'href="{PUBLICATION}/{PATH}"' in page.response.text
