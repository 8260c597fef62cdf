"""`openbooking demo`: run a Booking System with made-up Sellers and a timetable, ready to be booked from a shell."""

from pathlib import Path
from typing import Annotated

import typer

from openbooking.cli.options import Host, Port
from openbooking.cli.output import show_styled
from openbooking.settings import AccessMode, load_settings


def demo(
    host: Host = None,
    port: Port = None,
    database: Annotated[
        Path | None, typer.Option(help="The SQLite file to make.", show_default="one that is removed at the end")
    ] = None,
    book: Annotated[bool, typer.Option("--book", help="Make one booking as a Broker would, and stop.")] = False,
) -> None:
    """Run a Booking System with two made-up Sellers and four weeks of things to book."""
    # The demo has its own Sellers and Booking Partners, whatever the environment sets.
    settings = load_settings(
        host=host,
        port=0 if book and port is None else port,
        site_url="" if book else None,
        single_seller="",
        access=AccessMode.API_KEY,
        trusted_partner_header="",
    )
    from openbooking.sandbox.run import run_demo  # noqa: PLC0415 - longer to load than --help may take

    run_demo(settings, database, _show_line, book=book)


def _show_line(line: str) -> None:
    """Print a line; a terminal shows comments in green."""
    show_styled(line, "green" if line.startswith("#") else "none")
