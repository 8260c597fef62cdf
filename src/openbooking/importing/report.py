"""What an import reports: for every item what it became or why not, which Orders that reached, and a summary."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import IntEnum, StrEnum
from typing import IO

import msgspec

from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.report import OrdersReached


class Outcome(StrEnum):
    """What an item, or a thing in it, became; the text begins its line."""

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


_SUMMED_UP = {
    Outcome.BOOKABLE: ("can be booked", "can be booked"),
    Outcome.NOT_BOOKABLE: ("cannot be booked", "cannot be booked"),
    Outcome.PARENT: ("is a parent of what is booked", "are parents of what is booked"),
    Outcome.SELLER: ("Seller was made", "Sellers were made"),
    Outcome.WITHDRAWN: ("was withdrawn", "were withdrawn"),
    Outcome.OFF_SALE: ("is off sale", "are off sale"),
    Outcome.UNMATCHED: ("deletion matched nothing", "deletions matched nothing"),
    Outcome.SUPERSEDED: ("came again in a later version", "came again in a later version"),
    Outcome.FAILED: ("could not be imported", "could not be imported"),
    Outcome.UNREAD: ("page could not be read", "pages could not be read"),
}
_ORDERS = {
    "cancelled": ("Order cancelled", "Orders cancelled"),
    "changed": ("Order told of the change", "Orders told of the change"),
    "kept": ("Order for it stays", "Orders for it stay"),
    "rejected": ("proposal rejected", "proposals rejected"),
}


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is reported of one item or thing: how its provider calls it, where it was, its path here.

    `orders` are the numbers of Orders and OrderProposals that it has reached, by what has become of them.
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
        orders = "".join(f"; {number:,} {_ORDERS[name][number > 1]}" for name, number in self.orders.items())
        remarks = "".join(f"\n    {remark}" for remark in self.remarks)
        return f"{self.outcome:<12}  {self.item}{at}{known_as}{reason}{orders}{remarks}"


def numbers_of(orders: OrdersReached) -> dict[str, int]:
    """How many Orders and OrderProposals have been reached, by what has become of them."""
    return {name: number for name in _ORDERS if (number := len(getattr(orders, name)))}


class ExitStatus(IntEnum):
    """What an import command exits with."""

    COMPLETE = 0
    LEFT_OUT = 1
    NOT_READ_TO_THE_END = 2


class Report:
    """Counts the lines of an import and, if wanted, writes them to a file as JSON; `show` is for people.

    `cancelled` are the Orders of which an item has been cancelled.
    """

    def __init__(self, json_lines: IO[bytes] | None = None) -> None:
        self._json_lines = json_lines
        self._counts: Counter[Outcome] = Counter()
        self.cancelled: set[OrderKey] = set()

    def tell(self, line: Line) -> None:
        """What became of one item or thing."""
        self._counts[line.outcome] += 1
        if self._json_lines:
            self._json_lines.write(msgspec.json.encode(line) + b"\n")
        self.show(line)

    def show(self, line: Line) -> None:
        """Show a line to whoever waits for the import."""

    def counting(self, what: str, total: int | None = None) -> AbstractContextManager[Callable[[], None]]:
        """Show how far something has come: a context that yields what is to be called for each one done."""
        del what, total
        return nullcontext(lambda: None)

    @property
    def exit_status(self) -> ExitStatus:
        """Whether everything was read, and whether everything that was read could be imported."""
        if self._counts[Outcome.UNREAD]:
            return ExitStatus.NOT_READ_TO_THE_END
        return ExitStatus.LEFT_OUT if self._counts[Outcome.FAILED] else ExitStatus.COMPLETE

    def summary(self) -> str:
        """How many became what."""
        told = [
            f"{count:,} {_SUMMED_UP[outcome][count > 1]}" for outcome in Outcome if (count := self._counts[outcome])
        ]
        return f"Of what was read, {'; '.join(told)}." if told else "There was nothing to import."
