"""`openbooking log`: the activity log of a Seller."""

from openbooking.back_office.office import Office
from openbooking.back_office.pages import read_rows
from openbooking.back_office.rows.log_rows import LogRow, log_row
from openbooking.cli.bookings.office import SellerOption, with_office
from openbooking.cli.listing import Csv, Json, Limit, Output
from openbooking.cli.options import Database


def log(
    *,
    seller: SellerOption = None,
    json: Json = False,
    csv: Csv = False,
    limit: Limit = None,
    database: Database = None,
) -> None:
    """Show the decisions about Orders, Opportunities, the timetable, staff, partners and details, the newest first.

    `openbooking order show` shows those about one Order.
    """
    output = Output(LogRow, json=json, csv=csv, limit=limit)

    async def work(office: Office) -> None:
        await output.show_list(log_row(entry, office.context) async for entry in read_rows(office.views.activity))

    with_office(database, seller, work)
