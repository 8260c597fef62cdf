"""`openbooking timetable import-ics` takes over a calendar, and `export --ics` prints one."""

from datetime import timedelta
from pathlib import Path

import pytest
from icalendar import Calendar

from support.calendars import SINGLE, WEEKLY, calendar, changed
from support.command_line import fail, run, succeed
from support.timetable_office import TODAY, publish, store_timetable

OF_CENTRE = ("--seller", "centre")
OPTIONS = (
    *("--venue", "riverside", "--capacity", "12", "--price", "6.50", "--activity", "Yoga"),
    *("--url", "https://centre.example.org/classes", *OF_CENTRE),
)
FIRST = TODAY + timedelta(days=1)
DAILY = changed(
    WEEKLY,
    dtstart=f"DTSTART;TZID=Europe/London:{FIRST:%Y%m%d}T181500",
    dtend=f"DTEND;TZID=Europe/London:{FIRST:%Y%m%d}T190000",
    rrule="RRULE:FREQ=DAILY",
    location="LOCATION:Studio 2",
)
PARTY = changed(SINGLE, dtstart=f"DTSTART:{FIRST:%Y%m%d}T200000Z", location="LOCATION:Riverside Centre\\, bar")


@pytest.fixture
def centre(bookings: Path) -> Path:
    """Store and publish the timetable of the Centre; return the path of the database."""
    store_timetable(bookings)
    return bookings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "calendar.ics"


def test_a_calendar_becomes_entries_of_the_timetable(centre: Path, file: Path) -> None:
    file.write_bytes(calendar(DAILY, PARTY))
    before = succeed("timetable", "export", *OF_CENTRE)
    result = run("timetable", "import-ics", str(file), *OPTIONS, "--yes")
    assert result.exit_code == 0, result.output
    assert "Entries: 2 added, 0 changed, 0 removed." in result.stdout
    assert "Taken over at Riverside Centre: 1 event at 'Studio 2'." in result.stderr
    exported = succeed("timetable", "export", *OF_CENTRE)
    assert 'name = "Fete"' in exported
    assert 'name = "Spin"' in exported
    # The Seller has no VAT number, so nothing that is new is sold with VAT.
    assert exported.count('vat = "standard"') == before.count('vat = "standard"')
    assert succeed("timetable", "import-ics", str(file), *OPTIONS, "--yes") == "Nothing changes.\n"


def test_events_that_are_left_out_are_listed(centre: Path, file: Path) -> None:
    file.write_bytes(calendar(changed(DAILY, rrule="RRULE:FREQ=MONTHLY"), PARTY))
    result = run("timetable", "import-ics", str(file), *OPTIONS, "--yes")
    assert result.exit_code == 1
    assert "left out\tline 4\tspin@example.com\tIt repeats with FREQ=MONTHLY, not each week.\n" in result.stdout
    assert "Entries: 1 added" in result.stdout
    assert "Left out: 1 event, with the reasons above." in result.stderr


def test_a_dry_run_changes_nothing(centre: Path, file: Path) -> None:
    before = succeed("timetable", "export", *OF_CENTRE)
    file.write_bytes(calendar(DAILY))
    assert "--dry-run" in succeed("timetable", "import-ics", str(file), *OPTIONS, "--dry-run")
    assert succeed("timetable", "export", *OF_CENTRE) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((*OPTIONS, "--venue", "moon"), "no venue moon. Its venues are: riverside."),
        ((*OPTIONS, "--activity", "Yogalates with goats"), "activity list"),
    ],
)
def test_wrong_options_are_refused(centre: Path, file: Path, options: tuple[str, ...], words: str) -> None:
    file.write_bytes(calendar(DAILY))
    result = run("timetable", "import-ics", str(file), *options, "--yes")
    assert (result.exit_code, words in result.stderr) == (1, True), result.output


def test_a_file_that_cannot_be_read_is_reported(centre: Path, file: Path) -> None:
    assert "cannot be read" in fail(1, "timetable", "import-ics", str(file), *OPTIONS)
    file.write_bytes(b"<html>")
    assert "no iCalendar file" in fail(1, "timetable", "import-ics", str(file), *OPTIONS)


def test_export_prints_the_calendar_of_a_class_and_of_a_venue(centre: Path) -> None:
    publish(centre)
    for name in ("session-series/centre.spin", "riverside"):
        events = Calendar.from_ical(succeed("timetable", "export", "--ics", name, *OF_CENTRE)).walk("VEVENT")
        assert {str(event["SUMMARY"]) for event in events} == {"Spin"}
        assert len(events) == 56
    assert "neither" in fail(1, "timetable", "export", "--ics", "moon", *OF_CENTRE)
