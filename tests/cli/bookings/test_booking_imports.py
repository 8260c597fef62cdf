"""`openbooking import-bookings` takes over the bookings of a former system."""

from pathlib import Path
from zoneinfo import ZoneInfo

from support.command_line import fail, run, succeed
from support.seller_office import LATER_PATH, START, YOGA_PATH

LOCAL = START.astimezone(ZoneInfo("Europe/London"))
AT_CENTRE = ("--seller", "centre")


def written(folder: Path, *rows: str) -> str:
    """Write a file of bookings; return its path."""
    file = folder / "bookings.csv"
    file.write_text("\n".join(("what,start,family_name,price_paid,reference", *rows)), encoding="utf-8")
    return str(file)


def test_a_file_is_booked_once(bookings: Path, tmp_path: Path) -> None:
    file = written(tmp_path, f"{YOGA_PATH},{LOCAL:%Y-%m-%d %H:%M},Zephyr,5.00,R-1", f"{LATER_PATH},,Zephyr")
    assert succeed("import-bookings", file, "--dry-run", *AT_CENTRE) == "Rows that can be booked: 2.\n"
    assert succeed("import-bookings", file, *AT_CENTRE) == "Rows booked: 2.\n"
    again = "Rows booked by an earlier run: 2 (line 2, 3).\nRows booked: 0.\n"
    assert succeed("import-bookings", file, *AT_CENTRE) == again
    assert len(succeed("order", "list", "--search", "Zephyr", "--json", *AT_CENTRE).splitlines()) == 2


def test_faults_are_listed_and_nothing_is_booked(bookings: Path, tmp_path: Path) -> None:
    file = written(tmp_path, f"{YOGA_PATH},,Zephyr", "scheduled-sessions/other,,Zephyr", f"{YOGA_PATH},never,Zephyr")
    result = run("import-bookings", file, *AT_CENTRE)
    assert result.exit_code == 1
    assert [line.split("\t")[:2] for line in result.stdout.splitlines()] == [["Line 3", "what"], ["Line 4", "start"]]
    assert "Nothing was booked" in result.stderr
    assert succeed("order", "list", "--search", "Zephyr", "--json", *AT_CENTRE) == ""


def test_a_file_that_is_missing_is_reported(bookings: Path, tmp_path: Path) -> None:
    assert "cannot be read" in fail(1, "import-bookings", str(tmp_path / "none.csv"), *AT_CENTRE)


def test_an_opportunity_of_another_seller_is_not_found(bookings: Path, tmp_path: Path) -> None:
    result = run("import-bookings", written(tmp_path, f"{YOGA_PATH},,Zephyr"), "--seller", "studio")
    assert result.exit_code == 1
    assert result.stdout.startswith("Line 2\twhat\t")
