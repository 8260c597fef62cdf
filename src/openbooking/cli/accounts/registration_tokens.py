"""`openbooking registration-token`: add, list and revoke the tokens with which Booking Partners register themselves."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from openbooking.cli.database import with_system
from openbooking.cli.options import Database
from openbooking.cli.output import show

if TYPE_CHECKING:
    from openbooking.system import System

registration_tokens = typer.Typer(
    help="Add, list and revoke the tokens with which Booking Partners register themselves.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="The name of the person or company that gets the token.")]


@registration_tokens.command("add")
def add(
    name: Name,
    *,
    days: Annotated[
        int | None, typer.Option(min=1, help="How many days the token is valid; by default for ever.")
    ] = None,
    uses: Annotated[
        int | None, typer.Option(min=1, help="How often the token can be used; by default without limit.")
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Print a link to the page for registration instead of the token.")
    ] = False,
    database: Database = None,
) -> None:
    """Make a token with which Booking Partners register themselves, and print the token.

    The token cannot be printed again: the database has only its digest.
    """
    from openbooking.web.accounts.registration import REGISTRATION_PATH  # noqa: PLC0415 - slow to load

    async def save(system: "System") -> str:
        token = await system.identity.registration.new_token(name, timedelta(days=days) if days else None, uses)
        return f"{system.settings.site}{REGISTRATION_PATH}?token={token}" if link else token

    show(with_system(database, save, makes_new=True))


@registration_tokens.command("list")
def list_tokens(database: Database = None) -> None:
    """List the tokens, one a line: name, day made, uses, last day (`-`: for ever), uses left (`-`: no limit)."""
    for token in with_system(database, lambda system: system.identity.registration.tokens()):
        last = f"{token.expires:%Y-%m-%d}" if token.expires else "-"
        left = "-" if token.uses_left is None else token.uses_left
        show(token.name, f"{token.created:%Y-%m-%d}", token.uses, last, left)


@registration_tokens.command("revoke")
def revoke(name: Name, database: Database = None) -> None:
    """End a token. The Booking Partners that registered with it stay."""
    with_system(database, lambda system: system.identity.registration.revoke_token(name))
    show(f"Ended the token for {name}.")
