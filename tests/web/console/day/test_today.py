"""The page of one day: its sessions, their states, and those with bookings alone."""

from datetime import timedelta

import pytest

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.model.opportunity import SaleState
from support.builders import NOW, UUID, session
from support.console import SignIn
from support.http_system import YOGA, World
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

DAY = (NOW + timedelta(days=2)).date()
PAGE = f"/console?day={DAY}"
ONLY_BOOKED = f"{PAGE}&booked=yes"
SPIN = session("spin")


@pytest.fixture(autouse=True)
async def booked(world: World) -> None:
    """Yoga is booked, and nobody has booked spinning at the same time."""
    await world.store.execute(Publish(tuple(SPIN), actor=MANAGER))
    assert (await world.call("PUT", f"orders/{UUID}", world.order(world.item(YOGA)))).status_code == 201


async def test_the_day_shows_a_session_that_has_ended_as_over(world: World, sign_in: SignIn) -> None:
    assert "1 of 10 open" in (await (await sign_in("ann")).open(PAGE)).text
    world.pass_time(days=2, hours=2)
    assert "1 of 10 over" in (await (await sign_in("ann")).open(PAGE)).text


@pytest.mark.parametrize("path", ["/console", "/console/desk"])
async def test_a_day_without_sessions_leads_managers_to_the_timetable(sign_in: SignIn, path: str) -> None:
    page = await (await sign_in("ann")).open(path)
    assert "add classes and opening hours to the timetable" in page.text
    assert '<a href="/console/timetable">add classes' in page.response.text
    assert "add classes" not in (await (await sign_in("cat")).open(path)).text


async def test_the_day_shows_a_session_that_is_off_sale(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    command = SetSaleState(opportunity=YOGA[-1].path, sale=SaleState.UNPUBLISHED, actor=MANAGER)
    await world.store.execute(command)
    assert "1 of 10 off sale" in (await ann.open(PAGE)).text
    assert "This session was taken off sale." in (await ann.open(f"/console/desk/book/{YOGA[-1].path}")).text
    assert "off sale" in (await ann.open(f"/console/desk?day={DAY}")).text


async def test_the_day_shows_sessions_with_bookings_alone(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The session with the booking is on the second page of occurrences.
    monkeypatch.setattr("openbooking.web.console.day.today._ROWS", 1)
    ann = await sign_in("ann")
    assert SPIN[-1].path in (await ann.open(PAGE)).response.text
    page = await ann.open(ONLY_BOOKED)
    assert YOGA[-1].path in page.response.text
    assert SPIN[-1].path not in page.response.text
    following = await ann.open(f"/console?day={DAY + timedelta(days=1)}&booked=yes")
    assert "Nobody has booked a session of this day." in following.text


async def test_the_day_keeps_a_part_and_sessions_with_bookings_alone_together(sign_in: SignIn) -> None:
    """Yoga starts at noon."""
    ann = await sign_in("ann")
    afternoon = await ann.open(f"{ONLY_BOOKED}&part=afternoon")
    assert YOGA[-1].path in afternoon.response.text
    assert SPIN[-1].path not in afternoon.response.text
    following = f"/console?day={DAY + timedelta(days=1)}&amp;part=afternoon&amp;booked=yes"
    for link in (following, f"{PAGE}&amp;part=evening&amp;booked=yes#found", f"{PAGE}&amp;part=afternoon"):
        assert f'href="{link}"' in afternoon.response.text
    assert afternoon.forms[-1].fields == {"day": str(DAY), "part": "afternoon", "booked": "yes"}
    evening = await ann.open(f"{ONLY_BOOKED}&part=evening")
    assert "Nobody has booked a session of this part of the day." in evening.text
