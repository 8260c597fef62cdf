"""The publication pages link to the calendars to which people subscribe."""

import pytest

from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.opportunities.timetable import SaveTimetableEntry
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.timetable import EntryKey
from support.console import SignIn
from support.http_system import YOGA, World
from support.parties import CENTRE, MANAGER
from support.timetables import VENUE

pytestmark = pytest.mark.anyio

PUBLICATION = "/console/publication"
SERIES, SESSION = YOGA[0].path, YOGA[-1].path


async def test_a_series_on_sale_links_to_its_calendar(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    link = f'href="/calendar/{SERIES}.ics"'
    assert link in (await ann.open(f"{PUBLICATION}/{SERIES}")).response.text
    assert "/calendar/" not in (await ann.open(f"{PUBLICATION}/{SESSION}")).response.text
    await world.store.execute(SetSaleState(opportunity=SERIES, sale=SaleState.UNPUBLISHED, actor=MANAGER))
    assert link not in (await ann.open(f"{PUBLICATION}/{SERIES}")).response.text


async def test_the_venues_of_a_timetable_link_to_their_calendars(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    assert "Calendars of venues" not in (await ann.open(PUBLICATION)).text
    key = EntryKey(CENTRE.key, "riverside")
    await world.store.execute(SaveTimetableEntry(key=key, rule=VENUE, actor=MANAGER))
    assert 'href="/calendar/venues/centre/riverside.ics"' in (await ann.open(PUBLICATION)).response.text
    assert "/calendar/" not in (await (await sign_in("ben")).open(PUBLICATION)).response.text
