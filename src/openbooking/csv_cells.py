"""CSV text for spreadsheets, in which no text is taken for a formula.

Names, notes and addresses are written by Customers and Brokers. A spreadsheet that opens a CSV file evaluates a cell
that begins with `=`, `+`, `-` or `@`; the formula could send other cells to somebody else. An apostrophe before such a
text makes spreadsheets show the text as it is.
"""

import csv
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from io import StringIO

# Also the full-width forms, which some spreadsheets read as the others, and the characters that they skip.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the full-width forms are meant
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def csv_cell(value: object) -> str:
    """Return the text of a cell.

    Numbers stay numbers, also if they are given as text (`-5.00`). Dates and times are in ISO 8601, a flag is `yes` or
    `no`, and None is empty.
    """
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
        case _:
            text = str(value)
            is_formula = text.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(text)
            return f"'{text}" if is_formula else text


def write_csv(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a CSV document (RFC 4180): a line with the names of the columns, and a line for each row."""
    document = StringIO()
    writer = csv.writer(document)
    writer.writerow([csv_cell(column) for column in columns])
    writer.writerows([csv_cell(value) for value in row] for row in rows)
    return document.getvalue()
