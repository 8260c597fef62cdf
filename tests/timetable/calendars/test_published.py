"""The public calendars show what is on sale, with ids that stay, and nothing about people."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.timetable import Course, EntryKey, Event
from openbooking.timetable.calendars.published import (
    MOST_EVENTS,
    CalendarSource,
    opportunity_calendar,
    venue_calendar,
)
from support.centre import COURTS, EVENING, FIRST, IDS, PublishedCentre
from support.parties import CENTRE, MANAGER
from support.timetables import ADULT, LONDON, VENUE, YOGA

pytestmark = pytest.mark.anyio

SPIN, SQUASH = "session-series/centre.spin", "facility-uses/centre.squash"
SESSION = "scheduled-sessions/centre.spin.20270303T1815Z.45"
FETE = Event(
    name="Fete", url="https://example.com/fete", venue="riverside", start=datetime(2027, 3, 6, 14), minutes=120,  # noqa: DTZ001
    capacity=50, prices=(ADULT,), concepts=(YOGA,),
)  # fmt: skip
COURSE = Course(
    name="Course", url="https://example.com/course", venue="riverside", times=EVENING.times[:1], first=date(2027, 3, 8),
    dates=3, capacity=9, prices=(ADULT,), concepts=(YOGA,),
)  # fmt: skip


class Subscriber:
    """A program that reads calendars of the centre."""

    def __init__(self, centre: PublishedCentre) -> None:
        self.centre = centre
        self.source = CalendarSource(centre.store, centre.store.views, IDS, LONDON)

    async def read(self, path: str) -> list[Any]:
        """Return the events of the calendar of an Opportunity."""
        content = await opportunity_calendar(self.source, path, self.centre.clock())
        assert content is not None
        return list(Calendar.from_ical(content).walk("VEVENT"))

    async def read_venue(self, key: str = "riverside") -> list[Any]:
        content = await venue_calendar(self.source, EntryKey(CENTRE.key, key), self.centre.clock())
        assert content is not None
        return list(Calendar.from_ical(content).walk("VEVENT"))


@pytest.fixture
async def subscriber() -> Subscriber:
    return Subscriber(await PublishedCentre().open(spin=EVENING, squash=COURTS, fete=FETE, course=COURSE))


async def test_a_class_is_at_the_same_time_on_the_wall_in_winter_and_in_summer(subscriber: Subscriber) -> None:
    """The clocks change on 28 March 2027."""
    events = await subscriber.read(SPIN)
    local = [event["DTSTART"].dt.astimezone(LONDON) for event in events]
    assert {f"{start:%H:%M}" for start in local} == {"18:15"}
    assert {start.utcoffset() for start in local} == {timedelta(0), timedelta(hours=1)}
    assert len(events) == 17


async def test_an_event_has_the_id_of_its_opportunity(subscriber: Subscriber) -> None:
    event = (await subscriber.read(SPIN))[1]
    assert event["UID"] == IDS.opportunity(SESSION)
    assert event["SUMMARY"] == "Spin"
    assert event["LOCATION"] == "Riverside Centre, 1 River Road, Oxford, OX1 1AA"
    assert event["URL"] == "https://centre.example.org/spin"
    assert "Mo Farrow" not in str(event)


async def test_a_cancelled_session_stays_in_the_calendar_with_a_later_sequence(subscriber: Subscriber) -> None:
    before = (await subscriber.read(SPIN))[1]
    subscriber.centre.clock.move(timedelta(minutes=1))
    await subscriber.centre.execute(CancelOpportunity(opportunity=SESSION, message=None, actor=MANAGER))
    after = (await subscriber.read(SPIN))[1]
    assert (before["UID"], before["STATUS"]) == (after["UID"], "CONFIRMED")
    assert after["STATUS"] == "CANCELLED"
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["LAST-MODIFIED"].dt > before["LAST-MODIFIED"].dt


@pytest.mark.parametrize("path", [SESSION, SPIN])
async def test_what_is_off_sale_is_in_no_calendar(subscriber: Subscriber, path: str) -> None:
    await subscriber.centre.execute(SetSaleState(opportunity=path, sale=SaleState.UNPUBLISHED, actor=MANAGER))
    content = await opportunity_calendar(subscriber.source, SPIN, FIRST)
    assert content is None or SESSION.encode() not in content.replace(b"\r\n ", b"")
    assert (content is None) == (path == SPIN)


async def test_a_facility_has_the_slots_of_all_courts_up_to_a_limit(subscriber: Subscriber) -> None:
    events = await subscriber.read(SQUASH)
    assert len(events) == 2 * 3 * 56 < MOST_EVENTS
    assert [event["SUMMARY"] for event in events[:2]] == ["Squash courts, Court 1", "Squash courts, Court 2"]
    court = await subscriber.read("individual-facility-uses/centre.squash.1")
    assert {event["SUMMARY"] for event in court} == {"Squash courts, Court 1"}
    await subscriber.centre.save("squash", replace(COURTS, lengths=(20,)))
    assert len(await subscriber.read(SQUASH)) == MOST_EVENTS


async def test_a_venue_has_its_classes_events_and_dates_of_courses(subscriber: Subscriber) -> None:
    events = await subscriber.read_venue()
    names = [event["SUMMARY"] for event in events]
    assert {name: names.count(name) for name in names} == {"Spin": 17, "Fete": 1, "Course": 3}
    starts = [event["DTSTART"].dt for event in events if event["SUMMARY"] == "Course"]
    assert [f"{start:%m-%d %H:%M}" for start in starts] == ["03-08 18:15", "03-10 18:15", "03-15 18:15"]


async def test_another_venue_has_nothing_of_this_one(subscriber: Subscriber) -> None:
    await subscriber.centre.save("hillside", replace(VENUE, name="Hillside"))
    assert await subscriber.read_venue("hillside") == []


async def test_an_unchanged_calendar_has_the_same_bytes(subscriber: Subscriber) -> None:
    first, second = [await opportunity_calendar(subscriber.source, SPIN, FIRST) for _ in range(2)]
    assert first == second


@pytest.mark.parametrize(
    "path", [SESSION, "session-series/other", "events/centre.fete", "", "../etc", "a/b/c", "x" * 9999]
)
async def test_other_paths_have_no_calendar(subscriber: Subscriber, path: str) -> None:
    assert await opportunity_calendar(subscriber.source, path, FIRST) is None


@pytest.mark.parametrize("key", ["spin", "other", ""])
async def test_other_keys_are_no_venues(subscriber: Subscriber, key: str) -> None:
    assert await venue_calendar(subscriber.source, EntryKey(CENTRE.key, key), FIRST) is None
    assert await venue_calendar(subscriber.source, EntryKey("other", "riverside"), FIRST) is None
