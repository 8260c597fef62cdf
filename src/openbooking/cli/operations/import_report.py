"""The report of an import for people: lines on standard output, and progress."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from msgspec.structs import asdict

from openbooking.cli.output import counting, show_styled
from openbooking.importing.report import Line, Outcome, Report
from openbooking.printable import clean_text


class ConsoleReport(Report):
    """Prints each line of the report on standard output; a terminal also shows colours and a progress bar."""

    def show(self, line: Line) -> None:
        """Print a line with its remarks; a terminal shows a failure in red."""
        # Each value is cleaned before the line is formatted, so that no value can start another line.
        cleaned = Line(**{name: _clean(value) for name, value in asdict(line).items()})
        for text in str(cleaned).split("\n"):
            show_styled(text, "red" if line.outcome is Outcome.FAILED else "none")

    def counting(self, what: str, total: int | None = None) -> AbstractContextManager[Callable[[], None]]:
        """Return a context that shows progress, as `output.counting` does."""
        return counting(what, total)


def _clean(value: Any) -> Any:
    """Return a value of a line without control characters."""
    if isinstance(value, tuple):
        return tuple(map(_clean, value))
    return clean_text(value) if type(value) is str else value
