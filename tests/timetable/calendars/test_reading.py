"""Events of calendars become weekly classes and single events as a whole, or are left out with the reason."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from openbooking.booking.model.timetable import Event, Price, WeeklyClass, WeeklyTime
from openbooking.timetable.calendars.components import MOST_BYTES, MOST_EVENTS, CalendarFileError
from openbooking.timetable.calendars.reading import EntryDefaults, ReadCalendar, entry_key, read_calendar
from openbooking.timetable.recurrence import weekly_times
from support.calendars import BEGIN, SINGLE, WEEKLY, calendar, changed
from support.timetables import FRIDAY, LONDON, MONDAY, WEDNESDAY, YOGA

NOW = datetime(2027, 2, 1, 12, tzinfo=UTC)
PRICE = Price(name="Standard", amount=Decimal("7.50"))
DEFAULTS = EntryDefaults("riverside", 20, (PRICE,), "https://example.com/classes", (YOGA,))


def read(*events: tuple[str, ...], now: datetime = NOW, zone: ZoneInfo = LONDON) -> ReadCalendar:
    return read_calendar(calendar(*events), DEFAULTS, zone, now)


def weekly(**lines: str) -> WeeklyClass:
    """Return the class of the weekly event with other lines."""
    found = read(changed(WEEKLY, **lines))
    assert found.left_out == ()
    (entry,) = found.entries
    assert isinstance(entry.rule, WeeklyClass)
    return entry.rule


def single(**lines: str) -> Event:
    found = read(changed(SINGLE, **lines))
    assert found.left_out == ()
    (entry,) = found.entries
    assert isinstance(entry.rule, Event)
    return entry.rule


def reason(*events: tuple[str, ...]) -> str:
    """Return the reason why all events are left out."""
    found = read(*events)
    assert found.entries == ()
    (text,) = {each.reason for each in found.left_out}
    assert len(found.left_out) == len(events)
    return text


def test_a_weekly_event_becomes_a_class() -> None:
    rule = weekly(description="DESCRIPTION:Hard\\, but\\nfun.", url="URL:https://example.com/spin")
    assert rule == WeeklyClass(
        name="Spin",
        description="Hard, but\nfun.",
        url="https://example.com/spin",
        venue="riverside",
        concepts=(YOGA,),
        times=(WeeklyTime((MONDAY, WEDNESDAY), time(18, 15), 45),),
        first=date(2027, 3, 1),
        capacity=20,
        prices=(PRICE,),
    )


def test_a_single_event_in_another_time_zone_is_converted() -> None:
    """13:00 in UTC is 14:00 on London's clock in June."""
    assert (single().start, single().minutes) == (datetime(2027, 6, 5, 14), 120)  # noqa: DTZ001
    in_paris = single(dtstart="DTSTART;TZID=Europe/Paris:20271205T130000")
    assert in_paris.start == datetime(2027, 12, 5, 12)  # noqa: DTZ001


def test_a_time_without_a_zone_is_on_the_wall_clock() -> None:
    assert single(dtstart="DTSTART:20270605T130000").start == datetime(2027, 6, 5, 13)  # noqa: DTZ001


def test_names_of_windows_time_zones_are_known() -> None:
    rule = weekly(
        dtstart="DTSTART;TZID=GMT Standard Time:20270301T181500", dtend="DTEND;TZID=GMT Standard Time:20270301T190000"
    )
    assert rule.times[0].start == time(18, 15)


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("UNTIL=20270405", date(2027, 4, 5)),
        ("UNTIL=20270405T171500Z", date(2027, 4, 5)),
        ("UNTIL=20270405T171400Z", date(2027, 4, 4)),
        ("COUNT=3", date(2027, 3, 8)),
        ("UNTIL=99991231T235959Z", None),
    ],
)
def test_the_end_of_a_repetition_is_the_last_date(until: str, last: date | None) -> None:
    assert weekly(rrule=f"RRULE:FREQ=WEEKLY;BYDAY=MO,WE;{until}").last == last


def test_the_day_of_the_first_date_repeats_if_no_other_is_named() -> None:
    assert weekly(rrule="RRULE:FREQ=WEEKLY").times[0].days == (MONDAY,)
    assert weekly(rrule="RRULE:FREQ=DAILY").times[0].days == tuple(range(7))
    assert weekly(rrule="RRULE:FREQ=DAILY;BYDAY=FR,MO").times[0].days == (MONDAY, FRIDAY)


