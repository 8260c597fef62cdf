"""Cells of CSV documents."""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

import pytest

from openbooking.csv_cells import csv_cell, write_csv


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])  # noqa: RUF001
def test_text_of_a_cell_starts_no_formula(start: str) -> None:
    assert csv_cell(f"{start}HYPERLINK(A1)") == f"'{start}HYPERLINK(A1)"


@pytest.mark.parametrize("text", ["-5.00+A1", "-5\n", "-", "--5", "-5.", "+447700900123"])
def test_text_that_is_almost_a_number_starts_no_formula(text: str) -> None:
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (-5, "-5"),
        (-0.5, "-0.5"),
        (Decimal("-5.00"), "-5.00"),
        (Decimal("1E+3"), "1000"),
        ("-5.00", "-5.00"),
        ("12", "12"),
        (True, "yes"),
        (False, "no"),
        (None, ""),
        (date(2026, 12, 5), "2026-12-05"),
        (datetime(2026, 12, 5, 19, tzinfo=UTC), "2026-12-05T19:00:00+00:00"),
        ("Zoë = 1", "Zoë = 1"),
        ("'quoted'", "'quoted'"),
    ],
)
def test_harmless_value_stays_as_it_is(value: object, cell: str) -> None:
    assert csv_cell(value) == cell


def test_document_is_read_back_by_a_csv_reader() -> None:
    rows = [('a "b", c', Decimal("-5.00")), ("line\r\nbreak", None)]
    document = write_csv(("name", "amount"), rows)
    assert document.startswith("name,amount\r\n")
    assert list(csv.reader(StringIO(document, newline=""))) == [
        ["name", "amount"],
        ['a "b", c', "-5.00"],
        ["line\r\nbreak", ""],
    ]
