"""Tables of rows: cells for people, and JSON for scripts. `openbooking.csv_cells` writes the rows as CSV."""

from collections import ChainMap
from collections.abc import Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, NamedTuple

import msgspec

from openbooking.back_office.descriptions import ITEM_STATUSES, ORDER_STATUSES, PROPOSAL_STATUSES
from openbooking.back_office.formats import format_money, format_short_date, format_time
from openbooking.back_office.history import ACTIONS

_WORDS: ChainMap[Any, str] = ChainMap[Any, str](ITEM_STATUSES, ORDER_STATUSES, PROPOSAL_STATUSES, ACTIONS)
_encode = msgspec.json.Encoder(decimal_format="number").encode


class TableContext(NamedTuple):
    """The values that the rows of a table need besides their records.

    Attributes:
        partners: The names of the Booking Partners by their keys.
        zone: The time zone of the times.
        now: The current time.
    """

    partners: Mapping[str, str]
    zone: tzinfo
    now: datetime

    def local(self, instant: datetime | None) -> datetime | None:
        """Return an instant in the time zone, to the second; None stays None."""
        return instant.astimezone(self.zone).replace(microsecond=0) if instant else None

    def partner_name(self, key: str) -> str:
        """Return the name of a Booking Partner, or else its key."""
        return self.partners.get(key, key)


class TableRow(msgspec.Struct, frozen=True, kw_only=True):
    """The base of rows. The names of the fields are the names of the columns in CSV and of the properties in JSON.

    Times are in the time zone of the Booking System. A Decimal is an amount of money in the currency of the field
    `currency`. A float is a fraction.

    Attributes:
        only_for_scripts: The names of the fields that tables for people leave out.
    """

    only_for_scripts: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Return the names of the columns in CSV."""
        return cls.__struct_fields__

    @classmethod
    def columns_for_people(cls) -> list[str]:
        """Return the fields that people see. Money has its currency beside it, not in a field of its own."""
        return [field for field in cls.columns() if field not in cls.only_for_scripts | {"currency"}]

    @classmethod
    def headings(cls) -> list[str]:
        """Return the headings of the table for people."""
        return [field.replace("_", " ").capitalize() for field in cls.columns_for_people()]

    def cells(self) -> list[object]:
        """Return the cells in CSV, which `openbooking.csv_cells` writes."""
        return [_join(getattr(self, field)) for field in self.columns()]

    def cells_for_people(self) -> list[str]:
        """Return the cells of the table for people."""
        return [self._text(getattr(self, field)) for field in self.columns_for_people()]

    def json(self) -> str:
        """Return the row as a JSON object, on one line."""
        return _encode(self).decode()

    def _text(self, value: object) -> str:
        match value:
            case None:
                return ""
            case Enum():
                return _WORDS.get(value, str(value))
            case datetime():
                return f"{format_short_date(value)} {format_time(value)}"
            case Decimal():
                return format_money(value, getattr(self, "currency", None))
            case float():
                return f"{value:.0%}"
            case _:
                return str(_join(value, ", "))


def _join(value: object, separator: str = " ") -> object:
    return separator.join(map(str, value)) if isinstance(value, tuple) else value
