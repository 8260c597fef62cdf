"""The Seller's decisions about one Order, made on pages and told to the Broker through its feed."""

from datetime import timedelta
from typing import Any

import pytest

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.seller_decisions import RecordAttendance
from openbooking.booking.model.opportunity import AccessRules
from openbooking.booking.model.order import OrderKey
from support.browsers.form_browser import Page, Visitor
from support.builders import NOW, UUID, new_uuid, session
from support.console import SignIn
from support.http_system import YOGA, World
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

ORDER = f"/console/orders/alice/{UUID}"
SPIN = session("spin", access=AccessRules(code=True))
LATER = session("later")


@pytest.fixture(autouse=True)
async def booked(world: World) -> None:
    """Geoff has booked two spaces of spinning, with access codes; another session has free spaces."""
    for family in (SPIN, LATER):
        await world.store.execute(Publish(tuple(family), actor=MANAGER))
    body = world.order(world.item(SPIN), world.item(SPIN, 1), total=24)
    assert (await world.call("PUT", f"orders/{UUID}", body)).status_code == 201


async def decide(visitor: Visitor, path: str, **fields: str) -> Page:
    """Open the page of a decision, and send its form with these fields alone."""
    page = await visitor.open(f"{ORDER}/{path}")
    token = page.forms[-1].fields["form_token"]
    return await visitor.post(f"{ORDER}/{path}", {"form_token": token, **fields})


async def items_in_feed(world: World) -> list[dict[str, Any]]:
    """Return the items of the Order in the Broker's Orders feed; none if the Order has not changed."""
    feed = await world.read_feed("/api/orders-rpde")
    return list(feed[UUID]["data"]["orderedItem"]) if UUID in feed else []


async def test_one_item_is_cancelled_with_a_message(world: World, sign_in: SignIn) -> None:
    page = await decide(await sign_in("cat"), "cancel", **{"item-2": "yes", "message": "The bike is broken."})
    assert "Cancelled. The partner learns of it from its feed." in page.text
    first, second = await items_in_feed(world)
    assert first["orderItemStatus"].endswith("OrderItemConfirmed")
    assert second["orderItemStatus"].endswith("SellerCancelled")
    assert second["cancellationMessage"] == "The bike is broken."


async def test_a_large_order_is_cancelled_at_once(world: World, sign_in: SignIn) -> None:
    uuid, family = new_uuid(), session("marathon", capacity=200)
    await world.store.execute(Publish(tuple(family), actor=MANAGER))
    items = [world.item(family, position) for position in range(60)]
    assert (await world.call("PUT", f"orders/{uuid}", world.order(*items, total=720))).status_code == 201
    path = f"/console/orders/alice/{uuid}/cancel"
    ann = await sign_in("ann")
    page = await ann.open(path)
    chosen = {f"item-{number}": "yes" for number in range(1, 61)}
    page = await ann.post(path, {"form_token": page.forms[-1].fields["form_token"], **chosen})
    assert "Cancelled." in page.text
    cancelled = (await world.read_feed("/api/orders-rpde"))[uuid]["data"]["orderedItem"]
    assert {item["orderItemStatus"].rpartition("/")[2] for item in cancelled} == {"SellerCancelled"}


async def test_each_item_is_cancelled_without_a_message(world: World, sign_in: SignIn) -> None:
    await decide(await sign_in("ann"), "cancel", **{"item-1": "yes", "item-2": "yes", "message": " "})
    for item in await items_in_feed(world):
        assert item["orderItemStatus"].endswith("SellerCancelled")
        assert "cancellationMessage" not in item


async def test_a_form_without_items_changes_nothing_and_keeps_the_message(world: World, sign_in: SignIn) -> None:
    page = await decide(await sign_in("ann"), "cancel", message="Ill.")
    assert page.status == 422
    assert page.summary[0] == "items"
    assert "Ill." in page.response.text
    assert await items_in_feed(world) == []


