"""A notice to all who have booked an occurrence."""

from pathlib import Path

import pytest

from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.order import Caller
from openbooking.booking.model.record import OrderRecord
from support.browsers.form_browser import Page, Visitor
from support.builders import UUID, new_uuid
from support.console import SignIn, desk_booking, signed_in
from support.http_system import COURT, YOGA, World, open_world
from support.parties import ALICE, BOB

pytestmark = pytest.mark.anyio

NOTIFY, REGISTER = f"/console/notify/{YOGA[-1].path}", f"/console/register/{YOGA[-1].path}"
OF_BOB = new_uuid()


@pytest.fixture(autouse=True)
async def booked(world: World) -> None:
    """Two spaces of yoga are booked through Alice, and one through Bob."""
    body = world.order(world.item(YOGA), world.item(YOGA, 1), total=24)
    assert (await world.call("PUT", f"orders/{UUID}", body)).status_code == 201
    assert (await world.call("PUT", f"orders/{OF_BOB}", world.order(world.item(YOGA)), "bob")).status_code == 201


async def notify(visitor: Visitor, **fields: str) -> Page:
    """Open the form, and send it with these fields."""
    page = await visitor.open(NOTIFY)
    return await visitor.post(NOTIFY, {**page.forms[-1].fields, **fields})


async def notices(world: World, uuid: str = UUID, caller: Caller = ALICE) -> list[str | None]:
    record = await world.store.execute(GetOrder(caller=caller, uuid=uuid))
    assert isinstance(record, OrderRecord)
    return [state.customer_notice for state in record.states]


async def test_a_notice_reaches_all_attendees_of_a_session(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    assert NOTIFY in (await cat.open(REGISTER)).response.text
    page = await cat.open(NOTIFY)
    assert "The notice is about 2 bookings: Alice: 1 Bob: 1" in page.text
    page = await notify(cat, message="Bring a mat.")
    assert "Notice sent." in page.text
    assert await notices(world) == ["Bring a mat."] * 2
    assert await notices(world, OF_BOB, BOB) == ["Bring a mat."]


async def test_a_notice_to_customers_of_the_front_desk_is_told_by_the_seller(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    assert "Tell the customers of the front desk yourself." not in (await ann.open(NOTIFY)).text
    await world.store.execute(desk_booking(YOGA, new_uuid()))
    assert "Tell the customers of the front desk yourself." in (await ann.open(NOTIFY)).text


@pytest.mark.parametrize("message", [" ", "x" * 1001])
async def test_a_notice_without_a_valid_text_is_refused_at_its_field(
    world: World, sign_in: SignIn, message: str
) -> None:
    page = await notify(await sign_in("ann"), message=message)
    assert page.status == 422
    assert page.summary[0] == "message"
    assert await notices(world) == [None, None]


async def test_a_notice_to_many_customers_is_confirmed_by_their_number(tmp_path: Path) -> None:
    async with open_world("memory", tmp_path, confirm_customers=0) as world:
        await world.call("PUT", f"orders/{UUID}", world.order(world.item(YOGA)))
        ann = await signed_in(world, "ann")
        page = await notify(ann, message="Bring a mat.", customers="2")
        assert page.summary[0] == "customers"
        assert await notices(world) == [None]
        assert "Notice sent." in (await notify(ann, message="Bring a mat.", customers="1")).text
        assert await notices(world) == ["Bring a mat."]


async def test_a_session_that_nobody_has_booked_has_nobody_to_tell(sign_in: SignIn) -> None:
    path = f"/console/notify/{COURT[-1].path}"
    ann = await sign_in("ann")
    page = await ann.open(path)
    assert "Nobody has booked this session" in page.text
    token = page.forms[0].fields["form_token"]
    page = await ann.post(path, {"form_token": token, "message": "Bring a mat."})
    assert "Nothing has been sent." in page.text
