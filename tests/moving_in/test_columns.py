"""The CSV file of bookings is read row by row, and each fault names its line and column."""

from datetime import datetime
from decimal import Decimal

import pytest

from openbooking.booking.commands.orders.import_bookings import MOST_BOOKINGS
from openbooking.moving_in.columns import COLUMNS, MOST_BYTES, BookingFileError, RowFault, read_file

HEADING = ",".join(COLUMNS)


def read(*lines: str, heading: str = "what,start,spaces,price_paid,paid_by,email,minutes") -> tuple[RowFault, ...]:
    """Return the faults of a file."""
    return read_file("\n".join((heading, *lines)).encode()).faults


def test_every_column_is_read() -> None:
    line = 'spin,2027-03-01 18:15,45,Geoff,Capes,geoff@example.com,01234 56789,2,£15.00,card,R-1,"Two lines\nof a note"'
    (row,) = read_file(f"\ufeff{HEADING}\r\n{line}\r\n".encode()).rows
    assert row.line == 2
    assert row[1:4] == ("spin", datetime(2027, 3, 1, 18, 15), 45)  # noqa: DTZ001
    assert row.person == {
        "givenName": "Geoff", "familyName": "Capes", "email": "geoff@example.com", "telephone": "01234 56789",
    }  # fmt: skip
    assert row[5:10] == (2, Decimal("15.00"), "card", "R-1", "Two lines\nof a note")


@pytest.mark.parametrize("start", ["2027-03-01 18:15", "2027-03-01T18:15", "2027-03-01 18:15:00", "01/03/2027 18:15"])
def test_a_start_is_read_in_the_form_of_iso_8601_and_of_british_spreadsheets(start: str) -> None:
    (row,) = read_file(f"what,start\nspin,{start}\n".encode()).rows
    assert row.start == datetime(2027, 3, 1, 18, 15)  # noqa: DTZ001


def test_semicolons_separate_cells_if_the_heading_has_them() -> None:
    (row,) = read_file(b"what;start\nspin;2027-03-01 18:15\n").rows
    assert row.what == "spin"


def test_empty_cells_mean_one_space_that_is_not_paid() -> None:
    (row,) = read_file(b"what,start,spaces,price_paid\nspin,2027-03-01 18:15,,\n").rows
    assert (row.spaces, row.price_paid) == (1, None)


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (",2027-03-01 18:15", "what"),
        ("spin,2027-03-01", "start"),
        ("spin,2027-02-30 18:15", "start"),
        ("spin,2027-03-01 18:15+01:00", "start"),
        ("spin,2027-03-01 18:15,0", "spaces"),
        ("spin,2027-03-01 18:15,101", "spaces"),
        ("spin,2027-03-01 18:15,two", "spaces"),
        ("spin,2027-03-01 18:15,1,-1", "price_paid"),
        ("spin,2027-03-01 18:15,1,1e99", "price_paid"),
        ("spin,2027-03-01 18:15,1,NaN", "price_paid"),
        ("spin,2027-03-01 18:15,1,7.505", "price_paid"),
        ("spin,2027-03-01 18:15,1,,card", "price_paid"),
        ("spin,2027-03-01 18:15,1,,,geoff", "email"),
        ("spin,2027-03-01 18:15,1,,,,0", "minutes"),
        (f"{'x' * 201},2027-03-01 18:15", "what"),
    ],
)
def test_a_wrong_cell_is_reported_with_its_line_and_column(line: str, column: str) -> None:
    faults = read("spin,2027-03-01 18:15", "", line)
    assert [(fault.line, fault.column) for fault in faults] == [(4, column)]


def test_a_row_after_a_cell_of_two_lines_is_reported_with_its_own_line() -> None:
    (fault,) = read('spin,2027-03-01 18:15,"1"', '"spin\n",2027-03-01 18:15', "spin,never")
    assert (fault.line, fault.column) == (5, "start")


def test_a_row_with_too_many_cells_is_reported() -> None:
    (fault,) = read_file(b"what,start\nspin,2027-03-01 18:15,1\n").faults
    assert (fault.line, fault.column) == (2, "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"what,start\n\xff,2027", "UTF-8"),
        (b"what,start,court\n", "no column 'court'"),
        (b"what,spaces\n", "column start is missing"),
        (b"what,start,start\n", "same name"),
        (b'what,start\n"spin,2027', "not CSV"),
        (b"x" * (MOST_BYTES + 1), "Split it"),
        (b"what,start\n" + b"spin,2027-03-01 18:15\n" * (MOST_BOOKINGS + 1), "one transaction"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(BookingFileError, match=words):
        read_file(content)
