"""The register: attendees, and attendance that is recorded and undone."""

from datetime import timedelta

import pytest

from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.record import OrderRecord
from openbooking.openactive.terms import OrderItemStatus
from support.builders import NOW, UUID, new_uuid
from support.console import SignIn
from support.http_system import YOGA, World
from support.parties import ALICE

pytestmark = pytest.mark.anyio

PATH = YOGA[-1].path
REGISTER = f"/console/register/{PATH}"
DAY = (NOW + timedelta(days=2)).date()
CONFIRMED, ATTENDED, ABSENT = OrderItemStatus.CONFIRMED, OrderItemStatus.ATTENDED, OrderItemStatus.ABSENT


@pytest.fixture(autouse=True)
async def booked(world: World) -> None:
    """Two spaces of yoga are booked in one Order."""
    body = world.order(world.item(YOGA), world.item(YOGA, 1), total=24)
    assert (await world.call("PUT", f"orders/{UUID}", body)).status_code == 201


async def statuses(world: World, uuid: str = UUID) -> list[OrderItemStatus]:
    record = await world.store.execute(GetOrder(caller=ALICE, uuid=uuid))
    assert isinstance(record, OrderRecord)
    return [state.status for state in record.states]


def begin(world: World) -> None:
    """Move the clock to the middle of the session."""
    world.pass_time(days=2, minutes=30)


async def test_the_day_lists_the_sessions_with_their_booked_spaces(sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    page = await ann.open(f"/console?day={DAY}")
    assert "Wednesday 3 March 2027" in page.text
    assert "12:00\N{EN DASH}13:00" in page.text
    assert "2 of 10" in page.text
    empty = await ann.open("/console")
    assert "Today, Monday 1 March 2027" in empty.text
    assert "No session of" in empty.text


async def test_the_register_of_an_open_session_leads_to_the_front_desk(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    assert f'<a href="/console/desk/book/{PATH}">Book at the front desk</a>' in (await ann.open(REGISTER)).response.text
    world.pass_time(days=2, hours=2)
    assert "Book at the front desk" not in (await (await sign_in("ann")).open(REGISTER)).text


@pytest.mark.parametrize("path", ["/console", "/console/desk"])
async def test_a_part_of_the_day_lists_the_sessions_that_start_in_it(sign_in: SignIn, path: str) -> None:
    """The session starts at noon."""
    ann = await sign_in("ann")
    shown = {}
    for part in ("", "morning", "afternoon", "evening", "tea-time"):
        page = await ann.open(f"{path}?day={DAY}&part={part}")
        shown[part] = "12:00\N{EN DASH}13:00" in page.text
    assert shown == {"": True, "morning": False, "afternoon": True, "evening": False, "tea-time": True}
    page = await ann.open(f"{path}?day={DAY}&part=evening")
    assert "No session of Riverside Centre starts in this part of the day." in page.text
    assert f'href="{path}?day={DAY + timedelta(days=1)}&amp;part=evening"' in page.response.text
    assert page.forms[-1].fields == {"day": str(DAY), "part": "evening"}


@pytest.mark.parametrize("path", ["/console", "/console/desk", "/console/desk/takings"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "soon"])
async def test_a_day_without_neighbours_shows_today(sign_in: SignIn, path: str, day: str) -> None:
    page = await (await sign_in("ann")).open(f"{path}?day={day}")
    assert page.status == 200
    assert "1 March 2027" in page.text


async def test_the_register_lists_each_attendee_with_what_was_asked_for(sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    page = await ann.open(REGISTER)
    assert page.status == 200
    assert "2 of 10 booked, 0 attended." in page.text
    assert page.text.count("Geoff") >= 2


async def test_attendance_is_recorded_for_one_attendee_and_undone(world: World, sign_in: SignIn) -> None:
    begin(world)
    ann = await sign_in("ann")
    page = await ann.open(REGISTER)
    token = page.forms[-1].fields["form_token"]
    page = await ann.post(REGISTER, {"form_token": token, "anchor": f"a-alice-{UUID}-2", "attended": "yes"})
    assert page.url.endswith(f"#a-alice-{UUID}-2")
    assert "Attendance recorded." in page.text
    assert await statuses(world) == [CONFIRMED, ATTENDED]
    await ann.post(REGISTER, {"form_token": token, "anchor": f"a-alice-{UUID}-1", "attended": "no"})
    assert await statuses(world) == [ABSENT, ATTENDED]
    assert "All others attended" not in (await ann.open(REGISTER)).text
    page = await ann.post(REGISTER, {"form_token": token, "anchor": f"a-alice-{UUID}-2", "attended": "undo"})
    assert "Record of attendance removed." in page.text
    assert "All others attended" in page.text
    assert await statuses(world) == [ABSENT, CONFIRMED]


async def test_attendance_is_recorded_for_all_who_have_no_record(world: World, sign_in: SignIn) -> None:
    second = new_uuid()
    await world.call("PUT", f"orders/{second}", world.order(world.item(YOGA)))
    begin(world)
    cat = await sign_in("cat")
    page = await cat.open(REGISTER)
    page = await cat.post(REGISTER, {**page.forms[-1].fields, "anchor": f"a-alice-{UUID}-1", "attended": "no"})
    fields = {"form_token": page.forms[-1].fields["form_token"], "all": "yes", "attended": "yes"}
    page = await cat.post(REGISTER, fields)
    assert "3 of 10 booked, 2 attended." in page.text
    assert await statuses(world) == [ABSENT, ATTENDED]
    assert await statuses(world, second) == [ATTENDED]


async def test_a_session_that_has_not_begun_needs_a_confirmation(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    page = await ann.open(REGISTER)
    page = await ann.post(REGISTER, {**page.forms[-1].fields, "anchor": f"a-alice-{UUID}-1", "attended": "yes"})
    assert "This session has not begun" in page.text
    assert "Record now that Geoff" in page.text
    assert "Leave it as it is" in page.text
    assert await statuses(world) == [CONFIRMED, CONFIRMED]
    confirmation = next(form for form in page.forms if "confirmed" in form.fields)
    await ann.post(REGISTER, confirmation.fields)
    assert await statuses(world) == [ATTENDED, CONFIRMED]


async def test_the_broker_sees_attendance_in_its_orders_feed(world: World, sign_in: SignIn) -> None:
    begin(world)
    ann = await sign_in("ann")
    page = await ann.open(REGISTER)
    await ann.post(REGISTER, {**page.forms[-1].fields, "all": "yes", "attended": "yes"})
    entry = (await world.read_feed("/api/orders-rpde"))[UUID]
    assert {item["orderItemStatus"] for item in entry["data"]["orderedItem"]} == {ATTENDED}


async def test_another_seller_has_no_such_session(world: World, sign_in: SignIn) -> None:
    begin(world)
    ben = await sign_in("ben")
    own = await ben.open("/console")
    assert (await ben.open(REGISTER)).status == 404
    form = {**own.forms[-1].fields, "all": "yes", "attended": "yes"}
    assert (await ben.post(REGISTER, form)).status == 404
    assert await statuses(world) == [CONFIRMED, CONFIRMED]


async def test_attendees_of_another_session_are_left_alone(world: World, sign_in: SignIn) -> None:
    begin(world)
    ann = await sign_in("ann")
    page = await ann.open(REGISTER)
    await ann.post(REGISTER, {**page.forms[-1].fields, "anchor": "a-alice-nobody-1", "attended": "yes"})
    assert await statuses(world) == [CONFIRMED, CONFIRMED]
