"""The columns of CSV files of venues, classes and courts.

`docs/reference/timetable-files.md` describes them.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

LIST_COLUMNS = frozenset({"activities", "types", "levels", "without", "lengths"})
PRICE_OPTIONS = ("cancel_before", "opens_before", "closes_before", "vat")
_DESCRIPTION = ("key", "name", "description", "url", "image", "venue")
_PEOPLE = ("leader", "levels", "minimum_age", "maximum_age")
_PRICE = re.compile(r"(?P<name>.*\S)\s+(?P<amount>\d+(?:\.\d+)?)(?P<proven>\s+proven)?", re.ASCII)
_PRICE_ADVICE = 'Give prices such as "Adult 7.50; Junior 4.00; Member 5.00 proven".'


class Layout(NamedTuple):
    """The columns of one kind of CSV file.

    Attributes:
        name: The name for people.
        kind: The kind of the entries.
        mark: A column that no other layout has.
        fields: The columns with values of the whole entry, the same in each row that has them.
        times: The list of the entry to which a row with `days` adds a time, and the columns of that time.
        parts: The other columns.
    """

    name: str
    kind: str
    mark: str
    fields: tuple[str, ...]
    times: tuple[str, tuple[str, ...]] = ("", ())
    parts: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns."""
        return (*self.fields, *self.times[1], *self.parts)


VENUES = Layout(
    "venues",
    "venue",
    "postcode",
    ("key", "name", "street", "town", "region", "postcode", "country", "latitude", "longitude"),
)
CLASSES = Layout(
    "classes",
    "class",
    "start",
    (*_DESCRIPTION, "activities", *_PEOPLE, "first", "last", "without", "capacity"),
    ("times", ("days", "start", "minutes")),
    ("prices", *PRICE_OPTIONS),
)
COURTS = Layout(
    "courts",
    "facility",
    "opens",
    (*_DESCRIPTION, "types", "first", "last", "lengths", "step", "uses"),
    ("hours", ("days", "opens", "closes")),
    ("court", "court_name", "prices", "peak_from", "peak_prices", "price_minutes", *PRICE_OPTIONS),
)
LAYOUTS = (VENUES, CLASSES, COURTS)


def split_list(cell: str) -> list[str]:
    """Return the parts of a cell, which semicolons separate."""
    return [part.strip() for part in cell.split(";") if part.strip()]


def prices_of(cell: str, options: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the prices of a cell as data of a document.

    Args:
        cell: The cell.
        options: The values of the columns of `PRICE_OPTIONS`, for each of the prices.

    Raises:
        ValueError: The cell has no prices.
    """
    found = [_PRICE.fullmatch(part) for part in split_list(cell)]
    prices = [
        {
            "name": each["name"],
            "amount": each["amount"],
            **({"audience": "proven"} if each["proven"] else {}),
            **options,
        }
        for each in found
        if each
    ]
    if not prices or len(prices) < len(found):
        raise ValueError(_PRICE_ADVICE)
    return prices
