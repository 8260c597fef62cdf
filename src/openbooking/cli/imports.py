"""`openbooking import`: what providers publish, to be sold here."""

from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import typer

from openbooking.cli.database import with_store
from openbooking.cli.faults import CommandError
from openbooking.cli.options import Database
from openbooking.importing.errors import ImportRefusedError


def import_(  # noqa: PLR0913 - one parameter for each option
    place: Annotated[
        str,
        typer.Argument(
            metavar="PATH|URL", help="A file, a folder of files, - for standard input, or the URL of a feed or a file."
        ),
    ],
    *,
    seller: Annotated[
        str | None, typer.Option(metavar="KEY", help="The Seller of everything, instead of whom the items name.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The name by which the items are known when they are imported again.",
            show_default="the URL without its parameters, or the full path",
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what became of each item to a file, as JSON lines.")
    ] = None,
    hand_over: Annotated[
        bool,
        typer.Option(
            "--hand-over", help="Withdraw the items before, so that they become another Seller's than before."
        ),
    ] = False,
    copy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep a copy of the feed in FILE; the next import reads only what has changed since.",
        ),
    ] = None,
    database: Database = None,
) -> None:
    """Import sessions, facilities, slots and events as providers publish them; import them again to update them.

    The exit status is 1 if anything could not be imported; everything else was.
    """
    # Longer to load than --help may take.
    from openbooking.cli.import_report import ConsoleReport  # noqa: PLC0415
    from openbooking.importing.pages import pages, source_of  # noqa: PLC0415
    from openbooking.importing.run import ImportOptions, run_import  # noqa: PLC0415

    try:
        options = ImportOptions(source or source_of(place), seller, datetime.now(UTC), hand_over)
        with _opened(report) as json_lines:
            told = ConsoleReport(json_lines)
            complete = with_store(database, lambda store: run_import(store, pages(place, copy), told, options))
    except ImportRefusedError as refusal:
        raise CommandError(str(refusal)) from refusal
    typer.echo(told.summary())
    if not complete:
        raise typer.Exit(1)


def _opened(report: Path | None) -> AbstractContextManager[IO[bytes] | None]:
    if report is None:
        return nullcontext()
    try:
        return report.open("wb")
    except OSError as fault:
        raise CommandError(f"The report {report} cannot be written: {fault.strerror}.") from fault
