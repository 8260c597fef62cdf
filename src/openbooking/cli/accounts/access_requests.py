"""`openbooking access-request`: list the requests of developers for access to the API, and decide about them."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from openbooking.cli.database import administrator, with_system
from openbooking.cli.faults import CommandError
from openbooking.cli.options import Database
from openbooking.cli.output import show, show_aside
from openbooking.identity.records import EVERY_SELLER

if TYPE_CHECKING:
    from openbooking.identity.access_requests import AccessRequests

access_requests = typer.Typer(
    help="List the requests of developers for access to the API, and decide about them.", no_args_is_help=True
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The id of the request, from `access-request list`.")]
Result = TypeVar("Result")


@access_requests.command("list")
def list_requests(database: Database = None) -> None:
    """List the requests, the latest first, one a line: id, day, state, organisation, name, e-mail address."""
    for request in _with_requests(database, lambda requests: requests.requests()):
        day = f"{request.received:%Y-%m-%d}"
        show(request.id, day, request.state, request.organisation, request.name, request.email)


@access_requests.command("show")
def show_request(id_: Id, database: Database = None) -> None:
    """Show a request, one property a line. Nobody has checked what it says."""
    request = _with_requests(database, lambda requests: requests.request(id_))
    show("organisation", request.organisation)
    show("name", request.name)
    show("e-mail", request.email)
    show("telephone", request.phone)
    show("web site", request.site)
    show("use case", request.use_case)
    for uri in request.redirect_uris:
        show("redirect URI", uri)
    show("received", f"{request.received:%Y-%m-%d %H:%M}")
    show("erased", f"{request.expires:%Y-%m-%d}")
    show("state", request.state)
    if request.decided:
        show("decided", f"{request.decided:%Y-%m-%d %H:%M}", request.decided_by, request.partner)


@access_requests.command("approve")
def approve(
    id_: Id,
    *,
    key: Annotated[str, typer.Option(help="The key of the new Booking Partner.")],
    seller: Annotated[
        list[str] | None, typer.Option(help="A Seller that the partner may book for; may be repeated.")
    ] = None,
    all_sellers: Annotated[
        bool, typer.Option("--all-sellers", help="Allow bookings for all Sellers, also for Sellers added later.")
    ] = False,
    database: Database = None,
) -> None:
    """Add a Booking Partner as the request asks, and print its API key, or its client secret if it has redirect URIs.

    The key or secret cannot be printed again: the database has only its digest.
    """
    if all_sellers and seller:
        raise CommandError("Name the Sellers with --seller KEY or with --all-sellers.")
    sellers = [EVERY_SELLER] if all_sellers else seller or []

    async def work(requests: "AccessRequests") -> str:
        request = await requests.request(id_)
        if not (sellers or request.redirect_uris):
            raise CommandError(
                "Name the Sellers that the Booking Partner may book for with --seller KEY or --all-sellers."
            )
        approved = await requests.approve(id_, key, sellers, administrator("access-request approve"))
        show(approved.secret)
        return f"{'client secret' if request.redirect_uris else 'API key'} to {request.name}, {request.email}"

    show_aside(f"Send this {_with_requests(database, work)}. It cannot be printed again.")


@access_requests.command("refuse")
def refuse(id_: Id, database: Database = None) -> None:
    """Refuse a request. Nobody is told by this command."""
    _with_requests(database, lambda requests: requests.refuse(id_, administrator("access-request refuse")))
    show("Refused. The request is erased when its time is over.")


def _with_requests(database: str | None, work: Callable[["AccessRequests"], Awaitable[Result]]) -> Result:
    """Call a function with the requests, and return the result."""
    return with_system(database, lambda system: work(system.identity.access_requests))
