"""`openbooking occurrence`: list and cancel occurrences, notify their Customers, and choose what is on sale."""

from datetime import date
from typing import Annotated

import typer

from openbooking.back_office.office import Office
from openbooking.back_office.pages import read_rows
from openbooking.back_office.plans.cancellations import plan_cancellation
from openbooking.back_office.plans.plan import Plan
from openbooking.back_office.plans.sale_plans import plan_sale_state
from openbooking.back_office.plans.session_notices import notice_commands, notified_orders
from openbooking.back_office.rows.occurrence_rows import OccurrenceRow, occurrence_row
from openbooking.booking.model.opportunity import SaleState
from openbooking.cli.bookings.office import SellerOption, Yes, carry_out, check_message, with_office
from openbooking.cli.database import administrator
from openbooking.cli.faults import CommandError
from openbooking.cli.listing import Csv, Json, Limit, Output
from openbooking.cli.options import Database
from openbooking.cli.output import show
from openbooking.cli.values import day_option, read_period

occurrences = typer.Typer(
    help="List occurrences, notify their Customers, cancel them, and put Opportunities on or off sale.",
    no_args_is_help=True,
)

Opportunity = Annotated[
    str, typer.Argument(metavar="PATH", help="The path of the Opportunity, such as scheduled-sessions/KEY.")
]


@occurrences.command("list")
def list_occurrences(  # noqa: PLR0913 - one parameter for each option
    *,
    first: Annotated[date | None, day_option("The first day.", "--from", default="today")] = None,
    last: Annotated[date | None, day_option("The last day.", "--to", default="--from")] = None,
    seller: SellerOption = None,
    json: Json = False,
    csv: Csv = False,
    limit: Limit = None,
    database: Database = None,
) -> None:
    """List what starts on some days, in the order of the starts, and how many spaces are booked."""
    output = Output(OccurrenceRow, json=json, csv=csv, limit=limit)

    async def work(office: Office) -> None:
        begin = first or office.context.now.date()
        since, until = read_period(begin, last or begin, office.context.zone)
        found = read_rows(lambda after: office.views.occurrences(since, until, after))
        await output.show_list(occurrence_row(occurrence, office.context) async for occurrence in found)

    with_office(database, seller, work)


@occurrences.command("cancel")
def cancel(
    opportunity: Opportunity,
    *,
    message: Annotated[str, typer.Option(help="The message to the Customers.")] = "",
    yes: Yes = False,
    seller: SellerOption = None,
    database: Database = None,
) -> None:
    """Cancel an occurrence, or all that are still to come of a series or facility, with all their Orders.

    The command prints the number of Orders, and asks to type it. The cancellation cannot be undone.
    """
    text, actor = check_message(message), administrator("occurrence cancel")

    async def plan(office: Office) -> Plan:
        return await plan_cancellation(office, await office.opportunity(opportunity, actor), text, actor)

    carry_out(database, seller, plan, yes=yes)


@occurrences.command("notify")
def notify(
    occurrence: Opportunity,
    *,
    message: Annotated[str, typer.Option(help="The notice to the Customers.")],
    seller: SellerOption = None,
    database: Database = None,
) -> None:
    """Send a notice to the Customers of all Orders of an occurrence, through their Brokers."""
    text, actor = check_message(message), administrator("occurrence notify")
    if not text:
        raise CommandError("Give --message with the notice.")

    async def work(office: Office) -> int:
        orders = await notified_orders(office.views, occurrence)
        if not orders:
            raise CommandError(
                f"Nobody has booked the occurrence {occurrence}. `openbooking occurrence list` lists the occurrences."
            )
        for command in notice_commands(orders, text, actor):
            await office.execute(command)
        return len(orders)

    sent = with_office(database, seller, work, changes=True)
    show(f"Sent the notice to the Customers of {sent} {'Order' if sent == 1 else 'Orders'}.")


@occurrences.command("publish")
def publish(opportunity: Opportunity, *, seller: SellerOption = None, database: Database = None) -> None:
    """Put an Opportunity on sale again, with everything below it that was not taken off sale itself."""
    _set_sale_state(database, seller, opportunity, SaleState.ON_SALE, "occurrence publish")


@occurrences.command("unpublish")
def unpublish(opportunity: Opportunity, *, seller: SellerOption = None, database: Database = None) -> None:
    """Take an Opportunity and everything below it off sale. It leaves the open feeds, and its Orders stay."""
    _set_sale_state(database, seller, opportunity, SaleState.UNPUBLISHED, "occurrence unpublish")


def _set_sale_state(database: str | None, seller: str | None, path: str, sale: SaleState, command: str) -> None:
    actor = administrator(command)

    async def plan(office: Office) -> Plan:
        return plan_sale_state(await office.opportunity(path, actor), sale, actor)

    carry_out(database, seller, plan)
