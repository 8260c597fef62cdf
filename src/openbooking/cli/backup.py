"""`openbooking backup`: copy the database."""

from pathlib import Path
from typing import Annotated

import typer

from openbooking.cli.faults import CommandError
from openbooking.cli.options import Database
from openbooking.cli.output import show
from openbooking.settings import load_settings
from openbooking.store.location import full_name, is_postgres


def backup(
    file: Annotated[Path, typer.Argument(help="The new file to write.")],
    database: Database = None,
) -> None:
    """Copy the SQLite database as it is at one moment. Servers may go on using it."""
    # Longer to load than --help may take.
    from openbooking.store.backup import back_up  # noqa: PLC0415
    from openbooking.store.migrate import check_is_there  # noqa: PLC0415

    found = load_settings(database=database).database
    if is_postgres(found):
        raise CommandError("Back a PostgreSQL database up with pg_dump, or continuously with its own archiving.")
    check_is_there(found)
    if file.exists():
        raise CommandError(f"{file} exists already.")
    back_up(Path(found), file)
    show(f"{full_name(found)} is copied to {file}.")
