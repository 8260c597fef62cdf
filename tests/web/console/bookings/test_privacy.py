"""The data of one person: all Orders, as a file, and their erasure."""

import json

import pytest

from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.order import OrderKey
from support.browsers.form_browser import Page, Visitor
from support.builders import UUID, new_uuid
from support.console import SignIn
from support.http_system import COURT, PILATES, SITE, VIDEO, YOGA, World
from support.parties import CUSTOMER, MANAGER, STUDIO

pytestmark = pytest.mark.anyio

PRIVACY, EXPORT, ERASE = "/console/privacy", "/console/privacy/export", "/console/privacy/erase"
JANE = {"@type": "Person", "email": "jane@example.com", "givenName": "Jane", "familyName": "Smithson"}
GEOFF = "geoff@example.com"


@pytest.fixture(autouse=True)
async def booked(world: World) -> str:
    """Geoff has two Orders at the centre and one at the studio, and Jane one at the centre."""
    court = new_uuid()
    for uuid, body in (
        (UUID, world.order(world.item(YOGA), customer={**CUSTOMER, "familyName": "Hurst"})),
        (court, world.order(world.item(COURT), customer={**CUSTOMER, "email": "GEOFF@example.com"})),
        (new_uuid(), world.order(world.item(YOGA), customer=JANE)),
        (new_uuid(), world.order(world.item(PILATES), seller=STUDIO.key, total=14.4)),
    ):
        assert (await world.call("PUT", f"orders/{uuid}", body)).status_code == 201
    return court


async def found(visitor: Visitor, contact: str) -> Page:
    return await visitor.send(await visitor.open(PRIVACY), PRIVACY, contact=contact)


async def person_in(world: World, uuid: str) -> object:
    return (await world.call("GET", f"orders/{uuid}")).json().get("customer")


@pytest.mark.spec("OB-CUST-06", "OB-CUST-07")
@pytest.mark.parametrize(
    ("contact", "finds"),
    [
        (GEOFF, 2),
        (" Geoff@Example.COM ", 2),
        ("020 811 8055", 2),
        ("+44 20 811 8055", 2),
        ("jane@example.com", 1),
        ("geoff@example", 0),
        ("geoff@example.com.au", 0),
        ("020 811 805", 0),
        ("01234 567890", 0),
    ],
)
async def test_only_orders_with_exactly_this_contact_are_found(sign_in: SignIn, contact: str, finds: int) -> None:
    page = await found(await sign_in("ann"), contact)
    told = f"{finds} booking{'' if finds == 1 else 's'} of {contact.strip()}"
    assert (told if finds else "No booking has this address or number.") in page.text
    assert ("Jane" in page.text) is (contact == "jane@example.com")
    assert page.url == f"{SITE}{PRIVACY}"


@pytest.mark.parametrize("contact", ["", "Geoff", "Hurst", UUID, "1234"])
async def test_a_name_finds_nobody(sign_in: SignIn, contact: str) -> None:
    page = await found(await sign_in("ann"), contact)
    assert (page.status, page.summary) == (422, ["contact"])
    assert page.fields["contact"]["value"] == contact
    assert "Geoff Hurst" not in page.text


async def test_everything_that_is_stored_is_exported(world: World, sign_in: SignIn) -> None:
    await world.store.execute(SellerCancel(order=OrderKey("alice", UUID), message="Ill.", actor=MANAGER))
    ann = await sign_in("ann")
    page = await ann.send(await found(ann, GEOFF), EXPORT)
    headers = page.response.headers
    assert headers["content-type"] == "application/json"
    assert headers["content-disposition"] == 'attachment; filename="orders-of-one-person.json"'
    assert headers["cache-control"] == "no-store"
    exported = json.loads(page.response.text)
    orders = {order["uuid"]: order for order in exported["orders"]}
    assert len(orders) == 2
    order = orders[UUID]
    assert order["order"]["personal"]["customer"] == {**CUSTOMER, "familyName": "Hurst"}
    assert order["order"]["payment"]["identifier"] == "payment-1"
    assert order["states"][0]["cancellation_message"] == "Ill."
    assert order["booked"]["actor"] == {"kind": "partner", "key": "alice"}
    assert [entry["action"] for entry in order["history"]] == ["seller-cancelled"]
    assert "fingerprint" not in page.response.text
    assert "jane" not in page.response.text.lower()


async def book_for_tim(world: World) -> str:
    """Jane books yoga for herself and for Tim, who answers no question."""
    tim = {"@type": "Person", "givenName": "Tim", "familyName": "Smithson", "email": "tim@example.com"}
    items = [{**world.item(YOGA, position), "attendee": person} for position, person in enumerate((JANE, tim))]
    uuid = new_uuid()
    assert (await world.call("PUT", f"orders/{uuid}", world.order(*items, customer=JANE, total=24))).status_code == 201
    return uuid


