"""The report of an import as people see it: lines on standard output, and how far the import has come."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from msgspec.structs import asdict

from openbooking.cli.output import counting, show_styled
from openbooking.importing.report import Line, Outcome, Report
from openbooking.printable import clean_text


class ConsoleReport(Report):
    """Shows each line on standard output; a terminal gets colours and a bar, a file or a pipe gets neither."""

    def show(self, line: Line) -> None:
        """Show a line and its remarks; what could not be imported is red."""
        # Cleaned before it is written out, so that nothing in it can begin a line of its own.
        cleaned = Line(**{name: _cleaned(value) for name, value in asdict(line).items()})
        for text in str(cleaned).split("\n"):
            show_styled(text, "red" if line.outcome is Outcome.FAILED else "none")

    def counting(self, what: str, total: int | None = None) -> AbstractContextManager[Callable[[], None]]:
        """Show how far something has come: a context that yields what is to be called for each one done."""
        return counting(what, total)


def _cleaned(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_cleaned, value))
    return clean_text(value) if type(value) is str else value
