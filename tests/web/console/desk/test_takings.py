"""The takings of the front desk: what was paid on a day, by means of payment, and what was refunded."""

from datetime import timedelta
from decimal import Decimal

import pytest

from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.views import StoreWithViews
from support.builders import NOW, UUID
from support.console import SignIn
from support.csv_files import read_csv
from support.front_desk import BOOK, book, form, orders
from support.http_system import YOGA, World
from support.parties import CENTRE, MANAGER

pytestmark = pytest.mark.anyio

TAKINGS = "/console/desk/takings"


async def test_takings_are_added_up_by_means_of_payment(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    for payment in ("cash", "cash", "card", "none"):
        await book(cat, payment=payment)
    page = await cat.open(TAKINGS)
    assert "Cash 2 £24.00 0 £0.00 £24.00" in page.text
    assert "Card 1 £12.00 0 £0.00 £12.00" in page.text
    assert "Closing total 3 £36.00 0 £0.00 £36.00" in page.text
    assert "Not paid yet: 1 booking of this day, £12.00." in page.text
    assert (await world.call("PUT", f"orders/{UUID}", world.order(world.item(YOGA)))).status_code == 201
    assert (await cat.open(TAKINGS)).text == page.text


async def test_a_refund_counts_on_its_own_day(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    first = await cat.post(BOOK, form(await cat.open(BOOK), step="total", spaces="2"))
    await cat.post(BOOK, form(first, payment="card"))
    await book(cat, payment="none")
    paid, unpaid = sorted(await orders(world), key=lambda record: record.payment is None)
    world.pass_time(days=1)
    cat = await sign_in("cat")
    await book(cat, payment="card")
    await world.store.execute(SellerCancel(order=paid.key, numbers=frozenset({2}), actor=MANAGER))
    await world.store.execute(SellerCancel(order=unpaid.key, actor=MANAGER))
    page = await cat.open(TAKINGS)
    assert "Card 1 £12.00 1 £12.00 £0.00" in page.text
    assert "Closing total 1 £12.00 1 £12.00 £0.00" in page.text
    before = await cat.open(f"{TAKINGS}?day={NOW.date()}")
    assert "Closing total 1 £24.00 0 £0.00 £24.00" in before.text
    assert "Not paid yet" not in before.text


async def test_takings_are_saved_as_csv_with_numbers(world: World, sign_in: SignIn) -> None:
    """With the closing total, and what is not paid yet. A refund of an earlier payment leaves a negative balance."""
    cat = await sign_in("cat")
    await book(cat, payment="card")
    (paid,) = await orders(world)
    world.pass_time(days=1)
    cat = await sign_in("cat")
    await book(cat, payment="cash")
    await book(cat, payment="none")
    await world.store.execute(SellerCancel(order=paid.key, actor=MANAGER))
    day = NOW.date() + timedelta(days=1)
    page = await cat.open(f"{TAKINGS}?day={day}")
    path = f"{TAKINGS}?day={day}&format=csv"
    assert path.replace("&", "&amp;") in page.response.text
    answer = (await cat.open(path)).response
    assert answer.headers["content-disposition"] == f'attachment; filename="takings-{day}.csv"'
    shown = [
        (row["Means of payment"], row["Currency"], row["Payments"], row["Taken"], row["Refunded"], row["Balance"])
        for row in read_csv(answer)
    ]
    assert shown == [
        ("Cash", "GBP", "1", "12.00", "0.00", "12.00"),
        ("Card", "GBP", "0", "0.00", "12.00", "-12.00"),
        ("Closing total", "GBP", "1", "12.00", "12.00", "0.00"),
        ("Not paid yet", "GBP", "1", "12.00", "", ""),
    ]
    assert len(read_csv((await cat.open(f"{TAKINGS}?day=2027-01-01&format=csv")).response)) == 0


async def test_the_takings_of_a_day_with_a_refund_read_no_sales(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brokers may have sold thousands of items on the day."""
    cat = await sign_in("cat")
    await book(cat, payment="card")
    (paid,) = await orders(world)
    await world.store.execute(SellerCancel(order=paid.key, actor=MANAGER))
    assert isinstance(world.store, StoreWithViews)

    async def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(type(world.store.views.of(CENTRE.key)), "sales_lines", refuse)
    assert "Card 1 £12.00 1 £12.00 £0.00" in (await cat.open(TAKINGS)).text


async def test_a_day_without_takings_says_so(sign_in: SignIn) -> None:
    page = await (await sign_in("cat")).open(TAKINGS)
    assert "Nothing was paid at the front desk on this day." in page.text


async def test_a_reconciliation_finds_the_payments_of_the_desk(world: World, sign_in: SignIn) -> None:
    """Without a reference the UUID of the Order identifies the payment."""
    await book(await sign_in("cat"), payment="cash")
    assert isinstance(world.store, StoreWithViews)
    page = await world.store.views.of(CENTRE.key).payments(NOW, NOW + timedelta(days=1))
    (row,) = page.rows
    assert (row.payment.name, row.payment.identifier, row.due) == ("cash", row.order.uuid, Decimal(12))
