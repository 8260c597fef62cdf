"""The report of an import for people: lines on standard output, and progress."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from msgspec.structs import asdict

from openbooking.cli.output import counting, show_styled
from openbooking.importing.report import Line, Outcome, Report
from openbooking.printable import clean_text


class ConsoleReport(Report):
    """Shows each line on standard output, with colours and a progress bar if it is a terminal."""

    def show(self, line: Line) -> None:
        """Show a line and its remarks; a failure is red."""
        # Each value is cleaned before the line is put together, so that no value can begin a line of its own.
        cleaned = Line(**{name: _cleaned(value) for name, value in asdict(line).items()})
        for text in str(cleaned).split("\n"):
            show_styled(text, "red" if line.outcome is Outcome.FAILED else "none")

    def counting(self, what: str, total: int | None = None) -> AbstractContextManager[Callable[[], None]]:
        """Show progress; see `output.counting`."""
        return counting(what, total)


def _cleaned(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_cleaned, value))
    return clean_text(value) if type(value) is str else value
