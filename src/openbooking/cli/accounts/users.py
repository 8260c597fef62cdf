"""`openbooking user`: add, list and change the people who work for Sellers."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from openbooking.cli.database import administrator, with_system
from openbooking.cli.options import Database
from openbooking.cli.output import show, show_aside
from openbooking.identity.records import Role
from openbooking.identity.sign_in.accounts import canonical_name

if TYPE_CHECKING:
    from openbooking.identity.user_administration import UserAdministration
    from openbooking.system import System

users = typer.Typer(help="Add, list and change the people who work for Sellers.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The user name, for example an email address.")]
Result = TypeVar("Result")


@users.command("add")
def add(
    name: Name,
    *,
    seller: Annotated[str, typer.Option(help="The key of the Seller that the user works for.")],
    role: Annotated[
        Role,
        typer.Option(help="A manager sees everything; staff see no prices, partners or accounts."),
    ] = Role.MANAGER,
    database: Database = None,
) -> None:
    """Add a user and print a link. With the link the user can set a password once, within three days."""
    _show_link(database, name, lambda administration: administration.add(name, seller, role, administrator("user add")))


@users.command("list")
def list_users(database: Database = None) -> None:
    """List the users, a line for each Seller: name, Seller, role.

    The line ends with `second factor` if the user has set up one, and with `administrator` for an administrator.
    """
    for user in _administer(database, lambda administration: administration.users()):
        for seller, role in user.roles.items():
            marks = {"second factor": user.second_factor, "administrator": user.is_administrator}
            show(user.name, seller, role, *(mark for mark, is_set in marks.items() if is_set))


@users.command("add-seller")
def add_seller(
    name: Name,
    *,
    seller: Annotated[str, typer.Option(help="The key of the Seller that the user also works for.")],
    role: Annotated[Role, typer.Option(help="The role of the user there.")],
    database: Database = None,
) -> None:
    """Let a user work for a further Seller, or change the role of a user at a Seller."""
    link_ended = _administer(
        database, lambda administration: administration.add_seller(name, seller, role, administrator("user add-seller"))
    )
    show(f"{canonical_name(name)} is {role} of {seller} now.")
    if link_ended:
        show("The link to set a password has ended: make another one with `openbooking user reset-link`.")


@users.command("remove-seller")
def remove_seller(
    name: Name,
    *,
    seller: Annotated[str, typer.Option(help="The key of the Seller that the user no longer works for.")],
    database: Database = None,
) -> None:
    """Let a user no longer work for a Seller. A user who works for no other Seller is removed."""
    stays = _administer(
        database, lambda administration: administration.remove_seller(name, seller, administrator("user remove-seller"))
    )
    show(f"{canonical_name(name)} no longer works for {seller}{'' if stays else ', and was removed'}.")


@users.command("administrator")
def set_administrator(
    name: Name,
    *,
    end: Annotated[bool, typer.Option("--end", help="The user is no longer an administrator.")] = False,
    database: Database = None,
) -> None:
    """Let a user decide about requests for access to the API, for all Sellers, on a page of the console."""
    link_ended = _administer(
        database, lambda administration: administration.set_administrator(name, is_administrator=not end)
    )
    show(f"{canonical_name(name)} is {'no administrator' if end else 'an administrator'} now.")
    if link_ended:
        show("The link to set a password has ended: make another one with `openbooking user reset-link`.")


@users.command("remove")
def remove(name: Name, database: Database = None) -> None:
    """Remove a user at once. Grants that the user gave for the Seller stay."""
    _administer(database, lambda administration: administration.remove(name, administrator("user remove")))
    show(f"Removed {canonical_name(name)}.")


@users.command("reset-link")
def reset_link(name: Name, database: Database = None) -> None:
    """Print a link with which a user can set another password once, within three days."""
    _show_link(database, name, lambda administration: administration.issue_link(name, administrator("user reset-link")))


@users.command("unlock")
def unlock(name: Name, database: Database = None) -> None:
    """Forget the wrong passwords that were typed for a user, so that the user can sign in without a wait."""
    _administer(database, lambda administration: administration.unlock(name))
    show(f"Forgot the wrong passwords for {canonical_name(name)}. The addresses that sent them may still have to wait.")


@users.command("reset-second-factor")
def reset_second_factor(name: Name, database: Database = None) -> None:
    """Remove the second factor of a user who has lost it, and end the user's sessions.

    First make sure that the request comes from the user: afterwards the password alone is enough to sign in and to set
    up another second factor.
    """
    _administer(
        database,
        lambda administration: administration.reset_second_factor(name, administrator("user reset-second-factor")),
    )
    show(f"{canonical_name(name)} has no second factor now.")


def _administer(database: str | None, work: Callable[["UserAdministration"], Awaitable[Result]]) -> Result:
    """Call a function with the administration of users, and return the result."""
    return with_system(database, lambda system: work(system.identity.user_administration))


def _show_link(database: str | None, name: str, issue: Callable[["UserAdministration"], Awaitable[str]]) -> None:
    """Print the link to the page on which a user sets a password, and on standard error what it is for.

    Args:
        database: The value of --database.
        name: The user name.
        issue: Returns the secret of the link.
    """
    from openbooking.web.pages import LINK_PATH  # noqa: PLC0415 - slow to load

    async def do(system: "System") -> str:
        secret = await issue(system.identity.user_administration)
        return f"{system.settings.site}{LINK_PATH}?link={secret}"

    show(with_system(database, do))
    show_aside(
        f"With this link {canonical_name(name)} sets a password, once and within three days, while the server runs."
    )