def test_excluded_dates_are_those_without_the_class() -> None:
    """A time at which it does not take place, and a date in the past, exclude nothing."""
    rule = weekly(
        exdate="EXDATE;TZID=Europe/London:20270308T181500,20270310T181500",
        exdate_2="EXDATE;VALUE=DATE:20270331",
        exdate_3="EXDATE:20270407T171500Z",
        exdate_4="EXDATE;TZID=Europe/London:20270315T180000,20270316T181500,20270125T181500",
    )
    assert rule.without == (date(2027, 3, 8), date(2027, 3, 10), date(2027, 3, 31), date(2027, 4, 7))


def test_an_override_that_cancels_a_date_excludes_it() -> None:
    override = (WEEKLY[0], "RECURRENCE-ID;TZID=Europe/London:20270303T181500", "STATUS:CANCELLED")
    (entry,) = read(WEEKLY, override).entries
    assert isinstance(entry.rule, WeeklyClass)
    assert entry.rule.without == (date(2027, 3, 3),)


def test_an_override_that_moves_a_date_leaves_out_the_whole_class() -> None:
    override = (WEEKLY[0], "RECURRENCE-ID;TZID=Europe/London:20270303T181500", "DTSTART:20270303T190000Z")
    found = read(WEEKLY, override, SINGLE)
    assert [entry.uid for entry in found.entries] == ["fete@example.com"]
    assert [(each.line, each.uid) for each in found.left_out] == [(4, "spin@example.com"), (11, "spin@example.com")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("RRULE:FREQ=MONTHLY;BYDAY=1MO", "FREQ=MONTHLY"),
        ("RRULE:FREQ=WEEKLY;BYDAY=MO;BYSETPOS=1", "BYSETPOS"),
        ("RRULE:FREQ=WEEKLY;BYDAY=MO;BYMONTH=3", "BYMONTH"),
        ("RRULE:FREQ=WEEKLY;INTERVAL=2", "INTERVAL=2"),
        ("RRULE:FREQ=WEEKLY;BYDAY=1MO", "1MO"),
        ("RRULE:FREQ=WEEKLY;BYDAY=TU", "first date"),
        ("RRULE:FREQ=WEEKLY;COUNT=100000", "100000 times"),
        ("RRULE:FREQ=HOURLY", "FREQ=HOURLY"),
        ("RRULE:FREQ=NEVER", "RRULE cannot be read"),
        ("RRULE:FREQ=WEEKLY;UNTIL=20270101", "ended"),
    ],
)
def test_a_repetition_that_is_not_weekly_is_left_out(line: str, words: str) -> None:
    assert words in reason(changed(WEEKLY, rrule=line))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ({"dtstart": "DTSTART;VALUE=DATE:20270605", "duration": "DURATION:P1D"}, "whole days"),
        ({"dtstart": ""}, "no DTSTART"),
        ({"dtstart": "DTSTART:20270605T130030Z"}, "whole minutes"),
        ({"dtstart": "DTSTART:20270605T130000Z", "rdate": "RDATE:20270606T130000Z"}, "several dates"),
        ({"dtstart": "DTSTART;TZID=Mars/Base:20270605T130000"}, "Mars/Base"),
        ({"dtstart": "DTSTART:99990605T130000Z"}, "9999"),
        ({"dtstart": "DTSTART:yesterday"}, "DTSTART cannot be read"),
        ({"duration": ""}, "no end"),
        ({"duration": "DURATION:-PT1H"}, "no end"),
        ({"duration": "DURATION:P99999999W"}, ""),
        ({"summary": ""}, "SUMMARY"),
        ({"status": "STATUS:CANCELLED"}, "cancelled"),
        ({"uid": ""}, "UID"),
        ({"dtstart": "DTSTART:20270101T130000Z"}, "ended"),
        ({"recurrence_id": "RECURRENCE-ID:20270605T130000Z"}, "missing"),
        ({"broken": "no colon"}, ""),
    ],
)
def test_an_event_that_cannot_be_represented_is_left_out(lines: dict[str, str], words: str) -> None:
    assert words in reason(changed(SINGLE, **lines))


def test_two_events_with_one_uid_are_left_out() -> None:
    assert "Several events" in reason(SINGLE, SINGLE)


