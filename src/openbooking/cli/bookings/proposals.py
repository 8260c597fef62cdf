"""`openbooking proposal`: list the OrderProposals that wait, and accept, reject or amend them."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from openbooking.back_office.office import Office
from openbooking.back_office.pages import OccurrencesOnce, read_rows
from openbooking.back_office.plans.plan import Plan
from openbooking.back_office.plans.proposal_plans import ProposalPlanner
from openbooking.back_office.rows.order_rows import ProposalRow, proposal_row
from openbooking.back_office.waiting_proposals import shortages, wanted_spaces
from openbooking.cli.bookings.office import SellerOption, carry_out, check_message, with_office
from openbooking.cli.database import administrator
from openbooking.cli.listing import Csv, Json, Limit, Output
from openbooking.cli.options import Database
from openbooking.cli.values import NewPrice, read_price

proposals = typer.Typer(
    help="List the OrderProposals that wait for a Seller, and accept, reject or amend them.", no_args_is_help=True
)

Proposal = Annotated[str, typer.Argument(metavar="PROPOSAL", help="The OrderProposal as lists show it: PARTNER/UUID.")]
Note = Annotated[str, typer.Option(help="A note to the Customer.")]


@proposals.command("list")
def list_proposals(  # noqa: PLR0913 - one parameter for each option
    *,
    search: Annotated[
        str,
        typer.Option(
            help="A name, e-mail address or telephone number of the Customer or an attendee. It finds decided proposals"
            " too, until they are booked or their data is erased."
        ),
    ] = "",
    seller: SellerOption = None,
    json: Json = False,
    csv: Csv = False,
    limit: Limit = None,
    database: Database = None,
) -> None:
    """List the OrderProposals that wait for the Seller, or those that a search finds.

    Of those that wait, that whose time ends first comes first.
    """
    output = Output(ProposalRow, json=json, csv=csv, limit=limit)

    async def work(office: Office) -> None:
        views, wanted = office.views, await wanted_spaces(office.views)
        found = read_rows(lambda after: views.proposals_of(search, after)) if search else read_rows(views.proposals)
        occurrences = OccurrencesOnce(views)
        await output.show_list(
            proposal_row(record, await shortages(occurrences, record, wanted), office.context) async for record in found
        )

    with_office(database, seller, work)


@proposals.command("accept")
def accept(proposal: Proposal, *, note: Note = "", seller: SellerOption = None, database: Database = None) -> None:
    """Accept an OrderProposal, so that the partner can book it."""
    _decide(database, seller, proposal, "proposal accept", note, lambda planner: planner.accept())


@proposals.command("reject")
def reject(proposal: Proposal, *, note: Note = "", seller: SellerOption = None, database: Database = None) -> None:
    """Reject an OrderProposal, which cannot be undone."""

    async def plan(planner: ProposalPlanner) -> Plan:
        return planner.reject()

    _decide(database, seller, proposal, "proposal reject", note, plan)


@proposals.command("amend")
def amend(  # noqa: PLR0913 - one parameter for each option
    proposal: Proposal,
    *,
    without: Annotated[
        list[int] | None, typer.Option(metavar="NUMBER", help="An item to leave out; may be repeated.")
    ] = None,
    price: Annotated[
        list[NewPrice] | None,
        typer.Option(parser=read_price, metavar="NUMBER=AMOUNT", help="A new price of an item; may be repeated."),
    ] = None,
    note: Note = "",
    seller: SellerOption = None,
    database: Database = None,
) -> None:
    """Offer an OrderProposal with changes, if its Offers allow negotiation. The Customer accepts them or not."""
    prices = dict(price or ())

    async def plan(planner: ProposalPlanner) -> Plan:
        return planner.amend(without or (), prices, str(uuid.uuid4()))

    _decide(database, seller, proposal, "proposal amend", note, plan)


def _decide(  # noqa: PLR0913, PLR0917 - the options of three commands
    database: str | None,
    seller: str | None,
    proposal: str,
    command: str,
    note: str,
    plan: Callable[[ProposalPlanner], Awaitable[Plan]],
) -> None:
    """Plan a decision about an OrderProposal and carry it out."""
    text = check_message(note)

    async def make(office: Office) -> Plan:
        record = await office.proposal(proposal)
        return await plan(ProposalPlanner(office, record, text, administrator(command)))

    carry_out(database, seller, make)
