"""`openbooking sales`: what was sold, cancelled and is to be refunded."""

from datetime import date
from typing import Annotated

import typer

from openbooking.back_office.office import Office
from openbooking.back_office.rows.sales_rows import SalesBy, SalesTableRow, VatTableRow, sales_rows
from openbooking.cli.bookings.office import SellerOption, with_office
from openbooking.cli.listing import Csv, Json, Output
from openbooking.cli.options import Database
from openbooking.cli.values import day_option, read_period


def sales(  # noqa: PLR0913 - one parameter for each option
    *,
    by: Annotated[SalesBy, typer.Option(help="What the rows are.")] = SalesBy.DAY,
    first: Annotated[date | None, day_option("The first day.", "--from", default="first of the month")] = None,
    last: Annotated[date | None, day_option("The last day.", "--to", default="today")] = None,
    seller: SellerOption = None,
    json: Json = False,
    csv: Csv = False,
    database: Database = None,
) -> None:
    """Show what was sold, what was cancelled and what is to be refunded. A deleted Order counts as never sold."""
    output = Output(VatTableRow if by is SalesBy.VAT else SalesTableRow, json=json, csv=csv)

    async def work(office: Office) -> None:
        today = office.context.now.date()
        end = last or today
        since, until = read_period(first or end.replace(day=1), end, office.context.zone)
        output.show(await sales_rows(office.views, since, until, by, office.context))

    with_office(database, seller, work)
