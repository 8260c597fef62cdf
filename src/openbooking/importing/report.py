"""The report of an import: a line for each item, with the number of affected Orders, and a summary.

The report is made while the import runs: each step calls `Report.add`. `openbooking import` shows it on the terminal.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import IntEnum, StrEnum
from typing import IO

import msgspec

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.report import AffectedOrders


class Outcome(StrEnum):
    """The result for an item, or for an Opportunity in the item. Each line of the report begins with its text."""

    BOOKABLE = "bookable"
    NOT_BOOKABLE = "not bookable"
    PARENT = "parent"
    SELLER = "seller"
    WITHDRAWN = "withdrawn"
    OFF_SALE = "off sale"
    OVER = "over"
    WAITING = "waiting"
    UNMATCHED = "unmatched"
    SUPERSEDED = "superseded"
    FAILED = "not imported"
    UNREAD = "not read"


_SUMMARY_TEXTS = {
    Outcome.BOOKABLE: ("Opportunity can be booked", "Opportunities can be booked"),
    Outcome.NOT_BOOKABLE: ("Opportunity cannot be booked", "Opportunities cannot be booked"),
    Outcome.PARENT: ("parent of Opportunities", "parents of Opportunities"),
    Outcome.SELLER: ("Seller added", "Sellers added"),
    Outcome.WITHDRAWN: ("Opportunity withdrawn", "Opportunities withdrawn"),
    Outcome.OFF_SALE: ("Opportunity taken off sale", "Opportunities taken off sale"),
    Outcome.OVER: ("Opportunity that is over left out", "Opportunities that are over left out"),
    Outcome.WAITING: ("item waits for its parent", "items wait for their parents"),
    Outcome.UNMATCHED: ("deletion of an unknown item", "deletions of unknown items"),
    Outcome.SUPERSEDED: ("superseded version ignored", "superseded versions ignored"),
    Outcome.FAILED: ("item could not be imported", "items could not be imported"),
    Outcome.UNREAD: ("page could not be read", "pages could not be read"),
}
_ORDER_TEXTS = {
    "cancelled": ("Order cancelled", "Orders cancelled"),
    "changed": ("Order changed", "Orders changed"),
    "kept": ("Order for it stays", "Orders for it stay"),
    "rejected": ("proposal rejected", "proposals rejected"),
}


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the report. The JSON report uses the names of the attributes.

    Attributes:
        outcome: The result.
        item: The type of the item or Opportunity, and its name at the provider.
        where: The position of the item, such as "page 3 item 1".
        path: The path of the Opportunity in this Booking System; empty if there is none.
        reason: Why the item was not imported, or why the Opportunity cannot be booked; empty otherwise.
        orders: The numbers of affected Orders and OrderProposals, by effect.
        remarks: Remarks on values that were assumed, changed or are missing.
    """

    outcome: Outcome
    item: str
    where: str = ""
    path: str = ""
    reason: str = ""
    orders: dict[str, int] = {}
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        known_as = f" as {self.path}" if self.path else ""
        reason = f": {self.reason}" if self.reason else ""
        at = f" ({self.where})" if self.where and self.outcome is Outcome.FAILED else ""
        orders = "".join(f"; {number:,} {_ORDER_TEXTS[name][number > 1]}" for name, number in self.orders.items())
        remarks = "".join(f"\n    {remark}" for remark in self.remarks)
        return f"{self.outcome:<12}  {self.item}{at}{known_as}{reason}{orders}{remarks}"


def counts_of(orders: AffectedOrders) -> dict[str, int]:
    """Return the numbers of affected Orders and OrderProposals, by effect."""
    return {name: number for name in _ORDER_TEXTS if (number := len(getattr(orders, name)))}


class ExitStatus(IntEnum):
    """The exit status of `openbooking import`: 0, 1 if items were left out, or 2 if pages could not be read."""

    COMPLETE = 0
    LEFT_OUT = 1
    NOT_READ_TO_THE_END = 2


class Report:
    """Counts and shows the lines of an import, and writes them to a file.

    Args:
        json_lines: The file for the lines as JSON; None for no file.

    Attributes:
        cancelled: The Orders in which the import cancels an item.
    """

    def __init__(self, json_lines: IO[bytes] | None = None) -> None:
        self._json_lines = json_lines
        self._counts: Counter[Outcome] = Counter()
        self.cancelled: set[OrderKey] = set()

    def add(self, line: Line) -> None:
        """Count a line, show it, and write it to the file."""
        self._counts[line.outcome] += 1
        if self._json_lines:
            self._json_lines.write(msgspec.json.encode(line) + b"\n")
        self.show(line)

    def show(self, line: Line) -> None:
        """Show a line. This class shows nothing; a subclass may override this method."""

    def counting(self, what: str, total: int | None = None) -> AbstractContextManager[Callable[[], None]]:
        """Show progress: return a context that yields a function. Call the function for each unit of work done.

        This class shows nothing; a subclass may override this method.

        Args:
            what: The label of the progress.
            total: The number of units in all, if it is known.
        """
        del what, total
        return nullcontext(lambda: None)

    def note_published(self, opportunity: Opportunity) -> None:
        """Note a published Opportunity or parent. This class notes nothing; a subclass may override this method."""

    def count(self, outcome: Outcome) -> int:
        """Return the number of lines with an outcome."""
        return self._counts[outcome]

    @property
    def exit_status(self) -> ExitStatus:
        """The exit status of `openbooking import`: all imported, some items not imported, or not all pages read."""
        if self._counts[Outcome.UNREAD]:
            return ExitStatus.NOT_READ_TO_THE_END
        return ExitStatus.LEFT_OUT if self._counts[Outcome.FAILED] else ExitStatus.COMPLETE

    def summary(self) -> str:
        """Return the last line of the report: the number of items by outcome."""
        counts = [
            f"{count:,} {_SUMMARY_TEXTS[outcome][count > 1]}" for outcome in Outcome if (count := self._counts[outcome])
        ]
        return f"Import result: {'; '.join(counts)}." if counts else "There was nothing to import."
