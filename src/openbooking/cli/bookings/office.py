"""The options that commands about the bookings of a Seller share, and the functions that open and change them."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

import typer

from openbooking.back_office.names import partner_names
from openbooking.back_office.office import Office
from openbooking.back_office.plans.messages import length_problem
from openbooking.back_office.plans.plan import Plan
from openbooking.back_office.rows.tables import TableContext
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.views import StoreWithViews
from openbooking.cli.database import with_system
from openbooking.cli.faults import CommandError
from openbooking.cli.output import confirm, confirm_number, show, show_aside
from openbooking.identity.sellers import UnknownSellerError

if TYPE_CHECKING:
    from openbooking.system import System

Result = TypeVar("Result")

SellerOption = Annotated[
    str | None, typer.Option("--seller", metavar="KEY", help="The key of the Seller.", show_default="the only Seller")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def with_office(
    database: str | None, seller: str | None, work: Callable[[Office], Awaitable[Result]], *, changes: bool = False
) -> Result:
    """Open the Booking System, call a function with the bookings of a Seller, and return the result.

    Args:
        database: The value of --database.
        seller: The value of --seller; None for the only Seller.
        work: The function.
        changes: Whether the function changes bookings, and with them feeds.
    """

    async def do(system: "System") -> Result:
        chosen = choose_seller(await system.store.sellers(), seller)
        partners = await partner_names(system.identity.store, chosen.key)
        zone = system.settings.policy.time_zone
        context = TableContext(partners, zone, system.clock().astimezone(zone))
        views = cast("StoreWithViews", system.store).views.of(chosen.key)
        return await work(Office(system.store, chosen, views, context))

    return with_system(database, do, writes_feeds=changes)


def carry_out(
    database: str | None, seller: str | None, plan: Callable[[Office], Awaitable[Plan]], *, yes: bool = True
) -> None:
    """Plan a decision, print its effect, ask unless `yes` is set, make the decision and print what was done."""

    async def work(office: Office) -> str:
        planned = await plan(office)
        if planned.effect:
            show_aside(planned.effect)
        if planned.question and not yes:
            ask(planned)
        await office.execute(planned.command)
        return planned.done

    show(with_office(database, seller, work, changes=True))


def check_message(text: str) -> str:
    """Return a message to the Customer without surrounding spaces; raise CommandError if it is too long."""
    message = text.strip()
    if fault := length_problem(message):
        raise CommandError(fault)
    return message


def ask(plan: Plan) -> None:
    """Ask the question of a plan; raise CommandError unless the answer is right."""
    try:
        number = plan.number
        is_confirmed = confirm(plan.question) if number is None else confirm_number(plan.question, number)
    except typer.Abort:
        # Nobody can answer. The message begins on a new line, after the question.
        show_aside()
        is_confirmed = False
    if not is_confirmed:
        raise CommandError("Not confirmed, so nothing was changed. --yes confirms without a question.")


def choose_seller(sellers: Sequence[Seller], key: str | None) -> Seller:
    """Return the Seller with the key, or the only Seller."""
    found = [seller for seller in sellers if key in (None, seller.key)]
    if key and not found:
        raise UnknownSellerError(key)
    if len(found) != 1:
        raise CommandError("Name the Seller with --seller. `openbooking seller list` lists the Sellers.")
    return found[0]
