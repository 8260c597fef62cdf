"""The public calendars over HTTP: media type, caching, and nothing for other paths."""

from typing import Any

import pytest
from icalendar import Calendar

from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.commands.opportunities.timetable import SaveTimetableEntry
from openbooking.booking.model.timetable import EntryKey
from openbooking.timetable.calendars.published import calendar_path, venue_calendar_path
from support.http_system import SITE, YOGA, World
from support.parties import CENTRE, MANAGER
from support.timetables import VENUE

pytestmark = pytest.mark.anyio

PATH = calendar_path(YOGA[0].path)


async def test_a_calendar_is_public_and_cached(world: World) -> None:
    answer = await world.client.get(SITE + PATH)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=900"
    event: Any
    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert str(event["UID"]).endswith(YOGA[-1].path)
    assert event["SEQUENCE"] > 0
    again = await world.client.get(SITE + PATH, headers={"If-None-Match": f'"other", {answer.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])


async def test_a_change_is_in_the_calendar_within_a_minute(world: World) -> None:
    before = await world.client.get(SITE + PATH)
    await world.store.execute(CancelOpportunity(opportunity=YOGA[-1].path, message="Ill.", actor=MANAGER))
    world.pass_time(seconds=61)
    after = await world.client.get(SITE + PATH, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    (event,) = Calendar.from_ical(after.content).walk("VEVENT")
    assert str(event["STATUS"]) == "CANCELLED"


async def test_a_venue_has_a_calendar(world: World) -> None:
    key = EntryKey(CENTRE.key, "riverside")
    await world.store.execute(PublishSeller(CENTRE, actor=MANAGER))
    await world.store.execute(SaveTimetableEntry(key=key, rule=VENUE, actor=MANAGER))
    answer = await world.client.get(SITE + venue_calendar_path(key))
    assert answer.status_code == 200
    assert b"NAME:Riverside Centre" in answer.content


@pytest.mark.parametrize(
    "path",
    [
        "/calendar/session-series/other.ics",
        f"/calendar/{YOGA[-1].path}.ics",
        "/calendar/venues/centre/other.ics",
        "/calendar/venues/centre.ics",
        "/calendar/.ics",
        "/calendar/session-series/yoga",
    ],
)
async def test_other_paths_are_not_found(world: World, path: str) -> None:
    assert (await world.client.get(SITE + path)).status_code == 404
