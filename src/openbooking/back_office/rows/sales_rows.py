"""Sales and VAT as rows of tables."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from openbooking.back_office.names import published_names
from openbooking.back_office.rows.tables import TableContext, TableRow
from openbooking.booking.views import SalesGroup, SalesRow, SellerViews, VatRow
from openbooking.openactive.money import VatTreatment


class SalesBy(StrEnum):
    """The rows of a table of sales: groups of sales, or treatments of VAT."""

    DAY = SalesGroup.DAY
    MONTH = SalesGroup.MONTH
    PARTNER = SalesGroup.PARTNER
    ACTIVITY = SalesGroup.ACTIVITY
    VENUE = SalesGroup.VENUE
    VAT = "vat"


class SalesTableRow(TableRow, frozen=True, kw_only=True):
    """The sales of one group in one currency; `..._items` are numbers of items, and `..._tax` is the tax in an amount.

    Attributes:
        group: The day, the month, or the key of the partner, activity or venue.
        name: The name of the group.
        sold_items: The items that were sold, also if they were cancelled later.
        sold: Their price with tax.
        cancelled_items: The items that were cancelled or replaced.
        cancelled: Their price with tax.
        refund_due: What Brokers owe Customers.
    """

    only_for_scripts: ClassVar[frozenset[str]] = frozenset({"group"})

    group: str
    name: str
    sold_items: int
    sold: Decimal
    sold_tax: Decimal
    cancelled_items: int
    cancelled: Decimal
    cancelled_tax: Decimal
    refund_due: Decimal
    currency: str | None


class VatTableRow(TableRow, frozen=True, kw_only=True):
    """The sales at one treatment of VAT in one currency, with the fields of SalesTableRow.

    Attributes:
        vat: The treatment of VAT, in words.
        rate: The rate, as a fraction of the net price.
        tax: The tax that is left after cancellations.
    """

    vat: str
    rate: float
    sold_items: int
    sold: Decimal
    sold_tax: Decimal
    cancelled_items: int
    cancelled: Decimal
    cancelled_tax: Decimal
    tax: Decimal
    currency: str | None


async def sales_rows(
    views: SellerViews, since: datetime, until: datetime, by: SalesBy, context: TableContext
) -> list[TableRow]:
    """Return the rows of the sales of a Seller from `since` to before `until`."""
    if by is SalesBy.VAT:
        return [_vat_row(row) for row in (await views.sales(since, until, SalesGroup.MONTH, context.zone)).vat]
    found = await views.sales(since, until, SalesGroup(by.value), context.zone)
    keys = {row.group for row in found.rows}
    names: Mapping[str, str] = {}
    if by is SalesBy.PARTNER:
        names = context.partners
    elif by in (SalesBy.ACTIVITY, SalesBy.VENUE):
        names = await published_names(views, keys, since, until)
    return [_sales_row(row, names) for row in found.rows]


def _sales_row(row: SalesRow, names: Mapping[str, str]) -> SalesTableRow:
    return SalesTableRow(
        group=row.group,
        name=names.get(row.group, row.group),
        sold_items=row.sold.count,
        sold=row.sold.price,
        sold_tax=row.sold.tax,
        cancelled_items=row.cancelled.count,
        cancelled=row.cancelled.price,
        cancelled_tax=row.cancelled.tax,
        refund_due=row.refund_due.price,
        currency=row.currency,
    )


def _vat_row(row: VatRow) -> VatTableRow:
    return VatTableRow(
        vat=VatTreatment(row.vat).label if row.vat else "No tax stated",
        rate=float(row.rate),
        sold_items=row.sold.count,
        sold=row.sold.price,
        sold_tax=row.sold.tax,
        cancelled_items=row.cancelled.count,
        cancelled=row.cancelled.price,
        cancelled_tax=row.cancelled.tax,
        tax=row.sold.tax - row.cancelled.tax,
        currency=row.currency,
    )
