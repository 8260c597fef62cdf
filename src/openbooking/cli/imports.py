"""`openbooking import`: what providers publish, to be sold here."""

from pathlib import Path
from typing import Annotated

import typer

from openbooking.cli.options import Database


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
    database: Database = None,
) -> None:
    """Import sessions, facilities, slots and events as providers publish them; import them again to update them.

    The exit status is 1 if anything could not be imported; everything else was.
    """
    from openbooking.cli.import_run import import_place  # noqa: PLC0415 - longer to load than --help may take

    if not import_place(place, seller=seller, source=source, report=report, database=database, hand_over=hand_over):
        raise typer.Exit(1)
