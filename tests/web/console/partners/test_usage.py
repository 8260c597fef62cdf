"""What the page of Booking Partners tells about their bookings and their feeds."""

import anyio
import pytest

from openbooking.booking.commands.orders.seller_decisions import Notify, SellerCancel
from openbooking.booking.model.order import OrderKey
from openbooking.identity.records import FeedPosition
from support.builders import UUID, new_uuid
from support.console import SignIn
from support.csv_files import read_csv
from support.http_system import COURT, YOGA, World
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

PATH = "/partners"


@pytest.fixture(autouse=True)
async def booked(world: World) -> None:
    """Alice has booked two spaces of yoga, one of which is cancelled, and Bob a court."""
    body = world.order(world.item(YOGA), world.item(YOGA, 1), total=24)
    assert (await world.call("PUT", f"orders/{UUID}", body)).status_code == 201
    assert (await world.call("PUT", f"orders/{new_uuid()}", world.order(world.item(COURT)), "bob")).status_code == 201
    await world.store.execute(SellerCancel(order=OrderKey("alice", UUID), numbers=frozenset({1}), actor=MANAGER))


async def read_orders(world: World) -> None:
    """Read Alice's Orders feed to its end, and wait until the position is stored."""
    while not await world.identity.find(FeedPosition, partner="alice"):
        await world.read_feed("/api/orders-rpde")
        await anyio.sleep(0.05)


async def test_bookings_and_their_value_are_shown_by_month(world: World, sign_in: SignIn) -> None:
    page = await (await sign_in("ann")).open(PATH)
    table = page.text.partition("Bookings by month")[2]
    assert "March 2027 Alice 1 £12.00 March 2027 Bob 1 £12.00" in table
    world.pass_time(days=31)
    later = await (await sign_in("ann")).open(PATH)
    assert "March 2027 Alice 1 £12.00" in later.text
    world.pass_time(days=365)
    assert "Bookings by month" not in (await (await sign_in("ann")).open(PATH)).text


async def test_bookings_by_month_are_saved_as_csv(sign_in: SignIn) -> None:
    page = await (await sign_in("ann")).open(f"{PATH}?format=csv")
    assert page.response.headers["content-disposition"] == 'attachment; filename="bookings-by-partner.csv"'
    alice, bob = read_csv(page.response)
    assert (alice["Month"], alice["Partner"], alice["Bookings"], alice["Value"]) == ("2027-03", "Alice", "1", "12.00")
    assert (bob["Partner key"], bob["Currency"]) == ("bob", "GBP")


async def test_a_partner_that_has_read_its_feed_is_up_to_date(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    # PostgreSQL numbers the changes of feeds after the commit.
    while "has never read it; changes wait since Mon 1 Mar 2027 12:00" not in (await ann.open(PATH)).text:
        await anyio.sleep(0.05)
    await read_orders(world)
    assert "up to date" in (await ann.open(PATH)).text


async def test_a_lag_begins_with_the_oldest_unread_change(world: World, sign_in: SignIn) -> None:
    await read_orders(world)
    world.pass_time(hours=1)
    alice = OrderKey("alice", UUID)
    await world.store.execute(Notify(order=alice, numbers=frozenset({2}), notice="Hi.", actor=MANAGER))
    world.pass_time(hours=2, minutes=5)
    ann = await sign_in("ann")
    while "2 hours behind: has not read a change of Mon 1 Mar 2027 13:00" not in (await ann.open(PATH)).text:
        await anyio.sleep(0.05)


async def test_other_sellers_see_no_bookings_of_this_one(sign_in: SignIn) -> None:
    assert "Bookings by month" not in (await (await sign_in("ben")).open(PATH)).text


async def test_staff_see_no_usage(sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    for path in (PATH, f"{PATH}?format=csv"):
        page = await cat.open(path)
        assert page.status == 403
        assert "12.00" not in page.text


async def test_bookings_at_the_front_desk_are_shown_by_name(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    path = f"/console/desk/book/{YOGA[-1].path}"
    fields = (await ann.open(path)).form(path).fields
    await ann.post(path, {**fields, "step": "book", "offer": f"{YOGA[0].path} adult", "payment": "cash"})
    assert "March 2027 front desk 1 £12.00" in (await ann.open(PATH)).text
    assert "front desk 1 £12.00" in (await ann.open("/console/money?by=partner")).text