async def test_an_attendee_is_found_and_exported_without_the_others(world: World, sign_in: SignIn) -> None:
    uuid, ann = await book_for_tim(world), await sign_in("ann")
    page = await found(ann, "TIM@example.com")
    assert "1 booking of TIM@example.com" in page.text
    assert "Tim Smithson" in page.text
    assert "Attendee, booked by Jane Smithson" in page.text
    assert "2 bookings of jane@example.com" in (await found(ann, "jane@example.com")).text
    text = (await ann.send(page, EXPORT)).response.text
    exported = json.loads(text)
    assert (exported["orders"], exported["proposals"]) == ([], [])
    (attended,) = exported["attended"]
    (item,) = attended["items"]
    assert (attended["uuid"], item["item"]["number"], item["attendee"]["givenName"]) == (uuid, 2, "Tim")
    assert not any(word in text for word in ("jane", "Jane", "payment-1"))


async def test_an_attendee_is_erased_and_the_customer_stays(world: World, sign_in: SignIn) -> None:
    uuid, ann = await book_for_tim(world), await sign_in("ann")
    refused = await ann.send(await found(ann, "tim@example.com"), ERASE, number="1")
    assert f"(booking {uuid})" in refused.text
    world.pass_time(days=30)
    ann = await sign_in("ann")
    await ann.send(await found(ann, "tim@example.com"), ERASE, number="1")
    assert "No booking has this address or number." in (await found(ann, "tim@example.com")).text
    order = (await world.call("GET", f"orders/{uuid}")).json()
    assert order["customer"] == JANE
    assert [item.get("attendee") for item in order["orderedItem"]] == [JANE, None]


async def test_an_export_is_in_the_activity_log(sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    await ann.send(await found(ann, GEOFF), EXPORT)
    page = await ann.open("/console/log")
    assert page.text.count("Personal data exported booking") == 2
    assert f"Personal data exported booking {UUID} ann" in page.text
    assert GEOFF not in page.text
    assert "Personal data exported" in (await ann.open(f"/console/orders/alice/{UUID}")).text


async def test_data_is_erased_when_everything_is_over(world: World, sign_in: SignIn, booked: str) -> None:
    world.pass_time(days=30)
    ann = await sign_in("ann")
    page = await ann.send(await found(ann, GEOFF), ERASE, number="2")
    assert page.url == f"{SITE}{PRIVACY}?done=erased"
    assert "Personal data erased." in page.text
    assert [await person_in(world, uuid) for uuid in (UUID, booked)] == [None, None]
    assert "No booking has this address or number." in (await found(ann, GEOFF)).text
    assert "1 booking of jane@example.com" in (await found(ann, "jane@example.com")).text
    ben = await sign_in("ben")
    assert "1 booking of geoff@example.com" in (await found(ben, GEOFF)).text
    history = (await ann.open(f"/console/orders/alice/{UUID}")).text.partition("History")[2]
    assert history.count("Personal data erased") == 1
    assert "ann" in history


@pytest.mark.parametrize("typed", ["", "1", "two", "3"])
async def test_an_erasure_is_confirmed_by_the_number_of_bookings(world: World, sign_in: SignIn, typed: str) -> None:
    world.pass_time(days=30)
    ann = await sign_in("ann")
    page = await ann.send(await found(ann, GEOFF), ERASE, number=typed)
    assert (page.status, page.summary) == (422, ["number"])
    assert page.fields["number"]["value"] == typed
    assert await person_in(world, UUID)


async def test_an_erasure_is_refused_while_a_booking_is_ahead(world: World, sign_in: SignIn, booked: str) -> None:
    ann = await sign_in("ann")
    page = await ann.send(await found(ann, GEOFF), ERASE, number="2")
    assert page.status == 422
    assert "Cancel these bookings first, or wait until they are over: " in page.text
    assert f"(booking {UUID})" in page.text
    assert f"(booking {booked})" in page.text
    assert await person_in(world, UUID)
    for uuid in (UUID, booked):
        await world.store.execute(SellerCancel(order=OrderKey("alice", uuid), actor=MANAGER))
    await ann.send(await found(ann, GEOFF), ERASE, number="2")
    assert await person_in(world, UUID) is None


async def test_a_video_is_never_ahead(world: World, sign_in: SignIn) -> None:
    customer = {"@type": "Person", "email": "vera@example.com"}
    uuid = new_uuid()
    body = world.order(world.item(VIDEO), customer=customer, total=float(VIDEO[-1].offers[0].price))
    assert (await world.call("PUT", f"orders/{uuid}", body)).status_code == 201
    ann = await sign_in("ann")
    await ann.send(await found(ann, "vera@example.com"), ERASE, number="1")
    assert await person_in(world, uuid) is None


@pytest.mark.parametrize("path", [EXPORT, ERASE])
async def test_a_form_without_a_contact_changes_nothing(sign_in: SignIn, path: str) -> None:
    ann = await sign_in("ann")
    token = (await ann.open(PRIVACY)).form(PRIVACY).fields["form_token"]
    page = await ann.post(path, {"form_token": token})
    assert (page.status, page.summary) == (422, ["contact"])


async def test_an_erasure_is_refused_if_no_order_is_found(sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    token = (await ann.open(PRIVACY)).form(PRIVACY).fields["form_token"]
    page = await ann.post(ERASE, {"form_token": token, "contact": "eve@example.com", "number": "0"})
    assert page.status == 422
