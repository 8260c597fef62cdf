"""`openbooking signing-key`: list and rotate the keys that sign tokens."""

from typing import Annotated

import typer

from openbooking.cli.database import with_system
from openbooking.cli.options import Database
from openbooking.cli.output import show

signing_keys = typer.Typer(
    help="List and rotate the keys that sign tokens. The server also rotates them every OPENBOOKING_SIGNING_KEY_DAYS.",
    no_args_is_help=True,
)


@signing_keys.command("rotate")
def rotate(
    *,
    at_once: Annotated[
        bool,
        typer.Option(
            "--at-once", help="Also end all earlier tokens within a minute, for example after a key was stolen."
        ),
    ] = False,
    database: Database = None,
) -> None:
    """Sign with a new key from now on. Earlier tokens are valid until they expire."""
    key = with_system(database, lambda system: system.identity.keys.rotate(at_once=at_once), makes_new=True)
    show(f"Tokens are now signed with key {key.kid}.")


@signing_keys.command("list")
def list_keys(database: Database = None) -> None:
    """List the keys, newest first, one a line: id, day made."""
    for key in with_system(database, lambda system: system.identity.keys.list_keys()):
        show(key.kid, f"{key.created:%Y-%m-%d}")
