"""`openbooking timetable apply`: files are shown, confirmed and applied, whole or not at all."""

import csv
import json
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from openbooking.booking.model.timetable import Described, TimetableRule
from openbooking.timetable.files.toml_writing import write_toml
from support.command_line import fail, run, succeed
from support.parties import CENTRE
from support.seller_office import statuses
from support.timetable_office import NOON, RULES, book_first, occurrences, publish, store_timetable
from support.timetables import closed

OF_CENTRE = ("--seller", "centre")
ORDER = "00000000-0000-4000-8000-00000000000a"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a file with the timetable of the Centre."""
    path = tmp_path / "centre.toml"
    path.write_text(write_toml(RULES, CENTRE.default_vat), encoding="utf-8")
    return path


def write(file: Path, rules: dict[str, TimetableRule]) -> None:
    file.write_text(write_toml(rules, CENTRE.default_vat), encoding="utf-8")


def exported() -> str:
    return succeed("timetable", "export", *OF_CENTRE)


def apply(file: Path, *options: str, answer: str = "") -> tuple[int, str, str]:
    """Run the command; return its exit status, standard output and standard error."""
    done = run("timetable", "apply", str(file), *OF_CENTRE, *options, input=answer)
    return done.exit_code, done.stdout, done.stderr


def test_a_file_is_shown_confirmed_and_applied(bookings: Path, file: Path) -> None:
    status, told, _ = apply(file, answer="y\n")
    assert status == 0
    assert "added\tclass\tspin\tSpin\t56\t0\t0\t0\n" in told
    assert "added\tvenue\triverside\tRiverside Centre\t0\t0\t0\t0\n" in told
    assert told.splitlines()[-1].startswith("Entries: 3 added, 0 changed, 0 removed.")
    assert exported() == write_toml(RULES, CENTRE.default_vat)
    publish(bookings)
    assert len(occurrences(bookings, "spin")) == 56


def test_a_file_without_web_pages_changes_nothing_when_it_is_published(bookings: Path, file: Path) -> None:
    """The effect has the web page of the Seller, as the occurrences have."""
    without = {key: replace(rule, url="") if isinstance(rule, Described) else rule for key, rule in RULES.items()}
    write(file, without)
    assert apply(file, "--yes")[0] == 0
    publish(bookings)
    write(file, {**without, "late": closed("2031-01-01T10:00", "2031-01-01T11:00")})
    _, told, _ = apply(file, "--dry-run")
    assert "spin" not in told


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_nothing_is_applied_without_a_yes(bookings: Path, file: Path, answer: str) -> None:
    status, _, asked = apply(file, answer=answer)
    assert status == 1
    assert "Apply this?" in asked
    assert exported() == ""


def test_a_dry_run_shows_the_same_and_changes_nothing(bookings: Path, file: Path) -> None:
    status, dry, asked = apply(file, "--dry-run")
    assert (status, asked) == (0, "")
    assert exported() == ""
    _, told, _ = apply(file, "--yes")
    assert dry.splitlines()[:-1] == told.splitlines()[:-1]
    assert dry.splitlines()[-1] == "Nothing was changed, because of --dry-run."


def test_a_file_with_faults_is_not_applied_at_all(bookings: Path, file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("capacity = 18", "capacity = -1").replace('opens = "09:00"', 'opens = "9"'), "utf-8")
    status, told, faults = apply(file, "--yes")
    assert (status, told) == (1, "")
    (first, last) = faults.splitlines()
    assert first.startswith(f"{file}, line ")
    assert first.endswith('Give a time such as "18:15".')
    assert last == "openbooking: 1 fault found, so nothing was applied."
    assert exported() == ""


def test_the_same_file_changes_nothing(bookings: Path, file: Path) -> None:
    apply(file, "--yes")
    assert apply(file, "--yes") == (0, "Nothing changes.\n", "")


def test_entries_that_the_file_does_not_have_stay_unless_it_replaces_all(bookings: Path, file: Path) -> None:
    store_timetable(bookings)
    kept = {key: rule for key, rule in RULES.items() if key != "squash"}
    write(file, kept)
    assert apply(file, "--yes")[1] == "Nothing changes.\n"
    _, told, _ = apply(file, "--replace", "--yes")
    assert "removed\tfacility\tsquash\tSquash courts\t0\t0\t336\t0\n" in told
    assert exported() == write_toml(kept, CENTRE.default_vat)
    publish(bookings)
    assert occurrences(bookings, "squash") == []


def test_booked_occurrences_are_named_and_cancelled_after_their_number(bookings: Path, file: Path) -> None:
    store_timetable(bookings)
    booked = book_first(bookings, "spin", ORDER)
    write(file, {"spin": replace(NOON, first=NOON.first + timedelta(days=1))})
    status, told, asked = apply(file, "--message", "Closed.", answer="2\n")
    assert status == 1
    assert "This cancels 1 booked occurrence of 1 customer, and cannot be undone." in asked
    assert f"cancelled\t{booked.path}\t" in told
    assert statuses(bookings, f"alice/{ORDER}") == ["OrderItemConfirmed"]
    status, told, _ = apply(file, "--message", "Closed.", answer="1\n")
    assert status == 0
    assert "changed\tclass\tspin\tSpin\t0\t0\t1\t1\n" in told
    publish(bookings)
    assert statuses(bookings, f"alice/{ORDER}") == ["SellerCancelled"]


def test_booked_occurrences_that_change_are_named(bookings: Path, file: Path) -> None:
    store_timetable(bookings)
    booked = book_first(bookings, "spin", ORDER)
    write(file, {"spin": replace(NOON, capacity=17)})
    _, told, _ = apply(file, "--yes")
    assert "changed\tclass\tspin\tSpin\t0\t56\t0\t0\n" in told
    (line,) = (line for line in told.splitlines() if line.startswith(f"changed: capacity\t{booked.path}\t"))
    assert line.endswith("\tSpin\t1")
    publish(bookings)
    assert statuses(bookings, f"alice/{ORDER}") == ["OrderItemConfirmed"]


def test_a_changed_venue_has_all_entries_follow(bookings: Path, file: Path) -> None:
    store_timetable(bookings)
    text = write_toml({"riverside": RULES["riverside"]}, CENTRE.default_vat)
    file.write_text(
        f'{text}[closure.repair]\nname = "Repair"\nstart = "2020-01-01 09:00"\nend = "2098-01-01 09:00"\n', "utf-8"
    )
    _, told, _ = apply(file, "--dry-run")
    assert "follows\tclass\tspin\tSpin\t0\t0\t56\t0\n" in told
    assert "follows\tfacility\tsquash\tSquash courts\t0\t0\t336\t0\n" in told


def test_several_files_are_applied_together(bookings: Path, tmp_path: Path) -> None:
    venues, classes = tmp_path / "venues.csv", tmp_path / "classes.csv"
    venues.write_text("key,name,street,town,region,postcode\npark,Park,1 Road,Oxford,Oxon,OX1 1AA\n", "utf-8")
    heading = "key,name,url,venue,activities,days,start,minutes,first,capacity,prices\n"
    classes.write_text(
        f"{heading}walk,Walk,https://a.example.org/,park,Walking,Sat,9:00,60,2026-01-01,9,Free 0\n", "utf-8"
    )
    assert "no venue park" in run("timetable", "apply", str(classes), *OF_CENTRE, "--yes").stderr
    succeed("timetable", "apply", str(classes), str(venues), *OF_CENTRE, "--yes")
    assert "[venue.park]" in exported()
    assert "[class.walk]" in exported()


@pytest.mark.parametrize(
    "names", [["classes.toml"], ["courts.toml"], ["course.toml"], ["venues.csv", "classes.csv", "courts.csv"]]
)
def test_the_examples_of_the_documentation_are_applied_and_published(bookings: Path, names: list[str]) -> None:
    files = [str(Path(__file__).parents[3] / "docs" / "reference" / "timetables" / name) for name in names]
    succeed("timetable", "apply", *files, *OF_CENTRE, "--yes")
    publish(bookings)
    rows = list(csv.DictReader(succeed("timetable", "list", *OF_CENTRE, "--csv").splitlines()))
    assert len(rows) > 2
    assert {row["fault"] for row in rows} == {""}
    for row in rows:
        if row["kind"] in ("class", "facility"):
            assert occurrences(bookings, row["key"])
            assert row["published_until"]


def test_a_missing_file_and_an_unknown_seller_are_reported(bookings: Path, file: Path, tmp_path: Path) -> None:
    assert "cannot be read: No such file" in fail(1, "timetable", "apply", str(tmp_path / "no.toml"), *OF_CENTRE)
    assert "unknown" in fail(1, "timetable", "apply", str(file), "--seller", "unknown", "--yes")
    assert "Name the Seller with --seller" in fail(1, "timetable", "apply", str(file), "--yes")


def test_an_application_is_logged_with_its_command(bookings: Path, file: Path) -> None:
    apply(file, "--yes")
    entries = [json.loads(line) for line in succeed("log", *OF_CENTRE, "--json").splitlines()]
    made = [entry["actor"] for entry in entries if entry["action"] == "timetable-changed"]
    assert made == ["timetable apply"] * 3
