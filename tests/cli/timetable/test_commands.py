"""`openbooking timetable`: list, show, export, remove, close and week."""

import csv
import json
from datetime import timedelta
from pathlib import Path

import pytest

from openbooking.timetable.files.toml_writing import write_toml
from support.command_line import fail, misuse, run, succeed
from support.parties import CENTRE
from support.seller_office import statuses
from support.timetable_office import NOON, RULES, TODAY, book_first, occurrences, publish, store_timetable

OF_CENTRE = ("--seller", "centre")
ORDER = "00000000-0000-4000-8000-00000000000a"
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def centre(bookings: Path) -> Path:
    """Store and publish the timetable of the Centre; return the path of the database."""
    store_timetable(bookings)
    return bookings


def test_list_shows_each_entry(centre: Path) -> None:
    told = succeed("timetable", "list", *OF_CENTRE, "--json")
    rows = {row["key"]: row for row in map(json.loads, told.splitlines())}
    assert rows.keys() == RULES.keys()
    until = str(TODAY + timedelta(days=56))
    assert rows["spin"] == {
        "key": "spin", "kind": "class", "name": "Spin", "venue": "riverside", "when": "Mon-Sun 12:00", "capacity": 18,
        "published_until": until, "fault": "",
    }  # fmt: skip
    assert (rows["squash"]["when"], rows["squash"]["published_until"]) == ("Mon-Sun 09:00-12:00", until)
    table = list(csv.DictReader(succeed("timetable", "list", *OF_CENTRE, "--csv").splitlines()))
    assert [row["key"] for row in table] == list(rows)


def test_another_seller_has_no_entries(centre: Path) -> None:
    assert succeed("timetable", "export", "--seller", "studio") == ""


def test_show_prints_entries_as_toml(centre: Path) -> None:
    assert succeed("timetable", "show", "spin", *OF_CENTRE) == write_toml({"spin": NOON}, CENTRE.default_vat)
    assert "no entry yoga" in fail(1, "timetable", "show", "yoga", *OF_CENTRE)


def test_export_prints_the_whole_timetable(centre: Path) -> None:
    assert succeed("timetable", "export", *OF_CENTRE) == write_toml(RULES, CENTRE.default_vat)


def test_remove_takes_an_entry_and_its_occurrences_away(centre: Path) -> None:
    told = succeed("timetable", "remove", "spin", *OF_CENTRE, "--yes")
    assert "removed\tclass\tspin\tSpin\t0\t0\t56\t0\n" in told
    assert succeed("timetable", "export", *OF_CENTRE) == write_toml(
        {key: RULES[key] for key in ("riverside", "squash")}, CENTRE.default_vat
    )
    publish(centre)
    assert occurrences(centre, "spin") == []


def test_remove_refuses_an_entry_that_others_name(centre: Path) -> None:
    refused = fail(1, "timetable", "remove", "riverside", *OF_CENTRE, "--yes")
    assert "spin venue: There is no venue riverside." in refused
    succeed("timetable", "remove", "riverside", "spin", "squash", *OF_CENTRE, "--yes")
    assert succeed("timetable", "export", *OF_CENTRE) == ""


def test_close_closes_a_court_and_cancels_its_bookings(centre: Path) -> None:
    book_first(centre, "squash", ORDER)
    times = ("--from", f"{TOMORROW} 09:00", "--to", f"{TOMORROW} 11:00", "--name", "Floor repair")
    done = run("timetable", "close", "squash/1", *OF_CENTRE, *times, input="1\n")
    assert done.exit_code == 0, done.stderr
    assert "follows\tfacility\tsquash\tSquash courts\t0\t0\t2\t1\n" in done.stdout
    publish(centre)
    assert len(occurrences(centre, "squash")) == 335
    assert statuses(centre, f"alice/{ORDER}") == ["SellerCancelled"]
    key = f"closed-squash-1-{TOMORROW:%Y%m%d}-0900"
    assert 'name = "Floor repair"' in succeed("timetable", "show", key, *OF_CENTRE)


@pytest.mark.parametrize(
    ("place", "removed"), [("squash", {"squash": 6}), ("spin", {"spin": 1}), ("riverside", {"spin": 1, "squash": 6})]
)
def test_close_closes_an_entry_or_a_venue(centre: Path, place: str, removed: dict[str, int]) -> None:
    times = ("--from", f"{TOMORROW} 00:00", "--to", f"{TOMORROW + timedelta(days=1)} 00:00")
    told = succeed("timetable", "close", place, *OF_CENTRE, *times, "--dry-run")
    rows = [line.split("\t") for line in told.splitlines() if line.startswith("follows")]
    assert {row[2]: int(row[6]) for row in rows} == removed


@pytest.mark.parametrize(
    ("place", "times", "told"),
    [
        ("squash/9", ("2026-12-05 09:00", "2026-12-05 10:00"), "Give the key of a court of the facility."),
        ("spin/1", ("2026-12-05 09:00", "2026-12-05 10:00"), "spin is no facility, so it has no court 1."),
        ("yoga", ("2026-12-05 09:00", "2026-12-05 10:00"), "The timetable has no entry yoga."),
        ("spin", ("2026-12-05 11:00", "2026-12-05 10:00"), "The closure ends before it starts."),
    ],
)
def test_close_refuses_what_is_not_there(centre: Path, place: str, times: tuple[str, str], told: str) -> None:
    begin, end = times
    assert told in fail(1, "timetable", "close", place, *OF_CENTRE, "--from", begin, "--to", end, "--yes")


def test_close_needs_a_date_and_a_time(centre: Path) -> None:
    times = ("--from", "tomorrow", "--to", "2026-12-05 10:00")
    assert "is no date and time such as" in misuse("timetable", "close", "spin", *OF_CENTRE, *times)


def test_week_lists_the_occurrences_from_monday_to_sunday(centre: Path) -> None:
    book_first(centre, "spin", ORDER)
    day = TODAY + timedelta(days=9)
    told = succeed("timetable", "week", *OF_CENTRE, "--of", str(day), "--json")
    rows = [row for row in map(json.loads, told.splitlines()) if row["name"] in ("Spin", "Court 1", "Court 2")]
    monday = day - timedelta(days=day.weekday())
    days = {row["starts"][:10] for row in rows}
    assert days == {str(monday + timedelta(days=number)) for number in range(7)}
    assert sum(row["name"] == "Spin" for row in rows) == 7


def test_week_shows_this_week_by_default(centre: Path) -> None:
    book_first(centre, "spin", ORDER)
    same = succeed("timetable", "week", *OF_CENTRE, "--of", str(TODAY), "--csv")
    assert succeed("timetable", "week", *OF_CENTRE, "--csv") == same
