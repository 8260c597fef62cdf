"""Calendars are written so that another reader finds the same texts and times, whatever the texts contain."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from openbooking.timetable.calendars.writing import CalendarEvent, write_calendar

START = datetime(2027, 7, 1, 17, 15, tzinfo=UTC)
EVENT = CalendarEvent(
    uid="https://booking.example.com/api/identifiers/events/fete",
    name="Fete",
    start=START,
    end=START + timedelta(hours=2),
    changed=datetime(2027, 6, 1, 12, tzinfo=UTC),
)


def read(event: CalendarEvent) -> dict[str, str]:
    """Return the texts of the event of a calendar, as icalendar reads them."""
    (found,) = Calendar.from_ical(write_calendar("Centre", "Europe/London", [event])).walk("VEVENT")
    assert found.errors == []
    return {name: str(value) for name, value in found.items()}


def test_a_calendar_names_its_zone_and_its_events() -> None:
    calendar = Calendar.from_ical(write_calendar("Centre, west", "Europe/London", [EVENT, EVENT]))
    assert (str(calendar["NAME"]), str(calendar["X-WR-TIMEZONE"])) == (r"Centre\, west", "Europe/London")
    first: Any
    first, _ = calendar.walk("VEVENT")
    assert (first["UID"], first["DTSTART"].dt, first["DTEND"].dt) == (EVENT.uid, EVENT.start, EVENT.end)
    assert first["LAST-MODIFIED"].dt == first["DTSTAMP"].dt == EVENT.changed


def test_the_sequence_grows_with_the_last_change() -> None:
    later = EVENT._replace(changed=EVENT.changed + timedelta(seconds=1))
    assert int(read(later)["SEQUENCE"]) == int(read(EVENT)["SEQUENCE"]) + 1
    assert int(read(EVENT._replace(changed=datetime(2085, 1, 1, tzinfo=UTC)))["SEQUENCE"]) < 2**31


@pytest.mark.parametrize(("is_cancelled", "status"), [(True, "CANCELLED"), (False, "CONFIRMED")])
def test_a_cancelled_event_says_so(is_cancelled: bool, status: str) -> None:
    assert read(EVENT._replace(is_cancelled=is_cancelled))["STATUS"] == status


@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=300))
def test_any_text_is_read_again(text: str) -> None:
    found = read(EVENT._replace(name=f"N{text}", place=f"P{text}", description=f"D{text}"))
    assert (found["SUMMARY"], found["LOCATION"], found["DESCRIPTION"]) == (f"N{text}", f"P{text}", f"D{text}")


@given(text=st.text(st.characters(exclude_categories=["Cs"])), url=st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_adds_a_property_or_a_long_line(text: str, url: str) -> None:
    event = EVENT._replace(name=text, place=text, description=text, url=url)
    content = write_calendar(text, "Europe/London", [event])
    assert max(map(len, content.split(b"\r\n"))) <= 75
    logical = content.replace(b"\r\n ", b"").split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in logical)
    names = [line.partition(b":")[0] for line in logical]
    assert len(names) <= 10 + 14 + 1
    assert names.count(b"BEGIN") == 2


def test_a_text_of_an_attacker_stays_a_text() -> None:
    found = read(EVENT._replace(name="Yoga\r\nEND:VEVENT\r\nATTENDEE:mailto:x@example.com", url="https://a\r\nX:1"))
    assert found["SUMMARY"] == "Yoga\nEND:VEVENT\nATTENDEE:mailto:x@example.com"
    assert "ATTENDEE" not in found
    assert found["URL"] == "https://aX:1"
