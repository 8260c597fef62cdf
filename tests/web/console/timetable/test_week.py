"""The week of a timetable, and the list of its entries."""

from datetime import datetime, time, timedelta

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.publish_occurrences import NoteTimetableFault
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.timetable import Closure, Event, Nation, TimetableRule
from openbooking.identity.partners.grants import Grants, give, revoke
from openbooking.identity.scopes import Scope
from support.builders import NOW
from support.console import SignIn
from support.console_timetable import Club
from support.parties import CENTRE, MANAGER
from support.timetables import ADULT, SPIN, SQUASH, VENUE, YOGA

pytestmark = pytest.mark.anyio

WEEK = "/console/timetable"
# The day of the sessions that an import has published.
IMPORTED = (NOW + timedelta(days=2)).date()


async def test_the_week_shows_sessions_with_booked_spaces(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("spin", SPIN)
    members = await club.publish("spin")
    await club.book(members[0], "Green")
    ann = await sign_in("ann")
    page = await ann.open(WEEK)
    assert "18:15 Spin, Mon 1 Mar 2027, 18:15 1 of 18 booked" in page.text
    assert "18:15 Spin, Wed 3 Mar 2027, 18:15 0 of 18 booked" in page.text
    assert f"/console/register/{members[0].path}" in page.response.text
    following = await ann.open(f"{WEEK}?day=2027-03-10")
    assert "Spin, Mon 8 Mar 2027, 18:15 0 of 18 booked" in following.text
    assert "Mon 1 Mar 2027, 18:15" not in following.text


async def test_the_week_marks_cancelled_and_unpublished_sessions(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("spin", SPIN)
    monday, wednesday, *_ = await club.publish("spin")
    await club.world.store.execute(CancelOpportunity(opportunity=monday.path, actor=MANAGER))
    await club.world.store.execute(SetSaleState(opportunity=wednesday.path, sale=SaleState.UNPUBLISHED, actor=MANAGER))
    page = await (await sign_in("ann")).open(WEEK)
    assert "Mon 1 Mar 2027, 18:15 0 of 18 booked cancelled" in page.text
    assert "Wed 3 Mar 2027, 18:15 0 of 18 booked off sale" in page.text


async def test_the_week_leads_to_days_with_imported_sessions(club: Club, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    imported = (await ann.open(f"/console?day={IMPORTED}")).text
    assert "Yoga" in imported
    for is_empty in (True, False):
        if not is_empty:
            await club.save("riverside", VENUE)
            await club.save("spin", SPIN)
            await club.publish("spin")
        page = await ann.open(f"{WEEK}?day={IMPORTED}")
        assert "courts and imported sessions, too" in page.text
        assert "Yoga" not in page.text
        monday = IMPORTED - timedelta(days=IMPORTED.weekday())
        assert f'href="/console?day={monday}"' in page.response.text
    assert f'href="/console?day={IMPORTED}"' in page.response.text


async def test_the_week_shows_events(club: Club, sign_in: SignIn) -> None:
    fete = Event(
        name="Fete",
        url="https://example.com/fete",
        venue="riverside",
        concepts=(YOGA,),
        start=datetime.combine(club.today + timedelta(days=4), time(14)),
        minutes=60,
        capacity=50,
        prices=(ADULT,),
    )
    await club.save("riverside", VENUE)
    await club.save("fete", fete)
    await club.publish("fete")
    assert "14:00 Fete, Fri 5 Mar 2027, 14:00 0 of 50 booked" in (await (await sign_in("ann")).open(WEEK)).text


async def test_the_list_shows_the_state_of_each_entry(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    await club.save("spin", SPIN)
    await club.save("yoga", replace(SPIN, name="Hatha", last=club.today))
    await club.save("squash", SQUASH)
    await club.save("holidays", Closure(name="Holidays", bank_holidays=Nation.WALES))
    await club.publish("spin")
    broken = await club.entry("squash")
    await club.world.store.execute(NoteTimetableFault(entry=broken, fault="It is too large."))
    page = await (await sign_in("ann")).open(WEEK)
    assert "Spin weekly class published until 26 April 2027" in page.text
    assert "Hatha weekly class published" in page.text
    assert "Squash courts facility cannot be published: It is too large." in page.text
    assert "Holidays closure, Bank holidays in Wales" in page.text


@pytest.mark.parametrize(
    ("keys", "next_step"), [((), "venue"), (("riverside",), "class"), (("riverside", "spin"), "facility")]
)
async def test_a_new_club_is_led_from_venue_to_class_to_opening_hours(
    club: Club, sign_in: SignIn, keys: tuple[str, ...], next_step: str
) -> None:
    rules: dict[str, TimetableRule] = {"riverside": VENUE, "spin": SPIN}
    for key in keys:
        await club.save(key, rules[key])
    page = await (await sign_in("ann")).open(WEEK)
    assert f'<strong><a href="/console/timetable/add/{next_step}">' in page.response.text


async def test_a_club_on_sale_is_led_to_what_apps_see_until_a_partner_can_book(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    grants = Grants(club.world.identity, club.world.store, club.world.clock)
    for partner in ("alice", "bob"):
        await grants.change(partner, CENTRE.key, revoke, MANAGER)
    ann, cat = await sign_in("ann"), await sign_in("cat")
    assert "See what is on sale" not in (await ann.open(WEEK)).text
    await club.save("squash", SQUASH)
    page = await ann.open(WEEK)
    assert "See what is on sale under Publication, and what apps read in the open feeds." in page.text
    assert "No app can book yet: the next step is Booking partners." in page.text
    assert '<a href="/partners">' in page.response.text
    staff = await cat.open(WEEK)
    assert "See what is on sale under Publication" in staff.text
    assert "No app can book yet" not in staff.text
    await grants.change("alice", CENTRE.key, give(frozenset({Scope.OPENBOOKING})), MANAGER)
    assert "See what is on sale" not in (await ann.open(WEEK)).text


async def test_a_week_with_courts_alone_leads_to_the_booking_sheet(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    ann = await sign_in("ann")
    assert "Courts are on" not in (await ann.open(WEEK)).text
    await club.save("squash", SQUASH)
    page = await ann.open(WEEK)
    assert "No class or event of the timetable takes place in this week. Courts are on the booking sheet." in page.text
    assert '<a href="/console/timetable/sheet">the booking sheet</a>' in page.response.text


async def test_staff_see_the_week_and_change_nothing(club: Club, sign_in: SignIn) -> None:
    await club.save("riverside", VENUE)
    page = await (await sign_in("cat")).open(WEEK)
    assert "Riverside Centre" in page.text
    assert f"{WEEK}/add" not in page.response.text
    assert f"{WEEK}/entries" not in page.response.text
