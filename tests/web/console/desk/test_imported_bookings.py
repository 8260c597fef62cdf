"""An imported booking of a former system is shown like others, and its payment is in no takings of the desk."""

from datetime import timedelta

import pytest

from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.order import OrderKey
from openbooking.booking.views import OrderQuery, StoreWithViews
from openbooking.moving_in.run import MovingIn, import_bookings
from openbooking.openactive.ids import Identifiers
from support.builders import NOW
from support.console import SignIn
from support.http_system import YOGA, World
from support.parties import CENTRE, MANAGER

pytestmark = pytest.mark.anyio

PATH = YOGA[-1].path
TAKINGS = "/console/desk/takings"


@pytest.fixture
async def imported(world: World) -> OrderKey:
    place = MovingIn(
        world.store, CENTRE, world.settings.policy, Identifiers(world.settings.base_uri), world.clock(), MANAGER
    )
    file = f"what,given_name,family_name,price_paid,paid_by,reference,note,start\n{PATH},Ida,Old,12.00,card,R-7,Ramp,\n"
    report = await import_bookings(place, file.encode(), dry_run=False)
    assert (report.booked, report.faults) == (1, ())
    assert isinstance(world.store, StoreWithViews)
    (record,) = (await world.store.views.of(CENTRE.key).orders(OrderQuery(text="old", partner=DESK))).rows
    return record.key


async def test_an_imported_booking_is_shown_with_its_note_and_payment(imported: OrderKey, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    page = await ann.open(f"/console/orders/{imported.partner}/{imported.uuid}")
    assert "NoteRamp" in page.text
    assert "former system" in page.text
    assert "card, R-7" in page.text
    assert "Ida Old" in (await ann.open("/console/orders?text=old")).text
    day = (NOW + timedelta(days=2)).date()
    assert "1 of" in (await ann.open(f"/console?day={day}")).text
    assert (
        "£12.00, paid in the former system, reference card, R-7"
        in (await ann.open(f"/console/desk/receipt/{imported.uuid}")).text
    )


async def test_the_payment_of_a_former_system_is_in_no_takings(imported: OrderKey, sign_in: SignIn) -> None:
    page = await (await sign_in("cat")).open(TAKINGS)
    assert "Nothing was paid at the front desk on this day." in page.text
    assert "Not paid yet" not in page.text


async def test_the_desk_pays_the_refund_of_an_imported_booking(
    world: World, imported: OrderKey, sign_in: SignIn
) -> None:
    await world.store.execute(SellerCancel(order=imported, actor=MANAGER))
    page = await (await sign_in("cat")).open(TAKINGS)
    assert "Paid in the former system 0 £0.00 1 £12.00 -£12.00" in page.text
