"""The booking sheet: court by time, on which staff close, move and book."""

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.timetable import Closure
from support.browsers.form_browser import Page
from support.console import SignIn
from support.console_timetable import Club
from support.parties import MANAGER
from support.timetables import HALL, SQUASH, VENUE, closed

pytestmark = pytest.mark.anyio

SHEET = "/console/timetable/sheet"


def text_of(page: Page) -> str:
    """Return the text of the table, without the words for screen readers."""
    shown = re.sub(r'<span class="hidden">.*?</span>', "", page.response.text.partition("<tbody>")[2])
    return " ".join(re.sub(r"<[^>]*>", " ", shown.partition("</tbody>")[0]).split())


@pytest.fixture
async def courts(club: Club) -> Club:
    """The club with two squash courts, open from 9 to 12."""
    await club.save("riverside", VENUE)
    await club.save("squash", SQUASH)
    await club.publish("squash")
    return club


async def test_the_sheet_shows_free_and_booked_times(courts: Club, sign_in: SignIn) -> None:
    slots = await courts.publish("squash")
    day = courts.today + timedelta(days=1)
    first = next(slot for slot in slots if slot.start and slot.start.date() == day)
    uuid = await courts.book(first, "Green")
    cat = await sign_in("cat")
    page = await cat.open(f"{SHEET}?day={day}")
    assert "09:00 60 min: Green Move 60 min: free Book Close 10:00" in text_of(page)
    for part, heading in ((f"/{uuid}/replace/", "Replace a booking"), ("/console/desk/book/", "Book Court 2")):
        link = re.search(rf'href="([^"]*{part}[^"]*)"', page.response.text)
        assert link
        assert heading in (await cat.open(link[1])).text


async def test_a_free_time_is_closed_from_the_sheet(courts: Club, sign_in: SignIn) -> None:
    day = courts.today + timedelta(days=1)
    cat = await sign_in("cat")
    page = await cat.open(f"{SHEET}?day={day}")
    link = re.search(r'href="(/console/timetable/close\?[^"]*)"', page.response.text)
    assert link
    form = await cat.open(link[1].replace("&amp;", "&"))
    page = await cat.send(form, "/console/timetable/close", "check")
    await cat.send(page, "/console/timetable/close", "save", name="Closed")
    closure = (await courts.entry("closed")).rule
    assert isinstance(closure, Closure)
    assert (closure.entry, closure.court, str(closure.start)) == ("squash", "1", f"{day} 09:00:00")
    assert "09:00 60 min: closed 60 min: free" in text_of(await cat.open(f"{SHEET}?day={day}"))


async def test_the_sheet_shows_why_a_time_is_not_free(courts: Club, sign_in: SignIn) -> None:
    day = courts.today + timedelta(days=2)
    slots = [slot for slot in await courts.publish("squash") if slot.start and slot.start.date() == day]
    await courts.world.store.execute(CancelOpportunity(opportunity=slots[0].path, actor=MANAGER))
    off = SetSaleState(opportunity=slots[1].path, sale=SaleState.UNPUBLISHED, actor=MANAGER)
    await courts.world.store.execute(off)
    await courts.save("floor", closed(f"{day}T10:00", f"{day}T11:00", entry="squash"))
    ann = await sign_in("ann")
    assert "09:00 60 min: cancelled 60 min: off sale 10:00 60 min: closed 60 min: closed 11:00" in text_of(
        await ann.open(f"{SHEET}?day={day}")
    )
    later = courts.today + timedelta(days=100)
    assert text_of(await ann.open(f"{SHEET}?day={later}")).startswith("09:00 60 min: not on sale yet")


async def test_a_time_is_over_after_its_end(courts: Club, sign_in: SignIn) -> None:
    assert text_of(await (await sign_in("ann")).open(SHEET)).startswith("09:00 60 min: over 60 min: over")


async def test_a_booking_takes_the_times_that_overlap_it(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("hall", replace(HALL, uses=1))
    day = club.today + timedelta(days=1)
    slots = [slot for slot in await club.publish("hall") if slot.start and slot.start.date() == day]
    await club.book(next(slot for slot in slots if slot.path.endswith("T0900Z.60")), "Green")
    page = await (await sign_in("ann")).open(f"{SHEET}?day={day}")
    taken = "taken by another time"
    assert f"09:00 60 min: Green Move 90 min: {taken} 09:30 60 min: {taken} 90 min: {taken} 10:00 60 min: free" in (
        text_of(page)
    )


async def test_a_hall_with_several_uses_shows_what_is_left(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("hall", HALL)
    day = club.today + timedelta(days=1)
    slots = [slot for slot in await club.publish("hall") if slot.start and slot.start.date() == day]
    await club.book(next(slot for slot in slots if slot.path.endswith("T0900Z.60")), "Green")
    page = await (await sign_in("ann")).open(f"{SHEET}?day={day}")
    assert "09:00 60 min: Green Move 3 left Book Close 90 min: free 3 left Book Close" in text_of(page)


async def test_a_facility_is_chosen(courts: Club, sign_in: SignIn) -> None:
    await courts.save("hall", HALL)
    ann = await sign_in("ann")
    assert "Sports hall is not open" not in (await ann.open(f"{SHEET}?entry=hall")).text
    assert (await ann.open(f"{SHEET}?entry=nothing")).status == 404


async def test_a_club_without_facilities_is_led_to_add_one(club: Club, sign_in: SignIn) -> None:
    page = await (await sign_in("ann")).open(SHEET)
    assert "No facility is in the timetable yet. Add its opening hours." in page.text
