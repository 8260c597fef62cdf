"""The report of an import: a line for each item and thing, with the Orders that it affects, and a summary."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import IntEnum, StrEnum
from typing import IO

import msgspec

from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.report import AffectedOrders


class Outcome(StrEnum):
    """The result for an item, or for a thing in it. The text begins the line of the report."""

    BOOKABLE = "bookable"
    NOT_BOOKABLE = "not bookable"
    PARENT = "parent"
    SELLER = "seller"
    WITHDRAWN = "withdrawn"
    OFF_SALE = "off sale"
    UNMATCHED = "unmatched"
    SUPERSEDED = "superseded"
    FAILED = "not imported"
    UNREAD = "not read"


_SUMMARY_TEXTS = {
    Outcome.BOOKABLE: ("can be booked", "can be booked"),
    Outcome.NOT_BOOKABLE: ("cannot be booked", "cannot be booked"),
    Outcome.PARENT: ("is a parent of Opportunities", "are parents of Opportunities"),
    Outcome.SELLER: ("Seller was added", "Sellers were added"),
    Outcome.WITHDRAWN: ("was withdrawn", "were withdrawn"),
    Outcome.OFF_SALE: ("is off sale", "are off sale"),
    Outcome.UNMATCHED: ("deletion matched nothing", "deletions matched nothing"),
    Outcome.SUPERSEDED: ("was superseded by a later version", "were superseded by later versions"),
    Outcome.FAILED: ("could not be imported", "could not be imported"),
    Outcome.UNREAD: ("page could not be read", "pages could not be read"),
}
_ORDER_TEXTS = {
    "cancelled": ("Order cancelled", "Orders cancelled"),
    "changed": ("Order changed", "Orders changed"),
    "kept": ("Order for it stays", "Orders for it stay"),
    "rejected": ("proposal rejected", "proposals rejected"),
}


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the report. The names of the attributes are those of the JSON report.

    Attributes:
        outcome: The result.
        item: The type and the provider's name of the item or thing.
        where: The position where it was found, such as "page 3 item 1".
        path: Its path in this Booking System; empty if it has none.
        reason: Why it was not imported, or cannot be booked.
        orders: The numbers of affected Orders and OrderProposals, by effect.
        remarks: What was assumed, changed or is missing.
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
    """The exit status of `openbooking import`."""

    COMPLETE = 0
    LEFT_OUT = 1
    NOT_READ_TO_THE_END = 2


class Report:
    """Counts the lines of an import, shows them, and writes them to a file as JSON lines if there is one.

    Attributes:
        cancelled: The Orders of which an item has been cancelled.
    """

    def __init__(self, json_lines: IO[bytes] | None = None) -> None:
        self._json_lines = json_lines
        self._counts: Counter[Outcome] = Counter()
        self.cancelled: set[OrderKey] = set()

    def tell(self, line: Line) -> None:
        """Add a line."""
        self._counts[line.outcome] += 1
        if self._json_lines:
            self._json_lines.write(msgspec.json.encode(line) + b"\n")
        self.show(line)

    def show(self, line: Line) -> None:
        """Show a line. This class shows nothing; subclasses override it."""

    def counting(self, what: str, total: int | None = None) -> AbstractContextManager[Callable[[], None]]:
        """Show progress: return a context that yields a function, to be called for each unit of work that is done."""
        del what, total
        return nullcontext(lambda: None)

    @property
    def exit_status(self) -> ExitStatus:
        """The exit status: whether everything was read, and whether everything that was read could be imported."""
        if self._counts[Outcome.UNREAD]:
            return ExitStatus.NOT_READ_TO_THE_END
        return ExitStatus.LEFT_OUT if self._counts[Outcome.FAILED] else ExitStatus.COMPLETE

    def summary(self) -> str:
        """Return the numbers of items and things by outcome, as a sentence."""
        counts = [
            f"{count:,} {_SUMMARY_TEXTS[outcome][count > 1]}" for outcome in Outcome if (count := self._counts[outcome])
        ]
        return f"Of what was read, {'; '.join(counts)}." if counts else "There was nothing to import."
