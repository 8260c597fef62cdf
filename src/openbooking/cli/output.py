"""The only place where commands write to standard output, standard error and terminals.

`openbooking.printable` removes control characters from each cell, so each row is exactly one line.
`openbooking.serving.logs` does the same for logs.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from json import dumps
from traceback import format_exception
from typing import TYPE_CHECKING

import typer

from openbooking.csv_cells import write_csv
from openbooking.printable import clean_text, replace_unsafe

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

_PROGRESS_EVERY = 10_000
_REPORTED_EVERY = 100
_MOST_CHARACTERS = 10_000


def show(*cells: object) -> None:
    """Write a line of cells, separated by tabs, to standard output."""
    _write(cells, err=False)


def show_aside(*cells: object) -> None:
    """Write a line of cells, separated by tabs, to standard error."""
    _write(cells, err=True)


def show_traceback(fault: BaseException) -> None:
    """Write a traceback to standard error, without the control characters that its message may contain."""
    for line in "".join(format_exception(fault)).rstrip("\n").split("\n"):
        show_aside(line)


def show_styled(text: str, style: str = "none") -> None:
    """Write a line to standard output. A terminal shows the line in a style of rich, above the bar of `counting`."""
    console = _console()
    if console.is_terminal:
        console.print(clean_text(text), style=style)
    else:
        show(text)


def show_table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Write a table to standard output, which must be a terminal."""
    # rich is slow to load; --help must be quick.
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*heading)
    for row in rows:
        table.add_row(*(Text(clean_text(cell)) for cell in row))
    _console().print(table, soft_wrap=False)


def show_columns(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write aligned columns to a terminal. A long line runs on below, so that no reference is broken."""
    from rich.cells import cell_len  # noqa: PLC0415 - slow to load

    lines = [heading, *([shorten(clean_text(cell)) for cell in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for number, line in enumerate(lines):
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        show_styled("  ".join(padded).rstrip(), "none" if number else "bold")


def shorten(text: str) -> str:
    """Return the beginning of a text that is too long for people, such as a name of a hostile system."""
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"


def show_csv(values: Iterable[object]) -> None:
    """Write a line of CSV to standard output, without control characters and line breaks in its cells."""
    cleaned = [clean_text(value) if isinstance(value, str) else value for value in values]
    _echo(write_csv((), [cleaned]).removeprefix("\r\n").removesuffix("\r\n"))


def show_json(document: str) -> None:
    """Write a JSON document of one line to standard output. Control characters are escaped, so that none is lost."""
    _echo(replace_unsafe(document, lambda char: dumps(char)[1:-1]))


def is_terminal() -> bool:
    """Return whether standard output is a terminal, rather than a pipe or a file."""
    return _console().is_terminal


def can_ask() -> bool:
    """Return whether standard input is a terminal, at which people can be asked."""
    return sys.stdin.isatty()


def confirm(question: str) -> bool:
    """Ask a question on standard error; return whether the answer is yes."""
    return typer.confirm(clean_text(question), err=True)


def ask(question: str, read: Callable[[str], str] = str.strip) -> str:
    """Ask a question on standard error, and return what was typed.

    Args:
        question: The question.
        read: Returns the answer that a text means. If it raises `typer.BadParameter`, the question is asked again.
    """
    return str(typer.prompt(clean_text(question), err=True, value_proc=read))


def confirm_number(question: str, number: int) -> bool:
    """Ask to type a number on standard error; return whether that number was typed."""
    return str(typer.prompt(clean_text(question), err=True)).strip() == str(number)


def counting(what: str, total: int | None = None) -> AbstractContextManager[Callable[[], None]]:
    """Return a context that shows progress. Its value is a function to call after each finished item.

    A terminal shows a bar. Otherwise a line is written to standard error after every 10,000 items and at the end.

    Args:
        what: The name of the work, such as "Read".
        total: The number of items; None if it is unknown.
    """
    return _bar(what, total) if is_terminal() else _lines(what, total)


def reporting() -> AbstractContextManager[Callable[[str, str], None]]:
    """Return a context that shows how far pieces of work have come. Its value takes the name of a piece and a text.

    A terminal shows a line for each piece. Otherwise the text is written to standard error at times, and once a piece
    has ended.
    """
    return _report_on_terminal() if is_terminal() else _report_in_lines()


@contextmanager
def _report_on_terminal() -> Iterator[Callable[[str, str], None]]:
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - slow to load

    texts = (TextColumn("{task.description}", markup=False), TextColumn("{task.fields[text]}", markup=False))
    with Progress(SpinnerColumn(), *texts, TimeElapsedColumn(), console=_console(), transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def report(name: str, text: str) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(clean_text(name), total=None, text="")
            progress.update(tasks[name], text=clean_text(text))

        yield report


@contextmanager
def _report_in_lines() -> Iterator[Callable[[str, str], None]]:
    texts: dict[str, str] = {}
    told: dict[str, int] = {}

    def report(name: str, text: str) -> None:
        texts[name] = text
        told[name] = told.get(name, 0) + 1
        if told[name] % _REPORTED_EVERY == 0:
            show_aside(f"{name}: {text}")

    yield report
    for name, text in texts.items():
        show_aside(f"{name}: {text}")


@contextmanager
def _bar(what: str, total: int | None) -> Iterator[Callable[[], None]]:
    from rich.progress import (  # noqa: PLC0415 - slow to load
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=_console(), transient=True) as progress:
        task = progress.add_task(clean_text(what), total=total)
        yield lambda: progress.advance(task)


@contextmanager
def _lines(what: str, total: int | None) -> Iterator[Callable[[], None]]:
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if done % _PROGRESS_EVERY == 0:
            show_aside(f"{what}: {done:,}{f' of {total:,}' if total else ''}")

    yield advance
    show_aside(f"{what}: {done:,}")


def _write(cells: Iterable[object], *, err: bool) -> None:
    """Write a line of cells to standard output, or to standard error, without control characters."""
    _echo("\t".join(clean_text(str(cell)) for cell in cells), err=err)


def _echo(line: str, *, err: bool = False) -> None:
    # Replaces characters that the locale cannot encode; an error would lose the line.
    encoding = (sys.stderr if err else sys.stdout).encoding or "utf-8"
    typer.echo(line.encode(encoding, "replace").decode(encoding), err=err)


@cache
def _console() -> "Console":
    from rich.console import Console  # noqa: PLC0415 - slow to load

    return Console(soft_wrap=True, markup=False, highlight=False, emoji=False)
