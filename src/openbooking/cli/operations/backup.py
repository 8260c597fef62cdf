"""`openbooking backup`: copy the SQLite database to a file."""

from pathlib import Path
from typing import Annotated

import typer

from openbooking.cli.options import Database
from openbooking.cli.output import show
from openbooking.settings import load_settings
from openbooking.store.backends import backend_of
from openbooking.store.location import full_name


def backup(
    file: Annotated[Path, typer.Argument(help="The new file to write.")],
    database: Database = None,
) -> None:
    """Copy the SQLite database as it is at one moment. Servers may keep running."""
    found = load_settings(database=database).database
    backend_of(found).back_up(found, file)
    show(f"Copied {full_name(found)} to {file}.")
