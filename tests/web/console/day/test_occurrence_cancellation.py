"""The cancellation of an occurrence: what it will do, the decision, and who has read of it from the feeds."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.seller_decisions import RecordAttendance, SellerCancel
from openbooking.booking.commands.orders.withhold import Withhold
from openbooking.booking.model.order import OrderKey, Partnership
from openbooking.identity.records import FeedPosition
from support.approval_flow import PARTY, PROPOSALS, proposal_of
from support.browsers.form_browser import Page, Visitor
from support.builders import UUID, event, headline_event, new_uuid
from support.console import SignIn, desk_booking, signed_in
from support.http_system import YOGA, World, open_world
from support.parties import CENTRE, MANAGER, STUDIO

pytestmark = pytest.mark.anyio

PATH = YOGA[-1].path
CANCEL, CANCELLED = f"/console/cancel/{PATH}", f"/console/cancelled/{PATH}"
ORDERS = "/api/orders-rpde"
FETE = event("fete")


async def book(world: World, partner: str, *families: Any, uuid: str = "") -> str:
    """Book one space at each of these through a partner; return the UUID."""
    uuid = uuid or new_uuid()
    items = [world.item(family, position) for position, family in enumerate(families)]
    body = world.order(*items, total=12 * len(items))
    assert (await world.call("PUT", f"orders/{uuid}", body, partner)).status_code == 201
    return uuid


@pytest.fixture(autouse=True)
async def booked(world: World) -> None:
    """Two spaces of yoga are booked through Alice, and one through Bob; nobody has booked the fete."""
    await book(world, "alice", YOGA, YOGA, uuid=UUID)
    await book(world, "bob", YOGA)
    await world.store.execute(Publish(tuple(FETE), actor=MANAGER))


async def cancel(visitor: Visitor, path: str = CANCEL, **fields: str) -> Page:
    """Open the form that cancels the occurrence, and send it with these fields."""
    page = await visitor.open(path)
    return await visitor.post(path, {**page.forms[-1].fields, **fields})


async def read(world: World, partner: str, path: str = ORDERS) -> dict[str, Any]:
    """Read a feed of a partner to its end, and wait until the position is kept."""
    found = await world.read_feed(path, partner)
    last = max(entry["modified"] for entry in found.values())
    feed = path.removeprefix("/api/").removesuffix("-rpde")
    while True:
        positions = await world.identity.find(FeedPosition, partner=partner, feed=feed)
        if positions and positions[0].position >= last:
            return found
        await asyncio.sleep(0.01)


async def test_the_form_says_what_it_will_cancel(sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    assert "Cancel this session" in (await ann.open(f"/console/register/{PATH}")).text
    page = await ann.open(CANCEL)
    assert "This cancels 2 bookings of 2 customers, 3 spaces in all." in page.text
    assert "A cancellation cannot be undone." in page.text
    assert "Alice 1 0 1 2" in page.text
    assert "Bob 1 0 1 1" in page.text
    assert "customers" not in page.fields


async def test_the_form_says_which_spaces_stay_booked(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    assert "record of attendance" not in (await ann.open(CANCEL)).text
    order = OrderKey("alice", UUID)
    await world.store.execute(RecordAttendance(order=order, numbers=frozenset({1, 2}), attended=True, actor=MANAGER))
    page = await ann.open(CANCEL)
    assert "This cancels 1 booking of 1 customer, 1 space in all." in page.text
    assert "2 spaces have a record of attendance, and stay booked." in page.text


async def test_the_register_has_the_telephone_numbers_of_cancelled_bookings(sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    await cancel(ann)
    page = await ann.open(f"/console/register/{PATH}")
    assert "No booking of this session is left." in page.text
    assert page.text.count("geoff@example.com") == 3


async def test_staff_cancel_an_occurrence_with_a_message(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    page = await cancel(cat, message="The teacher is ill.")
    assert page.url.endswith(f"{CANCELLED}?done=occurrence-cancelled")
    assert "Session cancelled." in page.text
    for partner, spaces in (("alice", 2), ("bob", 1)):
        (entry,) = (await world.read_feed(ORDERS, partner)).values()
        items = entry["data"]["orderedItem"]
        assert [item["cancellationMessage"] for item in items] == ["The teacher is ill."] * spaces
        assert all(item["orderItemStatus"].endswith("SellerCancelled") for item in items)
    shown = (await world.read_feed("/feeds/scheduled-sessions"))["yoga"]["data"]
    assert shown["eventStatus"].endswith("EventCancelled")
    assert "Who was told of the cancellation" in (await cat.open(f"/console/register/{PATH}")).text


async def test_the_page_afterwards_shows_which_brokers_have_read_the_change(world: World, sign_in: SignIn) -> None:
    page = await cancel(await sign_in("ann"))
    assert "2 changes have not been read yet." in page.text
    assert "Alice 1 0 0 of 1 read" in page.text
    await read(world, "alice")
    page = await (await sign_in("ann")).open(CANCELLED)
    assert "Alice 1 0 read" in page.text
    assert "Bob 1 0 0 of 1 read" in page.text
    await read(world, "bob")
    assert "All partners have read it." in (await (await sign_in("ann")).open(CANCELLED)).text


async def test_a_change_after_the_last_reading_is_unread(world: World, sign_in: SignIn) -> None:
    await cancel(await sign_in("ann"))
    await read(world, "alice")
    second = await book(world, "alice", FETE)
    page = await cancel(await sign_in("ann"), f"/console/cancel/{FETE[-1].path}")
    assert "Alice 1 0 0 of 1 read" in page.text
    assert second in await read(world, "alice")
    assert "All partners have read it." in (await (await sign_in("ann")).open(page.url)).text


async def test_a_stopped_broker_is_not_told(world: World, sign_in: SignIn) -> None:
    """Its feed shows the Order as deleted, before and after the cancellation."""
    await world.store.execute(SellerCancel(order=OrderKey("alice", UUID), numbers=frozenset({1}), actor=MANAGER))
    world.pass_time(seconds=1)
    stop = Withhold(partnership=Partnership("alice", CENTRE.key), withheld=True, actor=MANAGER)
    await world.store.execute(stop)
    await read(world, "alice")
    page = await (await sign_in("ann")).open(CANCEL)
    assert "Alice stopped: tell its 1 customer yourself 1 0 1 1" in page.text
    page = await cancel(await sign_in("ann"))
    assert "Alice 1 0 not told: you have stopped this partner" in page.text
    assert "2 changes have not been read yet." in page.text


async def test_customers_of_the_front_desk_are_told_by_the_seller(world: World, sign_in: SignIn) -> None:
    assert not (await world.store.execute(desk_booking(YOGA, new_uuid()))).has_errors
    ann = await sign_in("ann")
    await cancel(ann)
    await read(world, "alice")
    await read(world, "bob")
    page = await ann.open(CANCELLED)
    assert "front desk 1 0 has no feed: tell the customers yourself" in page.text
    assert "All partners have read it. Tell the customers of the front desk yourself." in page.text


async def test_open_proposals_are_counted_and_rejected(approving: World, sign_in: SignIn) -> None:
    path = PARTY[-1].path
    body = proposal_of(approving, PARTY, PARTY)
    uuid = new_uuid()
    assert (await approving.call("PUT", f"order-proposals/{uuid}", body)).status_code == 201
    page = await (await sign_in("cat")).open(f"/console/cancel/{path}")
    assert "This cancels 0 bookings and 1 open proposal of 1 customer, 2 spaces in all." in page.text
    page = await cancel(await sign_in("cat"), f"/console/cancel/{path}", message="No hall.")
    assert "Alice 0 1 0 of 1 read" in page.text
    entry = (await read(approving, "alice", PROPOSALS))[uuid]
    assert entry["data"]["orderProposalStatus"].endswith("SellerRejected")
    assert "Alice 0 1 read" in (await (await sign_in("cat")).open(page.url)).text


async def test_a_part_of_an_event_is_cancelled_with_it(world: World, sign_in: SignIn) -> None:
    talk = event("speech", parent=headline_event("summit"))
    await world.store.execute(Publish(tuple(talk), actor=MANAGER))
    await book(world, "alice", talk)
    path = f"/console/cancel/{talk[0].path}"
    assert "This cancels 1 booking of 1 customer, 1 space in all." in (await (await sign_in("ann")).open(path)).text
    page = await cancel(await sign_in("ann"), path)
    assert "Alice 1 0 0 of 1 read" in page.text


@pytest.fixture
async def crowd(world: World) -> list[Any]:
    """Return an event of 20 spaces, of which eleven Customers have booked one each."""
    gala = event("gala", capacity=20)
    await world.store.execute(Publish(tuple(gala), actor=MANAGER))
    for number in range(11):
        await book(world, "alice" if number % 2 else "bob", gala)
    return gala


@pytest.mark.parametrize("typed", ["", "10", "eleven"])
async def test_a_wrong_number_of_customers_is_refused_at_its_field(
    world: World, sign_in: SignIn, crowd: list[Any], typed: str
) -> None:
    path = f"/console/cancel/{crowd[-1].path}"
    page = await cancel(await sign_in("ann"), path, message="Storm.", customers=typed)
    assert (page.status, page.summary[0]) == (422, "customers")
    assert "Type 11, the number of customers that this concerns." in page.text
    assert "Storm." in page.response.text
    assert page.fields["customers"]["value"] == typed
    assert await world.read_feed(ORDERS) == {}


async def test_many_customers_are_confirmed_by_their_typed_number(
    world: World, sign_in: SignIn, crowd: list[Any]
) -> None:
    page = await cancel(await sign_in("ann"), f"/console/cancel/{crowd[-1].path}", customers=" 11 ")
    assert "Session cancelled." in page.text
    assert len(await world.read_feed(ORDERS)) == 5
    assert len(await world.read_feed(ORDERS, "bob")) == 6


async def test_a_setting_says_how_many_customers_are_confirmed(tmp_path: Path) -> None:
    async with open_world("memory", tmp_path, confirm_customers=0) as world:
        await book(world, "alice", YOGA)
        page = await cancel(await signed_in(world, "ann"))
        assert (page.status, page.summary[0]) == (422, "customers")


async def test_a_second_cancellation_has_nothing_left_to_cancel(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    await cancel(ann, message="First.")
    page = await ann.open(CANCEL)
    assert "Nothing is left to cancel: this session is cancelled already." in page.text
    assert CANCEL not in [form.action for form in page.forms]
    page = await ann.post(CANCEL, {**page.forms[0].fields, "message": "Second."})
    assert page.status == 422
    (entry,) = (await world.read_feed(ORDERS)).values()
    assert {item["cancellationMessage"] for item in entry["data"]["orderedItem"]} == {"First."}


async def test_of_two_people_who_cancel_at_once_one_is_told_that_nothing_is_left(world: World, sign_in: SignIn) -> None:
    visitors = [await sign_in("ann"), await sign_in("cat")]
    opened = [await visitor.open(CANCEL) for visitor in visitors]
    pages = await asyncio.gather(
        *(
            visitor.post(CANCEL, {**page.forms[-1].fields, "message": f"Message {number}."})
            for number, (visitor, page) in enumerate(zip(visitors, opened, strict=True))
        )
    )
    assert sorted(page.status for page in pages) == [200, 422]
    winner = [page.status for page in pages].index(200)
    (entry,) = (await world.read_feed(ORDERS)).values()
    assert {item["cancellationMessage"] for item in entry["data"]["orderedItem"]} == {f"Message {winner}."}


async def test_a_stale_form_shows_the_present_bookings_and_does_nothing(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    stale = await ann.open(CANCEL)
    await book(world, "bob", YOGA)
    page = await ann.post(CANCEL, {**stale.forms[-1].fields, "message": "The teacher is ill."})
    assert page.status == 422
    assert "The bookings have changed since you opened this page." in page.text
    assert "3 bookings of 3 customers, 4 spaces" in page.text
    assert "The teacher is ill." in page.response.text
    assert await world.read_feed(ORDERS) == {}


async def test_a_message_that_is_too_long_is_refused_at_its_field(world: World, sign_in: SignIn) -> None:
    page = await cancel(await sign_in("ann"), message="x" * 1001)
    assert (page.status, page.summary[0]) == (422, "message")
    assert await world.read_feed(ORDERS) == {}


async def test_an_occurrence_that_is_over_is_not_cancelled(world: World, sign_in: SignIn) -> None:
    world.pass_time(days=3)
    ann = await sign_in("ann")
    page = await ann.open(CANCEL)
    assert "this session has taken place already" in page.text
    assert (await ann.post(CANCEL, page.forms[0].fields)).status == 422
    assert await world.read_feed(ORDERS) == {}


async def test_an_occurrence_without_bookings_is_cancelled(world: World, sign_in: SignIn) -> None:
    ann, path = await sign_in("ann"), f"/console/cancel/{FETE[-1].path}"
    assert "Nobody has booked this session." in (await ann.open(path)).text
    page = await cancel(ann, path)
    assert "Nobody had booked this session when it was cancelled." in page.text
    assert (await world.read_feed("/feeds/events"))["fete"]["data"]["eventStatus"].endswith("EventCancelled")


async def test_another_seller_has_no_such_occurrence(world: World, sign_in: SignIn) -> None:
    ben = await sign_in("ben")
    own = await ben.open("/console")
    assert (await ben.open(CANCEL)).status == 404
    assert (await ben.open(CANCELLED)).status == 404
    assert (await ben.post(CANCEL, own.forms[0].fields)).status == 404
    assert await world.read_feed(ORDERS) == {}


async def test_a_forged_form_cancels_nothing(world: World, sign_in: SignIn) -> None:
    page = await (await sign_in("ann")).post(CANCEL, {"form_token": "0" * 64})
    assert page.status == 403
    assert await world.read_feed(ORDERS) == {}


async def test_a_former_seller_does_not_cancel_the_session_that_another_seller_sells_now(
    world: World, sign_in: SignIn
) -> None:
    """The former Seller still sees the session with its bookings, and cancels these one by one."""
    await world.store.execute(Withdraw(sources=frozenset({YOGA[-1].source}), actor=MANAGER))
    taken_over = tuple(replace(member, seller=STUDIO.key) for member in YOGA)
    await world.store.execute(Publish(taken_over, actor=MANAGER))
    ann = await sign_in("ann")
    page = await ann.open(CANCEL)
    assert "This session is no longer published. Cancel its bookings one by one." in page.text
    token = (await ann.open("/password")).form("/password").fields["form_token"]
    assert (await ann.post(CANCEL, {"form_token": token, "seen": "", "message": ""})).status == 422
    shown = (await world.read_feed("/feeds/scheduled-sessions"))["yoga"]["data"]
    assert not shown.get("eventStatus", "").endswith("Cancelled")
    assert await world.read_feed(ORDERS, "alice") == {}
    assert "Yoga" in (await ann.open(f"/console/register/{PATH}")).text
