"""`openbooking user`: add, list and change the people who work for Sellers."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from openbooking.cli.database import with_system
from openbooking.cli.options import Database
from openbooking.cli.output import show
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
    role: Annotated[Role, typer.Option(help="Managers decide who may book; staff may look.")] = Role.MANAGER,
    database: Database = None,
) -> None:
    """Add a user and print the link with which the user sets a password, once, within three days."""
    _show_link(database, lambda administration: administration.add(name, seller, role))


@users.command("list")
def list_users(database: Database = None) -> None:
    """List the users, one a line: name, Seller, role, and `second factor` if they have set one up."""
    for user in _administer(database, lambda administration: administration.users()):
        show(user.name, user.seller, user.role, *(["second factor"] if user.second_factor else []))


@users.command("remove")
def remove(name: Name, database: Database = None) -> None:
    """Remove a user at once. Grants that the user gave for the Seller stay."""
    _administer(database, lambda administration: administration.remove(name))
    show(f"Removed {canonical_name(name)}.")


@users.command("reset-link")
def reset_link(name: Name, database: Database = None) -> None:
    """Print a link with which a user sets another password, once, within three days."""
    _show_link(database, lambda administration: administration.issue_link(name))


@users.command("unlock")
def unlock(name: Name, database: Database = None) -> None:
    """Forget the wrong guesses at an account, so that its user need not wait to sign in."""
    _administer(database, lambda administration: administration.unlock(name))
    show(f"Forgot the wrong guesses at {canonical_name(name)}. An address that guessed may have to wait all the same.")


@users.command("reset-second-factor")
def reset_second_factor(name: Name, database: Database = None) -> None:
    """Remove the second factor of a user who has lost it, and end the user's sessions.

    First make sure that the request comes from the user: afterwards the password alone is enough to sign in and to set
    up another second factor.
    """
    _administer(database, lambda administration: administration.reset_second_factor(name))
    show(f"{canonical_name(name)} has no second factor now.")


def _administer(database: str | None, work: Callable[["UserAdministration"], Awaitable[Result]]) -> Result:
    return with_system(database, lambda system: work(system.identity.user_administration))


def _show_link(database: str | None, issue: Callable[["UserAdministration"], Awaitable[str]]) -> None:
    from openbooking.web.accounts.sign_in import LINK_PATH  # noqa: PLC0415 - longer to load than --help may take

    async def do(system: "System") -> str:
        secret = await issue(system.identity.user_administration)
        return f"{system.settings.site}{LINK_PATH}?link={secret}"

    show(with_system(database, do))
