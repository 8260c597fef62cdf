"""`openbooking doctor`: check the integrity of the database."""

import typer

from openbooking.cli.database import with_database
from openbooking.cli.options import Database
from openbooking.cli.output import show


def doctor(database: Database = None) -> None:
    """Compare spaces, claims and feeds with the bookings. Changes nothing; servers may run meanwhile."""
    findings = with_database(database, lambda store: store.check_integrity())
    for about, wrong in findings:
        show(f"{about} {wrong}.")
    if findings:
        raise typer.Exit(1)
    show("Spaces, claims and feeds agree with what was booked.")
