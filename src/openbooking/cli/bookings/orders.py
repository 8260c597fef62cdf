"""`openbooking order`: find Orders, show them, and make the Seller's decisions about them."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Annotated

import typer

from openbooking.back_office.office import Office, current_items
from openbooking.back_office.pages import read_rows
from openbooking.back_office.plans.order_plans import OrderPlanner
from openbooking.back_office.plans.plan import Plan
from openbooking.back_office.plans.replacements import replacement_choices, replacement_day
from openbooking.back_office.rows.occurrence_rows import ReplacementRow, replacement_row
from openbooking.back_office.rows.order_items import ItemRow
from openbooking.back_office.rows.order_rows import HistoryTableRow, OrderDetails, OrderItemRow, OrderRow, order_row
from openbooking.booking.model.order import MeansOfPayment
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.rules.orders.order_lines import OrderStatus
from openbooking.booking.views import OrderQuery
from openbooking.cli.bookings.office import SellerOption, Yes, carry_out, check_message, with_office
from openbooking.cli.database import administrator
from openbooking.cli.faults import CommandError
from openbooking.cli.listing import Csv, Json, Limit, Output
from openbooking.cli.options import Database
from openbooking.cli.output import show
from openbooking.cli.values import amount_option, day_option, read_open_period
from openbooking.identity.digests import SecretKind, new_secret

orders = typer.Typer(help="Find Orders, show them, and make the Seller's decisions about them.", no_args_is_help=True)

Order = Annotated[str, typer.Argument(metavar="ORDER", help="The Order as lists show it: PARTNER/UUID.")]
Items = Annotated[
    list[int] | None,
    typer.Option("--item", metavar="NUMBER", help="An item of the Order; may be repeated.", show_default="all items"),
]


@orders.command("list")
def list_orders(  # noqa: PLR0913 - one parameter for each field of the search
    *,
    search: Annotated[
        str,
        typer.Option(
            help="The beginning of a name, or a whole e-mail address or telephone number, of the Customer or an"
            " attendee; or an Order UUID."
        ),
    ] = "",
    partner: Annotated[str, typer.Option(metavar="KEY", help="The key of the Booking Partner.")] = "",
    booked_from: Annotated[date | None, day_option("Booked then or later.")] = None,
    booked_to: Annotated[date | None, day_option("Booked then or before.")] = None,
    session_from: Annotated[date | None, day_option("Has an item that starts then or later.")] = None,
    session_to: Annotated[date | None, day_option("Has an item that starts then or before.")] = None,
    status: Annotated[OrderStatus | None, typer.Option(help="Whether items are cancelled.")] = None,
    value_from: Annotated[Decimal | None, amount_option("The total is at least this.")] = None,
    value_to: Annotated[Decimal | None, amount_option("The total is at most this.")] = None,
    seller: SellerOption = None,
    json: Json = False,
    csv: Csv = False,
    limit: Limit = None,
    database: Database = None,
) -> None:
    """List the Orders of a Seller that all options apply to. The Order that was booked last comes first."""
    output = Output(OrderRow, json=json, csv=csv, limit=limit)

    async def work(office: Office) -> None:
        booked = read_open_period(booked_from, booked_to, office.context.zone)
        session = read_open_period(session_from, session_to, office.context.zone)
        query = OrderQuery(
            text=search.strip(),
            partner=partner,
            booked_from=booked[0],
            booked_before=booked[1],
            session_from=session[0],
            session_before=session[1],
            status=status,
            value_from=value_from,
            value_to=value_to,
        )
        found = read_rows(lambda after: office.views.orders(query, after))
        await output.show_list(order_row(record, office.context) async for record in found)

    with_office(database, seller, work)


@orders.command("show")
def show_order(
    order: Order, *, seller: SellerOption = None, json: Json = False, csv: Csv = False, database: Database = None
) -> None:
    """Show an Order or OrderProposal with its items and its history; with --csv the items alone."""
    details = with_office(database, seller, lambda office: office.details(order))
    if json or csv:
        Output(OrderDetails if json else OrderItemRow, json=json, csv=csv).show([details] if json else details.lines)
        return
    for heading, cell in zip(details.headings(), details.cells_for_people(), strict=True):
        if cell:
            show(heading, cell)
    for type_, rows in ((OrderItemRow, details.lines), (HistoryTableRow, details.history)):
        show()
        Output(type_, json=False, csv=False).show(rows)


@orders.command("cancel")
def cancel(  # noqa: PLR0913 - one parameter for each option
    order: Order,
    *,
    item: Items = None,
    message: Annotated[str, typer.Option(help="The message to the Customer.")] = "",
    yes: Yes = False,
    seller: SellerOption = None,
    database: Database = None,
) -> None:
    """Cancel items of an Order. The Broker refunds them in full, and the cancellation cannot be undone."""
    text = check_message(message)
    _decide(database, seller, order, "order cancel", lambda planner: planner.cancel(item or (), text), yes=yes)


@orders.command("replace")
def replace(  # noqa: PLR0913 - one parameter for each option
    order: Order,
    *,
    item: Annotated[int | None, typer.Option(metavar="NUMBER", help="The item.", show_default="the only item")] = None,
    by: Annotated[str, typer.Option(metavar="PATH", help="The occurrence that replaces it, as lists show it.")] = "",
    offer: Annotated[str, typer.Option(metavar="KEY", help="Its Offer.", show_default="the only one")] = "",
    day: Annotated[date | None, day_option("The day of the choices.", default="the day of the item")] = None,
    seller: SellerOption = None,
    json: Json = False,
    csv: Csv = False,
    database: Database = None,
) -> None:
    """Replace an item of an Order by another occurrence at the same price or less.

    Without --by, list the choices of a day.
    """
    if by:
        nonce = new_secret(SecretKind.SESSION)

        async def plan(office: Office) -> Plan:
            record = await office.order(order)
            planner = OrderPlanner(office, record, administrator("order replace"))
            return await planner.replace(_one_item(record, item).item.number, by, offer, nonce)

        carry_out(database, seller, plan)
        return
    output = Output(ReplacementRow, json=json, csv=csv)

    async def work(office: Office) -> None:
        record = await office.order(order)
        row = _one_item(record, item)
        now = office.context.now
        choices = await replacement_choices(office.views, record, row, day or replacement_day(row, now), now)
        output.show([replacement_row(choice, office.context) for choice in choices])

    with_office(database, seller, work)


@orders.command("notify")
def notify(  # noqa: PLR0913 - one parameter for each option
    order: Order,
    *,
    item: Items = None,
    message: Annotated[str, typer.Option(help="The notice to the Customer.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Remove the last notice.")] = False,
    seller: SellerOption = None,
    database: Database = None,
) -> None:
    """Send a notice to the Customer through the Broker."""
    text = check_message(message)
    if bool(text) == remove:
        raise CommandError("Give either --message with the notice, or --remove.")
    _decide(database, seller, order, "order notify", lambda planner: planner.notify(item or (), text))


@orders.command("attend")
def attend(  # noqa: PLR0913 - one parameter for each option
    order: Order,
    *,
    item: Items = None,
    absent: Annotated[bool, typer.Option("--absent", help="Record that the attendees did not come.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Undo the record of attendance.")] = False,
    yes: Yes = False,
    seller: SellerOption = None,
    database: Database = None,
) -> None:
    """Record that the attendees of items came. The command asks first if the session has not begun."""
    if absent and undo:
        raise CommandError("Give either --absent or --undo.")

    def plan(planner: OrderPlanner) -> Plan:
        numbers = item or ()
        return planner.undo_attendance(numbers) if undo else planner.record_attendance(numbers, attended=not absent)

    _decide(database, seller, order, "order attend", plan, yes=yes)


@orders.command("pay")
def pay(  # noqa: PLR0913 - one parameter for each option
    order: Order,
    means: Annotated[MeansOfPayment, typer.Argument(help="How the Customer pays.")],
    *,
    amount: Annotated[Decimal | None, amount_option("The amount; without it, all that is due.")] = None,
    reference: Annotated[str, typer.Option(help="The reference, such as the number of the card machine's slip.")] = "",
    seller: SellerOption = None,
    database: Database = None,
) -> None:
    """Record a payment at the front desk for an Order that was booked there before."""
    _decide(database, seller, order, "order pay", lambda planner: planner.pay(means, amount, reference))


@orders.command("renew")
def renew(order: Order, *, item: Items = None, seller: SellerOption = None, database: Database = None) -> None:
    """Replace the access codes, passes and links of items."""
    nonce = new_secret(SecretKind.SESSION)
    _decide(database, seller, order, "order renew", lambda planner: planner.renew_access(item or (), nonce))


def _one_item(record: OrderRecord, number: int | None) -> ItemRow:
    """Return the item with the number, or the only item; raise CommandError if there are several."""
    rows = current_items(record, [] if number is None else [number])
    if len(rows) > 1:
        raise CommandError("The Order has several items. Name one with --item; `openbooking order show` lists them.")
    return rows[0]


def _decide(  # noqa: PLR0913 - the options of four commands
    database: str | None,
    seller: str | None,
    order: str,
    command: str,
    plan: Callable[[OrderPlanner], Plan],
    *,
    yes: bool = True,
) -> None:
    """Plan a decision about an Order and carry it out."""

    async def make(office: Office) -> Plan:
        return plan(OrderPlanner(office, await office.order(order), administrator(command)))

    carry_out(database, seller, make, yes=yes)
