"""`openbooking person`: the data of one person, as the person may ask to see or erase it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer

from openbooking.booking.commands.orders.erase_personal_data import EraseOrderData
from openbooking.booking.commands.orders.record_export import RecordExport
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.personal_orders import export_orders, orders_of
from openbooking.booking.views import SellerViews, StoreWithViews
from openbooking.cli.bookings.office import SellerOption, Yes, choose_seller
from openbooking.cli.database import with_system
from openbooking.cli.faults import CommandError
from openbooking.cli.options import Database
from openbooking.cli.output import confirm, show
from openbooking.identity.access_request_records import AccessRequest

if TYPE_CHECKING:
    from openbooking.system import System

persons = typer.Typer(help="Export or erase the data of one person.", no_args_is_help=True)

Contact = Annotated[str, typer.Argument(help="The whole e-mail address or telephone number of the person.")]
Result = TypeVar("Result")


@persons.command("export")
def export(contact: Contact, *, seller: SellerOption = None, database: Database = None) -> None:
    """Print everything that is stored of a person as Customer, attendee or sender of access requests, as JSON."""

    async def work(system: "System", views: SellerViews) -> bytes:
        orders = await orders_of(views, contact)
        document = await export_orders(views, orders, contact, system.clock())
        keys = frozenset(record.key for record in orders)
        await system.store.execute(RecordExport(orders=keys, actor=Actor(ActorKind.ADMINISTRATOR, "person export")))
        return _with_access_requests(document, await system.identity.access_requests.of_person(contact))

    for line in _with_views(database, seller, work).decode().splitlines():
        show(line)


@persons.command("erase")
def erase(
    contact: Contact,
    *,
    yes: Yes = False,
    seller: SellerOption = None,
    database: Database = None,
) -> None:
    """Erase the data of a person in Orders, OrderProposals and access requests. The Orders stay without it.

    All personal data of an Order is erased if the person is its Customer. Of an attendee in the Order of another
    Customer, only the data of the attendee is erased. Nothing is erased while a booking is ahead, unless it is
    cancelled, or while a proposal is open.
    """

    async def work(system: "System", views: SellerViews) -> int:
        orders = await orders_of(views, contact)
        requests = await system.identity.access_requests.of_person(contact)
        found = f"{len(orders)} Orders" + (f" and {len(requests)} access requests" if requests else "")
        if (orders or requests) and not yes and not confirm(f"Erase the data of the person in {found}?"):
            raise CommandError("Nothing was erased.")
        keys = frozenset(record.key for record in orders)
        actor = Actor(ActorKind.ADMINISTRATOR, "person erase")
        erased = await system.store.execute(EraseOrderData(orders=keys, contact=contact.strip(), actor=actor))
        if erased_requests := await system.identity.access_requests.erase(contact):
            show(f"Erased {erased_requests} access requests of the person.")
        return erased

    show(f"Erased the data of the person in {_with_views(database, seller, work)} Orders.")


def _with_access_requests(document: bytes, requests: Sequence[AccessRequest]) -> bytes:
    """Return the export of a person with the access requests that the person has sent."""
    exported = msgspec.json.decode(document) | {"access_requests": requests}
    return msgspec.json.format(msgspec.json.encode(exported), indent=2)


def _with_views(
    database: str | None, seller: str | None, work: Callable[["System", SellerViews], Awaitable[Result]]
) -> Result:
    """Call a function with the Booking System and the views of the Seller, or of the only one; return the result."""

    async def do(system: "System") -> Result:
        chosen = choose_seller(await system.store.sellers(), seller)
        assert isinstance(system.store, StoreWithViews)  # noqa: S101 - the store of a database has views
        return await work(system, system.store.views.of(chosen.key))

    return with_system(database, do)