async def test_a_message_that_is_too_long_is_refused_at_its_field(world: World, sign_in: SignIn) -> None:
    page = await decide(await sign_in("ann"), "cancel", **{"item-1": "yes", "message": "x" * 1001})
    assert page.status == 422
    assert page.summary[0] == "message"
    assert await items_in_feed(world) == []


async def test_a_stale_form_shows_the_present_state_and_does_nothing(world: World, sign_in: SignIn) -> None:
    ann, cat = await sign_in("ann"), await sign_in("cat")
    stale = await ann.open(f"{ORDER}/cancel")
    await decide(cat, "cancel", **{"item-1": "yes", "item-2": "yes", "message": "First."})
    page = await ann.post(f"{ORDER}/cancel", {**stale.forms[-1].fields, "message": "Second."})
    assert page.status == 422
    assert "All items of this booking are cancelled already." in page.text
    assert {item["cancellationMessage"] for item in await items_in_feed(world)} == {"First."}


async def test_a_session_that_has_ended_is_not_cancelled(world: World, sign_in: SignIn) -> None:
    world.pass_time(days=3)
    page = await decide(await sign_in("ann"), "cancel", **{"item-1": "yes"})
    assert page.status == 422
    assert "This has taken place already." in page.text


async def test_an_item_with_a_record_of_attendance_is_not_offered_for_cancellation(
    world: World, sign_in: SignIn
) -> None:
    cat = await sign_in("cat")
    order = OrderKey("alice", UUID)
    await world.store.execute(RecordAttendance(order=order, numbers=frozenset({2}), attended=True, actor=MANAGER))
    page = await cat.open(f"{ORDER}/cancel")
    assert (
        "has a record of attendance, and stays booked. To cancel it too, undo the record in the register" in page.text
    )
    assert ("item-1" in page.response.text, "item-2" in page.response.text) == (True, False)
    page = await cat.open(ORDER)
    assert ("/replace/1" in page.response.text, "/replace/2" in page.response.text) == (True, False)


async def test_a_notice_reaches_the_broker(world: World, sign_in: SignIn) -> None:
    page = await decide(await sign_in("ann"), "notify", **{"item-1": "yes", "message": "Bring shoes."})
    assert "Notice sent." in page.text
    first, second = await items_in_feed(world)
    assert first["customerNotice"] == "Bring shoes."
    assert "customerNotice" not in second


async def test_an_empty_notice_is_refused(world: World, sign_in: SignIn) -> None:
    page = await decide(await sign_in("ann"), "notify", **{"item-1": "yes", "message": " "})
    assert page.status == 422
    assert page.summary[0] == "message"
    assert await items_in_feed(world) == []


async def test_access_is_renewed(world: World, sign_in: SignIn) -> None:
    before = (await world.call("GET", f"orders/{UUID}")).json()["orderedItem"]
    page = await decide(await sign_in("ann"), "access", **{"item-1": "yes"})
    assert "Access renewed." in page.text
    after = await items_in_feed(world)
    assert after[0]["accessCode"] != before[0]["accessCode"]
    assert after[1]["accessCode"] == before[1]["accessCode"]


async def test_an_item_is_replaced_by_another_session(world: World, sign_in: SignIn) -> None:
    choice = f"{LATER[-1].path} {LATER[0].path} adult"
    page = await decide(await sign_in("ann"), "replace/2", choice=choice)
    assert "Replaced." in page.text
    _, second = await items_in_feed(world)
    assert second["orderedItem"] == world.ids.opportunity(LATER[-1].path)


async def test_an_item_is_replaced_by_a_session_of_another_day(world: World, sign_in: SignIn) -> None:
    family = session("next-week", start=NOW + timedelta(days=9), end=NOW + timedelta(days=9, hours=1))
    await world.store.execute(Publish(tuple(family), actor=MANAGER))
    ann = await sign_in("ann")
    path = f"{ORDER}/replace/2"
    page = await ann.open(path)
    assert family[-1].path not in page.response.text
    assert f"{path}?day={NOW.date()}" in page.response.text
    path += f"?day={(NOW + timedelta(days=9)).date()}"
    page = await ann.open(path)
    assert page.text.count("\N{POUND SIGN}12.00") == 1
    page = await ann.post(path, {**page.forms[-1].fields, "choice": f"{family[-1].path} {family[0].path} adult"})
    assert "Replaced." in page.text
    assert (await items_in_feed(world))[1]["orderedItem"] == world.ids.opportunity(family[-1].path)


