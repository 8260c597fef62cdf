"""The entries of a calendar are checked, and a later import changes only what the calendar says."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbooking.booking.model.timetable import Event, Price, TimetableRule, WeeklyClass
from openbooking.timetable.calendars.edit import CalendarEdit, edit_by_calendar
from openbooking.timetable.calendars.reading import EntryDefaults, read_calendar
from support.calendars import SINGLE, WEEKLY, calendar, changed
from support.parties import CENTRE
from support.timetables import LONDON, MEMBER, VENUE, WITHOUT_SITE, YOGA

NOW = datetime(2027, 2, 1, 12, tzinfo=UTC)
PRICE = Price(name="Standard", amount=Decimal("7.50"))
DEFAULTS = EntryDefaults("riverside", 20, (PRICE,), "https://example.com/classes", (YOGA,))
STORED: dict[str, TimetableRule] = {"riverside": VENUE}


def edit(
    *events: tuple[str, ...], stored: dict[str, TimetableRule] | None = None, defaults: EntryDefaults = DEFAULTS
) -> CalendarEdit:
    read = read_calendar(calendar(*events), defaults, LONDON, NOW)
    return edit_by_calendar(read, STORED if stored is None else stored, WITHOUT_SITE)


def test_new_entries_are_stored() -> None:
    found = edit(WEEKLY, SINGLE)
    assert found.left_out == ()
    assert [key.rpartition("-")[0] for key in found.rules] == ["spin", "fete"]


@pytest.mark.parametrize(
    ("defaults", "field"),
    [
        (DEFAULTS._replace(venue="moon"), "venue"),
        (DEFAULTS._replace(concepts=()), "activities"),
        (DEFAULTS._replace(url=""), "url"),
        (DEFAULTS._replace(capacity=-1), "capacity"),
    ],
)
def test_an_entry_with_faults_is_left_out(defaults: EntryDefaults, field: str) -> None:
    (left_out,) = edit(WEEKLY, defaults=defaults).left_out
    assert (left_out.line, left_out.uid) == (4, "spin@example.com")
    assert left_out.reason.startswith(f"{field}: ")


def test_an_entry_may_have_the_web_page_of_the_seller() -> None:
    read = read_calendar(calendar(WEEKLY), DEFAULTS._replace(url=""), LONDON, NOW)
    (rule,) = edit_by_calendar(read, STORED, CENTRE).rules.values()
    assert isinstance(rule, WeeklyClass)
    assert not rule.url


def test_an_unchanged_calendar_changes_nothing() -> None:
    first = edit(WEEKLY, SINGLE).rules
    assert edit(WEEKLY, SINGLE, stored={**STORED, **first}).rules == first


def test_a_later_import_keeps_what_the_calendar_does_not_say() -> None:
    first = edit(WEEKLY, SINGLE).rules
    kept = {key: replace(rule, capacity=9, prices=(PRICE, MEMBER)) for key, rule in first.items()}
    second = edit(
        changed(
            WEEKLY,
            rrule="RRULE:FREQ=WEEKLY;UNTIL=20270501",
            summary="SUMMARY:Spin and core",
            url="URL:https://a.example/",
        ),
        changed(SINGLE, duration="DURATION:PT3H"),
        stored={**STORED, **kept},
    )
    spin, fete = second.rules.values()
    assert isinstance(spin, WeeklyClass)
    assert isinstance(fete, Event)
    assert second.rules.keys() == first.keys()
    assert (spin.name, spin.last, spin.capacity, spin.prices) == ("Spin and core", date(2027, 5, 1), 9, (PRICE, MEMBER))
    assert (fete.minutes, fete.capacity) == (180, 9)


def test_an_event_that_no_longer_repeats_becomes_another_kind_of_entry() -> None:
    first = edit(WEEKLY).rules
    (rule,) = edit(changed(WEEKLY, rrule=""), stored={**STORED, **first}).rules.values()
    assert isinstance(rule, Event)