def test_a_repetition_on_another_clock_is_left_out() -> None:
    """UTC is London's clock in winter only."""
    utc = changed(WEEKLY, dtstart="DTSTART:20270301T181500Z", dtend="DTEND:20270301T190000Z")
    assert "2027-03-29" in reason(utc)
    in_winter = weekly(
        dtstart="DTSTART:20270301T181500Z", dtend="DTEND:20270301T190000Z", rrule="RRULE:FREQ=WEEKLY;UNTIL=20270322"
    )
    assert in_winter.last == date(2027, 3, 22)
    weekly(dtstart="DTSTART;TZID=Europe/Dublin:20270301T181500", dtend="", duration="DURATION:PT45M")


def test_categories_name_activities() -> None:
    labels = {concept.label for concept in weekly(categories="CATEGORIES:Zumba,Nonsense,pilates,Pilates").concepts}
    assert labels == {"Zumba®", "Pilates"}


def test_locations_are_counted() -> None:
    here = changed(WEEKLY, location="LOCATION:Studio 1")
    assert read(here, changed(SINGLE, location="LOCATION:Park")).locations == {"Studio 1": 1, "Park": 1}


def test_the_key_of_an_entry_follows_from_its_name_and_uid() -> None:
    assert entry_key("Spin & Tonic!", "a") == "spin-tonic-ca978112"
    assert entry_key("瑜伽", "a") == "event-ca978112"
    assert entry_key("Spin", "a") != entry_key("Spin", "b")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no iCalendar"),
        (b"<html></html>", "no iCalendar"),
        (b"BEGIN:VCALENDAR\r\n\xff\r\nEND:VCALENDAR", "UTF-8"),
        (calendar(WEEKLY)[:150], "incomplete"),
        (calendar(WEEKLY).removesuffix(b"END:VCALENDAR\r\n"), "incomplete"),
        (b"BEGIN:VCALENDAR" + b" " * MOST_BYTES, "bytes"),
        (calendar(*[("UID:1",)] * (MOST_EVENTS + 1)), "events"),
    ],
)
def test_a_file_that_is_no_whole_calendar_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(CalendarFileError, match=words):
        read_calendar(content, DEFAULTS, LONDON, NOW)


def test_a_time_zone_that_would_take_forever_is_not_evaluated() -> None:
    zone = (
        "BEGIN:VTIMEZONE", "TZID:Forever", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0000",
        "TZOFFSETTO:+0100", "RRULE:FREQ=SECONDLY", "END:STANDARD", "END:VTIMEZONE",
    )  # fmt: skip
    event = changed(SINGLE, dtstart="DTSTART;TZID=Forever:20270605T130000")
    content = calendar(event).decode().replace(BEGIN[2], "\r\n".join((BEGIN[2], *zone)))
    (left_out,) = read_calendar(content.encode(), DEFAULTS, LONDON, NOW).left_out
    assert "Forever" in left_out.reason


@given(lines=st.lists(st.sampled_from([*WEEKLY, *SINGLE, "BEGIN:VALARM", "END:VALARM", "BEGIN:VEVENT", "DTSTART:"])))
def test_any_mixture_of_lines_is_read_or_left_out(lines: list[str]) -> None:
    found = read(tuple(lines))
    assert len(found.entries) + len(found.left_out) == 1


@given(text=st.text(alphabet="RULE:FREQ=WKYMONTHDAI;BS123,-\r\n\t ", max_size=60))
def test_any_rule_is_read_or_left_out(text: str) -> None:
    found = read(changed(WEEKLY, rrule=f"RRULE:{text}"))
    assert len(found.entries) + len(found.left_out) >= 1


@given(
    days=st.sets(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])),
    first=st.dates(date(2027, 3, 1), date(2027, 12, 31)),
    count=st.integers(1, 60),
)
def test_a_class_has_the_dates_of_its_rule(days: set[str], first: date, count: int) -> None:
    """dateutil expands the same rule to the same starts on the wall clock."""
    names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
    named = ",".join(sorted({*days, names[first.weekday()]}))
    rule = f"FREQ=WEEKLY;BYDAY={named};COUNT={count}"
    local = f"{first:%Y%m%d}T181500"
    made = weekly(
        dtstart=f"DTSTART;TZID=Europe/London:{local}", dtend="", duration="DURATION:PT45M", rrule=f"RRULE:{rule}"
    )
    expected = list(rrulestr(f"DTSTART:{local}\nRRULE:{rule}"))
    assert [each.start for each in weekly_times(made.times, made.first, made.last)] == expected
