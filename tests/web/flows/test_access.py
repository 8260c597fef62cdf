"""Access codes, passes and channels in replies and feeds; OpenActive's validator checks each message (OB 8.7)."""

from typing import Any

import pytest

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.seller_decisions import Notify, RenewAccess
from openbooking.booking.model.opportunity import AccessRules, Opportunity
from openbooking.booking.model.order import OrderKey
from support.builders import UUID, event, on_demand_event, session, slot
from support.http_system import YOGA, World
from support.parties import CUSTOMER, MANAGER
from support.validators import Validator

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
B = f"orders/{UUID}"
KEY = OrderKey("alice", UUID)
ACCESS = {"accessCode", "accessPass", "accessChannel"}
DOOR = AccessRules(code=True, pass_image="https://example.com/{code}.png", barcode="code128")
ROOM = AccessRules(
    channel={
        "@type": "VirtualLocation",
        "name": "Video conference",
        "url": "https://example.com/join/{code}",
        "accessId": "{code}",
        "accessCode": "{code}",
        "description": "Open the link five minutes before the start.",
    }
)
GUARDED = [
    session("guarded", access=DOOR),
    slot("guarded", individual=False, capacity=5, access=DOOR),
    event("g", access=DOOR),
]
ONLINE = [session("online", access=ROOM), on_demand_event("online", access=ROOM)]
OWN = {"@type": "Barcode", "text": "MEMBER-1", "beta:codeType": "code39", "url": "https://acme.example.com/1.png"}


async def book(world: World, family: list[Opportunity], *, count: int = 1, **changes: Any) -> Json:
    await world.store.execute(Publish(tuple(family), actor=MANAGER))
    items = [{**world.item(family, position), **changes} for position in range(count)]
    reply = await world.call("PUT", B, world.order(*items, total=12 * count))
    assert reply.status_code == 201
    order: Json = reply.json()
    return order


@pytest.mark.spec(
    "OB-ACC-01", "OB-ACC-02", "OB-ACC-03", "OB-ACC-05", "OB-ACC-06", "OB-ACC-08", "OB-ACC-09", "OB-ACC-10"
)
@pytest.mark.parametrize("family", GUARDED, ids=lambda family: family[-1].type)
async def test_each_attendee_gets_own_access_codes(sqlite_world: World, validator: Validator, family: Any) -> None:
    order = await book(sqlite_world, family, count=3)
    assert validator.failures("BResponse", order) == []
    for item in order["orderedItem"]:
        (code,), (picture, barcode) = item["accessCode"], item["accessPass"]
        assert (code.keys(), code["name"]) == ({"@type", "name", "description"}, "Access code")
        assert (picture["@type"], barcode["@type"], barcode["beta:codeType"]) == ("ImageObject", "Barcode", "code128")
        for sent in (picture, barcode):
            assert sent["url"].startswith("https://")
        assert "accessChannel" not in item
    ways = [item["accessCode"][0]["description"] for item in order["orderedItem"]]
    ways += [sent["url"] for item in order["orderedItem"] for sent in item["accessPass"]]
    ways += [item["accessPass"][1]["text"] for item in order["orderedItem"]]
    assert len(set(ways)) == len(ways)


@pytest.mark.spec("OB-ACC-04", "OB-ACC-13")
@pytest.mark.parametrize("family", ONLINE, ids=lambda family: family[-1].type)
async def test_online_sessions_have_an_access_channel_at_b(
    sqlite_world: World, validator: Validator, family: Any
) -> None:
    order = await book(sqlite_world, family)
    assert [fault for fault in validator.failures("BResponse", order) if "OnDemandEvent" not in fault] == []
    (item,) = order["orderedItem"]
    channel = item["accessChannel"]
    assert channel["@type"] == "VirtualLocation"
    assert channel["url"] == f"https://example.com/join/{channel['accessCode']}"
    assert (channel["accessId"], channel["name"]) == (channel["accessCode"], "Video conference")
    assert channel["description"]
    assert not {"accessCode", "accessPass", "customerNotice"} & item.keys()


@pytest.mark.spec("OB-ACC-15")
@pytest.mark.parametrize("family", [GUARDED[0], ONLINE[0]], ids=["door", "online"])
async def test_quotes_have_no_access_properties(sqlite_world: World, validator: Validator, family: Any) -> None:
    await sqlite_world.store.execute(Publish(tuple(family), actor=MANAGER))
    quote = sqlite_world.quote({**sqlite_world.item(family), "accessPass": [OWN]})
    for path, body, mode in (
        (f"order-quote-templates/{UUID}", quote, "C1Response"),
        (f"order-quotes/{UUID}", {**quote, "customer": CUSTOMER}, "C2Response"),
    ):
        reply = (await sqlite_world.call("PUT", path, body)).json()
        assert validator.failures(mode, reply) == []
        assert not ACCESS & reply["orderedItem"][0].keys()
    assert not ACCESS & (await sqlite_world.call("GET", B)).json()["orderedItem"][0].keys()


@pytest.mark.spec("OB-ACC-11", "OB-ACC-12", "OB-NOTIF-08", "OB-ACC-07")
@pytest.mark.parametrize("family", [GUARDED[0], YOGA], ids=["guarded", "open"])
async def test_a_barcode_of_the_broker_survives_every_change(world: World, validator: Validator, family: Any) -> None:
    picture = {"@type": "ImageObject", "url": "https://acme.example.com/me.png"}
    (item,) = (await book(world, family, accessPass=[OWN, picture]))["orderedItem"]
    assert item["accessPass"][-1] == OWN
    assert picture not in item["accessPass"]
    await world.store.execute(RenewAccess(order=KEY, nonce="n", code=True, passes=True, actor=MANAGER))
    await world.store.execute(Notify(order=KEY, notice="The door has changed.", actor=MANAGER))
    data = (await world.read_feed("/api/orders-rpde"))[UUID]["data"]
    assert validator.failures("OrdersFeed", data) == []
    (now,) = data["orderedItem"]
    assert now["accessPass"][-1] == OWN
    assert now["accessPass"][:-1] != item["accessPass"][:-1] or family is YOGA


@pytest.mark.parametrize(("sent", "status"), [("MEMBER-1", 400), ({"text": "MEMBER-1"}, 400), (["MEMBER-1"], 400)])
async def test_an_access_pass_of_another_form_is_refused(sqlite_world: World, sent: Any, status: int) -> None:
    body = sqlite_world.order({**sqlite_world.item(YOGA), "accessPass": sent})
    assert (await sqlite_world.call("PUT", B, body)).status_code == status
