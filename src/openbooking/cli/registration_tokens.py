"""`openbooking registration-token`: who may register Booking Partners, by a program or by a link."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from openbooking.cli.database import with_system
from openbooking.cli.faults import CommandError
from openbooking.cli.options import Database
from openbooking.cli.output import show
from openbooking.identity.records import RegistrationToken

if TYPE_CHECKING:
    from openbooking.system import System

registration_tokens = typer.Typer(help="Who may register Booking Partners.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Whom the token is for.")]


@registration_tokens.command("add")
def add(
    name: Name,
    *,
    days: Annotated[int | None, typer.Option(min=1, help="How long it is good; default for ever.")] = None,
    uses: Annotated[int | None, typer.Option(min=1, help="How often it can be used; default any number.")] = None,
    link: Annotated[bool, typer.Option("--link", help="Print a link to a page, for people.")] = False,
    database: Database = None,
) -> None:
    """Make a token with which Booking Partners register themselves, and print it; it is not kept."""

    async def save(system: "System") -> str:
        if await _tokens(system, name):
            raise CommandError(f"There is a token for {name} already; revoke it first.")
        lifetime = None if days is None else timedelta(days=days)
        token = await system.identity.registration.new_token(name, lifetime, uses)
        return _link(system, token) if link else token

    show(with_system(database, save, makes_new=True))


@registration_tokens.command("list")
def list_tokens(database: Database = None) -> None:
    """List the tokens, one a line: whom for, day made, uses, last day (`-`: none), uses left (`-`: any number)."""

    async def load(system: "System") -> list[RegistrationToken]:
        return list(await system.identity.store.find(RegistrationToken))

    for token in sorted(with_system(database, load), key=lambda token: token.created):
        last = f"{token.expires:%Y-%m-%d}" if token.expires else "-"
        left = "-" if token.uses_left is None else token.uses_left
        show(token.name, f"{token.created:%Y-%m-%d}", token.uses, last, left)


@registration_tokens.command("revoke")
def revoke(name: Name, database: Database = None) -> None:
    """End a token; the Booking Partners that it registered stay."""

    async def save(system: "System") -> None:
        found = await _tokens(system, name)
        if not found:
            raise CommandError(f"There is no token for {name}.")
        for token in found:
            await system.identity.store.remove(RegistrationToken, digest=token.digest)

    with_system(database, save)
    show(f"The token for {name} is good no longer.")


async def _tokens(system: "System", name: str) -> list[RegistrationToken]:
    return [token for token in await system.identity.store.find(RegistrationToken) if token.name == name]


def _link(system: "System", token: str) -> str:
    from openbooking.web.accounts.registration import REGISTRATION_PATH  # noqa: PLC0415 - longer to load than --help may take

    return f"{system.settings.site}{REGISTRATION_PATH}?token={token}"
