"""`openbooking doctor`: check that the tables of the database agree with each other."""

import typer

from openbooking.cli.database import with_database
from openbooking.cli.options import Database
from openbooking.cli.output import show


def doctor(database: Database = None) -> None:
    """Check that spaces, claims and feeds agree with the bookings. Changes nothing. Servers may keep running."""
    findings = with_database(database, lambda store: store.check_integrity())
    for about, wrong in findings:
        show(f"{about} {wrong}.")
    if findings:
        raise typer.Exit(1)
    show("Spaces, claims and feeds agree with the bookings.")
