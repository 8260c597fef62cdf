"""Replies about an Order whose personal data is erased, some days after its last session."""

from pathlib import Path

import anyio
import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.erase_personal_data import ErasePersonalData
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.seller_decisions import Notify, RenewAccess, SellerCancel
from openbooking.booking.model.opportunity import AccessRules
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import Record
from openbooking.booking.rules.orders.fingerprint import personal_data_of
from support.builders import UUID, session
from support.http_system import YOGA, World, open_world
from support.parties import ALICE, MANAGER

pytestmark = pytest.mark.anyio

B = f"orders/{UUID}"
ORDERS = "/api/orders-rpde"
GUARDED = session("guarded", access=AccessRules(code=True, barcode="code128"))
OWN = {"@type": "Barcode", "text": "MEMBER-1", "beta:codeType": "code39"}
ANN = {"@type": "Person", "givenName": "Annabel"}


async def stored(world: World) -> Record:
    record = await world.store.execute(GetOrder(caller=ALICE, uuid=UUID))
    assert isinstance(record, Record)
    return record


@pytest.mark.spec("OB-OST-02", "OB-OF-23", "OB-ID-12", "OB-B-11")
async def test_an_erased_order_shows_the_booking_without_people(tmp_path: Path) -> None:
    """Order Status and the Orders feed show no personal data and no barcodes. A repeat of B is refused."""
    async with open_world("sqlite", tmp_path, retention_days=30) as world:
        await world.store.execute(Publish(tuple(GUARDED), actor=MANAGER))
        body = world.order({**world.item(GUARDED), "attendee": ANN, "accessPass": [OWN]})
        booked = await world.call("PUT", B, body)
        assert booked.status_code == 201
        await world.store.execute(RenewAccess(order=OrderKey("alice", UUID), nonce="n", code=True, actor=MANAGER))
        before, feed = (await world.call("GET", B)).json(), await world.read_feed(ORDERS)
        world.pass_time(days=32)
        await anyio.sleep(0.2)
        assert (await stored(world)).erased is None
        world.pass_time(hours=2)
        while (await stored(world)).erased is None:
            await anyio.sleep(0.02)
        after, shown = (await world.call("GET", B)).json(), await world.read_feed(ORDERS)
        (was,), (item,) = before["orderedItem"], after["orderedItem"]
        assert {name for name in before if before[name] != after.get(name)} == {"customer", "orderedItem"}
        assert {name for name in was if was[name] != item.get(name)} == {"attendee", "accessPass"}
        assert (was["accessPass"], after.keys() - before.keys()) == ([*item["accessPass"], OWN], set())
        assert OWN in feed[UUID]["data"]["orderedItem"][0]["accessPass"]
        assert OWN not in shown[UUID]["data"]["orderedItem"][0]["accessPass"]
        assert (await world.call("PUT", B, body)).json()["@type"] == "OrderAlreadyExistsError"


@pytest.mark.spec("OB-SEL-02", "OB-NOTIF-02", "OB-OF-23")
async def test_an_erased_order_is_shown_without_the_texts_of_its_seller(tmp_path: Path) -> None:
    """The Orders feed shows the Order as changed, and both documents are still valid."""
    text = "Ann, your knee will be better by then."
    async with open_world("sqlite", tmp_path) as world:
        items = [world.item(YOGA, position) for position in range(2)]
        assert (await world.call("PUT", B, world.order(*items, total=24))).status_code == 201
        key = OrderKey("alice", UUID)
        await world.store.execute(SellerCancel(order=key, numbers=frozenset({1}), message=text, actor=MANAGER))
        await world.store.execute(Notify(order=key, numbers=frozenset({2}), notice=text, actor=MANAGER))
        replies = [(await world.call("GET", B)).json(), (await world.read_feed(ORDERS))[UUID]["data"]]
        assert [str(reply).count(text) for reply in replies] == [2, 2]
        before = (await world.read_feed(ORDERS))[UUID]["modified"]
        world.pass_time(days=32)
        await world.store.execute(ErasePersonalData(over_before=world.clock()))
        shown = await world.read_feed(ORDERS)
        for reply in ((await world.call("GET", B)).json(), shown[UUID]["data"]):
            assert text not in str(reply)
            assert [item["orderItemStatus"].rpartition("/")[2] for item in reply["orderedItem"]] == [
                "SellerCancelled",
                "OrderItemConfirmed",
            ]
        assert shown[UUID]["modified"] > before


async def test_without_retention_days_nothing_is_erased(sqlite_world: World) -> None:
    await sqlite_world.call("PUT", B, sqlite_world.order(sqlite_world.item(YOGA)))
    sqlite_world.pass_time(days=3650)
    await anyio.sleep(0.2)
    assert (await stored(sqlite_world)).erased is None


@pytest.mark.spec("OB-B-10")
async def test_no_reply_shows_the_key_of_the_fingerprint(sqlite_world: World) -> None:
    body = sqlite_world.order(sqlite_world.item(YOGA))
    replies = [await sqlite_world.call(*call) for call in (("PUT", B, body), ("PUT", B, body), ("GET", B))]
    assert replies[0].content == replies[1].content
    personal = personal_data_of(await stored(sqlite_world))
    assert personal is not None
    assert personal.fingerprint_key
    assert not any(personal.fingerprint_key in reply.text for reply in replies)
    assert replace(personal, fingerprint_key="") != personal
