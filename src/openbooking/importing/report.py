"""What an import tells: for every item what it became or why not, how far it has come, and a summary."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import IO

import msgspec


class Outcome(StrEnum):
    """What an item, or a thing in it, became; the text begins its line."""

    BOOKABLE = "bookable"
    NOT_BOOKABLE = "not bookable"
    PARENT = "parent"
    SELLER = "seller"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    FAILED = "not imported"


_SUMMED_UP = {
    Outcome.BOOKABLE: ("can be booked", "can be booked"),
    Outcome.NOT_BOOKABLE: ("cannot be booked", "cannot be booked"),
    Outcome.PARENT: ("is a parent of what is booked", "are parents of what is booked"),
    Outcome.SELLER: ("Seller was made", "Sellers were made"),
    Outcome.WITHDRAWN: ("was deleted by its provider", "were deleted by their provider"),
    Outcome.SUPERSEDED: ("came again in a later version", "came again in a later version"),
    Outcome.FAILED: ("could not be imported", "could not be imported"),
}


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is told of one item or thing: how its provider calls it, where it was, by which path it is known here."""

    outcome: Outcome
    item: str
    where: str = ""
    path: str = ""
    reason: str = ""
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        known_as = f" as {self.path}" if self.path else ""
        reason = f": {self.reason}" if self.reason else ""
        at = f" ({self.where})" if self.where and self.outcome is Outcome.FAILED else ""
        remarks = "".join(f"\n    {remark}" for remark in self.remarks)
        return f"{self.outcome:<12}  {self.item}{at}{known_as}{reason}{remarks}"


class Report:
    """Counts the lines of an import and, if wanted, writes them to a file as JSON; `show` is for people."""

    def __init__(self, json_lines: IO[bytes] | None = None) -> None:
        self._json_lines = json_lines
        self._counts: Counter[Outcome] = Counter()

    def tell(self, line: Line) -> None:
        """What became of one item or thing."""
        self._counts[line.outcome] += 1
        if self._json_lines:
            self._json_lines.write(msgspec.json.encode(line) + b"\n")
        self.show(line)

    def show(self, line: Line) -> None:
        """Show a line to whoever waits for the import."""

    @contextmanager
    def counting(self, what: str, total: int | None = None) -> Iterator[Callable[[], None]]:
        """Tell how far something has come: yields what is to be called for each one done."""
        del what, total
        yield lambda: None

    @property
    def complete(self) -> bool:
        """Whether everything could be imported."""
        return not self._counts[Outcome.FAILED]

    def summary(self) -> str:
        """How many became what."""
        told = [
            f"{count:,} {_SUMMED_UP[outcome][count > 1]}" for outcome in Outcome if (count := self._counts[outcome])
        ]
        return f"Of what was read, {'; '.join(told)}." if told else "There was nothing to import."