async def test_a_day_without_sessions_offers_another_day(sign_in: SignIn) -> None:
    page = await (await sign_in("ann")).open(f"{ORDER}/replace/2?day={(NOW + timedelta(days=40)).date()}")
    assert "Choose another day." in page.text
    assert "choice" not in page.fields


async def test_a_replacement_that_the_page_does_not_offer_is_refused(world: World, sign_in: SignIn) -> None:
    page = await decide(await sign_in("ann"), "replace/2", choice=f"{SPIN[-1].path} {SPIN[0].path} adult")
    assert page.status == 422
    assert page.summary[0] == "choice"
    assert await items_in_feed(world) == []


@pytest.mark.parametrize("path", ["cancel", "notify", "access", "replace/1", "replace/9"])
async def test_another_seller_decides_nothing(world: World, sign_in: SignIn, path: str) -> None:
    ben = await sign_in("ben")
    own = await ben.open("/console")
    fields = {"form_token": own.forms[0].fields["form_token"], "item-1": "yes", "message": "Mine."}
    assert (await ben.post(f"{ORDER}/{path}", fields)).status == 404
    assert (await ben.open(f"{ORDER}/{path}")).status == 404
    assert await items_in_feed(world) == []


async def test_a_forged_form_changes_nothing(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    page = await ann.post(f"{ORDER}/cancel", {"form_token": "0" * 64, "item-1": "yes"})
    assert page.status == 403
    assert await items_in_feed(world) == []


async def test_an_order_without_access_has_nothing_to_renew(world: World, sign_in: SignIn) -> None:
    uuid = "0b4cf4a7-4f1c-4b6c-9d3b-6a3f1f4b2d11"
    assert (await world.call("PUT", f"orders/{uuid}", world.order(world.item(YOGA)))).status_code == 201
    ann = await sign_in("ann")
    page = await ann.open(f"/console/orders/alice/{uuid}/access")
    assert "No item of this booking has an access code, pass or link." in page.text
    assert "Back to the booking" in page.text
    assert "Renew access" not in (await ann.open(f"/console/orders/alice/{uuid}")).text
    assert "Renew access" in (await ann.open(ORDER)).text


async def test_an_order_without_current_items_offers_no_decision(sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    assert "Send a notice" in (await ann.open(ORDER)).text
    await decide(ann, "cancel", **{"item-1": "yes", "item-2": "yes"})
    page = await ann.open(ORDER)
    assert "Send a notice" not in page.text
    assert f"{ORDER}/cancel" not in page.response.text
    for path in ("cancel", "notify"):
        page = await ann.open(f"{ORDER}/{path}")
        assert "message" not in page.fields


async def test_a_notice_is_shown_and_removed(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    assert "remove" not in (await ann.open(f"{ORDER}/notify")).fields
    await decide(ann, "notify", **{"item-1": "yes", "message": "Bring shoes."})
    page = await ann.open(f"{ORDER}/notify")
    assert "Bring shoes." in page.text
    page = await decide(ann, "notify", **{"item-1": "yes", "message": "Or not.", "remove": "yes"})
    assert page.summary[0] == "message"
    page = await decide(ann, "notify", **{"item-1": "yes", "remove": "yes"})
    assert "Notice removed." in page.text
    first, _ = await items_in_feed(world)
    assert "customerNotice" not in first


async def test_the_replacement_says_who_tells_the_customer(sign_in: SignIn) -> None:
    page = await (await sign_in("ann")).open(f"{ORDER}/replace/1")
    assert "Alice tells the customer, who may cancel with a full refund." in page.text
