"""`openbooking user`: the people who work for Sellers, and may decide who books for them."""

from typing import TYPE_CHECKING, Annotated

import typer

from openbooking.cli.database import with_system
from openbooking.cli.faults import CommandError
from openbooking.cli.options import Database
from openbooking.cli.output import show
from openbooking.identity.accounts import UnknownUserError, UserExistsError, canonical_name
from openbooking.identity.records import Role, User

if TYPE_CHECKING:
    from openbooking.system import System

users = typer.Typer(help="The people who work for Sellers.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The user name, for example an email address.")]


@users.command("add")
def add(
    name: Name,
    *,
    seller: Annotated[str, typer.Option(help="The Seller they work for.")],
    role: Annotated[Role, typer.Option(help="Managers decide who may book; staff may look.")] = Role.MANAGER,
    database: Database = None,
) -> None:
    """Add somebody and print the link with which they set their password, once, within three days."""

    async def save(system: "System") -> str:
        if await system.identity.seller(seller) is None:
            raise CommandError(f"There is no Seller {seller}.")
        if not canonical_name(name):
            raise CommandError("A user name cannot be empty.")
        try:
            return _link(system, await system.identity.accounts.add(name, seller, role))
        except UserExistsError as fault:
            raise CommandError(f"There is a user {canonical_name(name)} already.") from fault

    show(with_system(database, save))


@users.command("list")
def list_users(database: Database = None) -> None:
    """List the users, one a line: name, Seller, role, and `second factor` if they have set one up."""

    async def load(system: "System") -> list[User]:
        return list(await system.identity.store.find(User))

    for user in with_system(database, load):
        show(user.name, user.seller, user.role, *(["second factor"] if user.second_factor else []))


@users.command("remove")
def remove(name: Name, database: Database = None) -> None:
    """Remove somebody at once; what they have allowed in the name of the Seller stays allowed."""

    async def save(system: "System") -> None:
        found = await system.identity.store.find(User, name=canonical_name(name))
        if not found:
            raise CommandError(_no_user(name))
        await system.identity.accounts.remove(found[0])

    with_system(database, save)
    show(f"Removed {canonical_name(name)}.")


@users.command("reset-link")
def reset_link(name: Name, database: Database = None) -> None:
    """Print a link with which somebody sets another password, once, within three days."""

    async def save(system: "System") -> str:
        try:
            return _link(system, await system.identity.accounts.hand_out_link(name))
        except UnknownUserError as fault:
            raise CommandError(_no_user(name)) from fault

    show(with_system(database, save))


@users.command("unlock")
def unlock(name: Name, database: Database = None) -> None:
    """Forget the wrong guesses at an account, so that nobody who knows the password has to wait."""

    async def save(system: "System") -> None:
        try:
            await system.identity.accounts.unlock(name)
        except UnknownUserError as fault:
            raise CommandError(_no_user(name)) from fault

    with_system(database, save)
    show(f"Forgot the wrong guesses at {canonical_name(name)}. An address that guessed may have to wait all the same.")


@users.command("reset-second-factor")
def reset_second_factor(name: Name, database: Database = None) -> None:
    """Remove the second factor of somebody who has lost it, and sign them out.

    Make sure before that it is they who ask: after it the password alone lets them in, and set up another one.
    """

    async def save(system: "System") -> None:
        try:
            await system.identity.second_factors.reset(name)
        except UnknownUserError as fault:
            raise CommandError(_no_user(name)) from fault

    with_system(database, save)
    show(f"{canonical_name(name)} has no second factor now.")


def _link(system: "System", link: str) -> str:
    from openbooking.web.accounts.sign_in import LINK_PATH  # noqa: PLC0415 - longer to load than --help may take

    return f"{system.settings.site}{LINK_PATH}?link={link}"


def _no_user(name: str) -> str:
    return f"There is no user {canonical_name(name)}."
