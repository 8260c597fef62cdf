"""A Customer pays at the front desk after the booking: the form, the receipt, and the takings of that day."""

from datetime import timedelta

import pytest

from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.views import StoreWithViews
from support.browsers.form_browser import Page, Visitor
from support.builders import NOW, UUID, new_uuid
from support.console import SignIn, desk_booking
from support.http_system import YOGA, World
from support.parties import CENTRE, MANAGER

pytestmark = pytest.mark.anyio

TAKINGS, RECEIPT = "/console/desk/takings", f"/console/desk/receipt/{UUID}"
PAY, ORDER = f"/console/desk/pay/{UUID}", f"/console/orders/{DESK}/{UUID}"
KEY = OrderKey(DESK, UUID)


@pytest.fixture(autouse=True)
async def unpaid(world: World) -> None:
    """The desk has booked a space yesterday, without payment."""
    assert not (await world.store.execute(desk_booking(YOGA, UUID, payment=None))).has_errors
    world.pass_time(days=1)


async def order(world: World) -> OrderRecord:
    assert isinstance(world.store, StoreWithViews)
    record = await world.store.views.of(CENTRE.key).order(KEY)
    assert isinstance(record, OrderRecord)
    return record


async def pay(visitor: Visitor, **fields: str) -> Page:
    """Open the form, and send it with these fields."""
    page = await visitor.open(PAY)
    sent = {name: value for name, value in page.form(PAY).fields.items() if name != "payment"}
    return await visitor.post(PAY, {**sent, **fields})


async def test_a_later_payment_counts_in_the_takings_of_its_own_day(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    page = await cat.open(ORDER)
    assert f'href="{PAY}"' in page.response.text
    page = await pay(cat, payment="card", reference="slip 7")
    assert "Payment recorded." in page.text
    assert page.url.partition("?")[0].endswith(RECEIPT)
    assert "Paid £12.00, card, reference slip 7, Tue 2 Mar 2027" in page.text
    assert "Card 1 £12.00 0 £0.00 £12.00" in (await cat.open(TAKINGS)).text
    before = (await cat.open(f"{TAKINGS}?day={NOW.date()}")).text
    assert "Nothing was paid at the front desk on this day." in before
    assert "Not paid yet" not in before
    assert "Payment takencat" in (await cat.open(ORDER)).text
    for path in (ORDER, RECEIPT):
        assert PAY not in (await cat.open(path)).response.text
    assert "Nothing is due." in (await cat.open(PAY)).text


async def test_a_part_is_paid_and_the_rest_is_shown_as_due(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    page = await pay(cat, payment="cash", amount="£4.50")
    assert "Still to pay £7.50" in page.text
    assert "Still to pay£7.50" in (await (await sign_in("ann")).open(ORDER)).text
    assert "Not paid yet: 1 booking of this day, £7.50." in (await cat.open(f"{TAKINGS}?day={NOW.date()}")).text
    assert (await cat.open(PAY)).fields["amount"]["value"] == "7.50"


async def test_money_is_given_back_at_the_desk_on_the_day_of_the_cancellation(world: World, sign_in: SignIn) -> None:
    await pay(await sign_in("cat"), payment="card")
    world.pass_time(hours=20)
    await world.store.execute(SellerCancel(order=KEY, actor=MANAGER))
    cat = await sign_in("cat")
    day = world.clock().date()
    assert "Card 0 £0.00 1 £12.00 -£12.00" in (await cat.open(f"{TAKINGS}?day={day}")).text
    assert "Card 1 £12.00 0 £0.00 £12.00" in (await cat.open(f"{TAKINGS}?day={day - timedelta(days=1)}")).text
    assert "Refund £12.00, card, Wed 3 Mar 2027" in (await cat.open(RECEIPT)).text


@pytest.mark.parametrize(
    ("fields", "wrong", "text"),
    [
        ({"amount": "12.01", "payment": "cash"}, "amount", "Only 12.00 is due."),
        ({"amount": "0", "payment": "cash"}, "amount", "The amount must be more than 0"),
        ({"amount": "ten", "payment": "cash"}, "amount", "Enter an amount, such as 12.50."),
        ({"amount": "5"}, "payment", "Choose how the customer pays."),
        ({"amount": "5", "payment": "cheque"}, "payment", "Choose how the customer pays."),
        ({"amount": "5", "payment": "cash", "reference": "x" * 1001}, "reference", "Use at most 1000 characters."),
    ],
)
async def test_an_error_is_shown_at_its_field_and_nothing_is_recorded(
    world: World, sign_in: SignIn, fields: dict[str, str], wrong: str, text: str
) -> None:
    page = await pay(await sign_in("cat"), **fields)
    assert page.status == 422
    assert page.text.count(text) == 2
    assert f'href="#{wrong}"' in page.response.text
    assert page.fields["amount"]["value"] == fields["amount"]
    assert (await order(world)).payments == ()


async def test_a_form_that_is_sent_twice_records_one_payment(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    sent = {**(await cat.open(PAY)).form(PAY).fields, "payment": "cash", "amount": "6.00"}
    assert (await cat.post(PAY, sent)).status == 200
    page = await cat.post(PAY, sent)
    assert page.status == 422
    assert "What is due has changed meanwhile." in page.text
    assert len((await order(world)).payments) == 1


async def test_only_bookings_of_the_own_desk_are_paid(world: World, sign_in: SignIn) -> None:
    ben = await sign_in("ben")
    assert (await ben.open(PAY)).status == 404
    assert (await ben.post(PAY, {"form_token": "0" * 64})).status == 404
    cat = await sign_in("cat")
    assert (await cat.open(f"/console/desk/pay/{new_uuid()}")).status == 404
    assert (await cat.post(PAY, {"form_token": "0" * 64, "payment": "cash", "amount": "1"})).status == 403
    assert (await order(world)).payments == ()
