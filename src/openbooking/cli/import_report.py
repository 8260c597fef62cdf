"""The report of an import as people see it: lines on standard output, and how far the import has come."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from openbooking.importing.report import Line, Outcome, Report

_TELL_EVERY = 10_000


class ConsoleReport(Report):
    """Shows each line on standard output; a terminal gets colours and a bar, a file or a pipe gets neither."""

    def __init__(self, json_lines: IO[bytes] | None = None) -> None:
        super().__init__(json_lines)
        self._console = Console(soft_wrap=True, markup=False, highlight=False, emoji=False)

    def show(self, line: Line) -> None:
        """Show a line; what could not be imported is red."""
        if self._console.is_terminal:
            self._console.print(str(line), style="red" if line.outcome is Outcome.FAILED else None)
        else:
            typer.echo(str(line))

    @contextmanager
    def counting(self, what: str, total: int | None = None) -> Iterator[Callable[[], None]]:
        """Show how far something has come: yields what is to be called for each one done."""
        if self._console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            with Progress(*columns, TimeElapsedColumn(), console=self._console, transient=True) as progress:
                task = progress.add_task(what, total=total)
                yield lambda: progress.advance(task)
            return
        done = 0

        def one_more() -> None:
            nonlocal done
            done += 1
            if done % _TELL_EVERY == 0:
                typer.echo(f"{what}: {done:,}{f' of {total:,}' if total else ''}", err=True)

        yield one_more
        typer.echo(f"{what}: {done:,}", err=True)
