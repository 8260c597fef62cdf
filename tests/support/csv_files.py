"""CSV files as a spreadsheet reads them."""

import csv
from io import StringIO

import httpx2


def read_csv(response: httpx2.Response) -> list[dict[str, str]]:
    """Return the rows of a CSV file by the names of the columns. It is UTF-8 and begins with a byte order mark."""
    text = response.content.decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(StringIO(text.removeprefix("\ufeff"), newline="")))
