"""Reads the CSV file of bookings. `docs/how-to/move-in.md` describes the columns."""

import csv
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from io import StringIO
from typing import Any, NamedTuple

from openbooking.booking.commands.orders.import_bookings import MOST_BOOKINGS
from openbooking.openactive.contact_details import is_email
from openbooking.openactive.money import is_price
from openbooking.user_error import UserError

MOST_BYTES = 5_000_000
_MOST_SPACES = 100
_MOST_MINUTES = 24 * 60
_LONGEST_TEXT, _LONGEST_NOTE = 200, 1000
# Spreadsheets of British users write the second form.
_STARTS = ("%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M")

_REQUIRED = ("what", "start")
COLUMNS = (
    *_REQUIRED,
    *("minutes", "given_name", "family_name", "email", "telephone", "spaces"),
    *("price_paid", "paid_by", "reference", "note"),
)


class RowFault(NamedTuple):
    """A fault of a row.

    Attributes:
        line: The line of the file in which the row begins.
        column: The column; empty if the fault is of the row as a whole.
        text: What is wrong and what to do, as a sentence.
    """

    line: int
    column: str
    text: str


class BookingRow(NamedTuple):
    """A row of the file.

    Attributes:
        line: The line of the file in which the row begins.
        what: The key of a class, facility, court, event or course, or the path of an Opportunity.
        start: The start on the wall clock; None if the file states none.
        minutes: The length; None if the file states none.
        person: The details of the Customer that are not empty, by the names of schema.org.
        spaces: The number of spaces.
        price_paid: What was paid for all spaces; None if nothing was paid yet.
        paid_by: How it was paid, in the words of the former system.
        reference: The reference of the former system.
        note: A note about the booking.
        cells: The cells as they were read, by column.
    """

    line: int
    what: str
    start: datetime | None
    minutes: int | None
    person: Mapping[str, str]
    spaces: int
    price_paid: Decimal | None
    paid_by: str
    reference: str
    note: str
    cells: Mapping[str, str]


class BookingFile(NamedTuple):
    """The rows of a file that could be read, and the faults of the others."""

    rows: tuple[BookingRow, ...]
    faults: tuple[RowFault, ...]


class BookingFileError(UserError):
    """The file as a whole cannot be read."""


def read_file(content: bytes) -> BookingFile:
    """Return the rows of a file.

    Raises:
        BookingFileError: The file is too large, is not CSV in UTF-8, or has other columns.
    """
    if len(content) > MOST_BYTES:
        raise BookingFileError(f"The file has {len(content):,} bytes; {MOST_BYTES:,} are allowed. Split it.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise BookingFileError("The file is not in UTF-8. Save it as CSV UTF-8 in your spreadsheet.") from fault
    try:
        lines = list(_lines(text))
    except csv.Error as fault:
        raise BookingFileError(f"The file is not CSV: {fault}.") from fault
    if not lines:
        raise BookingFileError("The file is empty.")
    (_, heading), *body = lines
    columns = _columns(heading)
    if len(body) > MOST_BOOKINGS:
        raise BookingFileError(
            f"The file has {len(body):,} bookings; {MOST_BOOKINGS:,} are allowed, because a file is booked in one "
            "transaction. Split it: each part is booked whole or not at all."
        )
    faults: list[RowFault] = []
    rows = [_read_row(line, columns, cells, faults) for line, cells in body]
    return BookingFile(tuple(row for row in rows if row), tuple(faults))


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with the line in which it begins."""
    heading = text.partition("\n")[0]
    reader = csv.reader(StringIO(text, newline=""), delimiter=";" if ";" in heading else ",", strict=True)
    line = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield line, [cell.strip() for cell in cells]
        line = reader.line_num + 1


def _columns(heading: list[str]) -> list[str]:
    names = [name.lower() for name in heading]
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        raise BookingFileError(f"There is no column {unknown[0]!r}. The columns are {', '.join(COLUMNS)}.")
    missing = [name for name in _REQUIRED if name not in names]
    if missing:
        raise BookingFileError(f"The column {missing[0]} is missing.")
    if len(set(names)) != len(names):
        raise BookingFileError("Two columns have the same name.")
    return names


def _read_row(line: int, columns: list[str], cells: list[str], faults: list[RowFault]) -> BookingRow | None:
    """Return a row, or None after adding its faults."""
    if len(cells) > len(columns):
        faults.append(RowFault(line, "", f"The row has {len(cells)} cells, but there are {len(columns)} columns."))
        return None
    named = dict.fromkeys(COLUMNS, "") | dict(zip(columns, cells, strict=False))
    found: list[RowFault] = []

    def read(column: str, parse: Callable[[str], Any], text: str) -> Any:
        try:
            return parse(named[column])
        except (ValueError, InvalidOperation):
            found.append(RowFault(line, column, text))
            return None

    for column, cell in named.items():
        most = _LONGEST_NOTE if column == "note" else _LONGEST_TEXT
        if len(cell) > most:
            found.append(RowFault(line, column, f"Use at most {most:,} characters."))
    row = BookingRow(
        line=line,
        what=read("what", _required, "Give the key of a class, court, event or course, or the path of an Opportunity."),
        start=read("start", _start, "Give the local date and time, such as 2027-03-01 18:15 or 01/03/2027 18:15."),
        minutes=read("minutes", _minutes, "Give the length in minutes, or leave it empty."),
        person=_person({**named, "email": read("email", _email, "Give an e-mail address, or leave it empty.") or ""}),
        spaces=read("spaces", _spaces, f"Give a number from 1 to {_MOST_SPACES}; empty means 1."),
        price_paid=read("price_paid", _price, "Give the amount in pounds, such as 7.50, or leave it empty."),
        paid_by=named["paid_by"],
        reference=named["reference"],
        note=named["note"],
        cells=named,
    )
    if row.paid_by and not named["price_paid"]:
        found.append(RowFault(line, "price_paid", "Give the amount that was paid, or leave paid_by empty."))
    faults.extend(found)
    return None if found else row


def _required(text: str) -> str:
    if not text:
        raise ValueError
    return text


def _start(text: str) -> datetime | None:
    """Return a time on the wall clock."""
    if not text:
        return None
    written = text.replace("T", " ").removesuffix(":00") if text.count(":") > 1 else text.replace("T", " ")
    for form in _STARTS:
        try:
            return datetime.strptime(written, form)  # noqa: DTZ007 - the wall clock has no zone
        except ValueError:
            continue
    raise ValueError


def _number(text: str, most: int) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if not 1 <= number <= most:
        raise ValueError
    return number


def _minutes(text: str) -> int | None:
    return _number(text, _MOST_MINUTES) if text else None


def _spaces(text: str) -> int:
    return _number(text or "1", _MOST_SPACES)


def _price(text: str) -> Decimal | None:
    if not text:
        return None
    amount = Decimal(text.removeprefix("£").strip())
    if not is_price(amount):
        raise ValueError
    return amount


def _email(text: str) -> str:
    if text and not is_email(text):
        raise ValueError
    return text


def _person(named: Mapping[str, str]) -> Mapping[str, str]:
    details = {
        "givenName": named["given_name"],
        "familyName": named["family_name"],
        "email": named["email"],
        "telephone": named["telephone"],
    }
    return {name: value for name, value in details.items() if value}
