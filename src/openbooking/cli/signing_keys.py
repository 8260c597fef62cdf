"""`openbooking signing-key`: the keys that sign tokens."""

from typing import TYPE_CHECKING, Annotated

import typer

from openbooking.cli.database import with_system
from openbooking.cli.options import Database
from openbooking.cli.output import show
from openbooking.identity.records import SigningKey

if TYPE_CHECKING:
    from openbooking.system import System

signing_keys = typer.Typer(help="The keys that sign tokens; the server replaces them in time.", no_args_is_help=True)


@signing_keys.command("rotate")
def rotate(
    *,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="End every token signed before, within a minute: somebody has the key.")
    ] = False,
    database: Database = None,
) -> None:
    """Sign with a fresh key from now on; tokens signed before are good until they expire."""

    async def save(system: "System") -> SigningKey:
        return await system.identity.keys.rotate(at_once=at_once)

    show(f"Tokens are signed with key {with_system(database, save, makes_new=True).kid}.")


@signing_keys.command("list")
def list_keys(database: Database = None) -> None:
    """List the keys, newest first, one a line: id, day made."""

    async def load(system: "System") -> list[SigningKey]:
        return list(await system.identity.store.find(SigningKey))

    for key in sorted(with_system(database, load), key=lambda key: key.created, reverse=True):
        show(key.kid, f"{key.created:%Y-%m-%d}")
