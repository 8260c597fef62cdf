"""`openbooking demo`: run a Booking System with made-up Sellers and a timetable, for trying the API from a shell."""

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
    book: Annotated[bool, typer.Option("--book", help="Make one booking as a Broker does, and stop.")] = False,
) -> None:
    """Run a Booking System with two made-up Sellers and four weeks of Opportunities."""
    # These settings may be set for another system, and do not fit the Sellers and Booking Partners of the demo.
    settings = load_settings(
        host=host,
        port=0 if book and port is None else port,
        site_url="" if book else None,
        single_seller="",
        access=AccessMode.API_KEY,
        trusted_partner_header="",
    )
    from openbooking.sandbox.run import run_demo  # noqa: PLC0415 - slow to load

    run_demo(settings, database, _show_line, book=book)


def _show_line(line: str) -> None:
    """Print a line. A terminal shows a comment in green."""
    show_styled(line, "green" if line.startswith("#") else "none")
