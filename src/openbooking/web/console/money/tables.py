"""The tables of the money page as rows for people and as rows of CSV files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from openbooking.booking.rules.orders.order_lines import LineStatus
from openbooking.booking.views import Amount, PaymentRow, SalesGroup, SalesLine, SalesRow, VatRow
from openbooking.openactive.money import ZERO, VatTreatment

GROUPS = {
    SalesGroup.DAY: "Day",
    SalesGroup.MONTH: "Month",
    SalesGroup.PARTNER: "Partner",
    SalesGroup.ACTIVITY: "Activity",
    SalesGroup.VENUE: "Venue",
}
# The groups whose keys are no dates, so that a CSV file has both the key and the name.
KEYED_GROUPS = frozenset({SalesGroup.PARTNER, SalesGroup.ACTIVITY, SalesGroup.VENUE})

SALES_COLUMNS = (
    "Currency",
    "Items sold",
    "Sold",
    "VAT in sold",
    "Items cancelled",
    "Cancelled",
    "VAT in cancelled",
    "Items to refund",
    "Refund due",
)
VAT_COLUMNS = (
    "VAT",
    "Rate (%)",
    "Currency",
    "Items sold",
    "Sold",
    "VAT in sold",
    "Items cancelled",
    "Cancelled",
    "VAT in cancelled",
)
LINE_COLUMNS = (
    "Time",
    "What",
    "Order",
    "Partner key",
    "Partner",
    "Opportunity",
    "Session starts",
    "Activity key",
    "Activity",
    "Venue key",
    "Venue",
    "Items",
    "Price each",
    "Total",
    "VAT in total",
    "VAT",
    "Rate (%)",
    "Refund due",
    "Currency",
)
PAYMENT_COLUMNS = (
    "Payment identifier",
    "Payment name",
    "Payment accountId",
    "Payment paymentProviderId",
    "Order",
    "Partner key",
    "Partner",
    "Booked",
    "Currency",
    "Total booked",
    "Total now due",
    "Refund due",
)

_WHAT = {
    LineStatus.CUSTOMER_CANCELLED: "cancelled by the customer",
    LineStatus.SELLER_CANCELLED: "cancelled by the seller",
    LineStatus.REPLACED: "replaced",
}
_NO_VAT = "No tax stated"
_AMOUNTS = ("sold", "cancelled", "refund_due")

Row = TypeVar("Row", SalesRow, VatRow)


class VatTotal(NamedTuple):
    """A row of the table of VAT, as the page shows it; `net` is the tax that is left after cancellations."""

    label: str
    row: VatRow
    net: Decimal


def join_sales(rows: Sequence[SalesRow]) -> list[SalesRow]:
    """Return the rows of sales; what had no price is added to the only currency, if there is one."""
    return _join(rows, lambda row: row.group)


def join_vat(rows: Sequence[VatRow]) -> list[VatRow]:
    """Return the rows of VAT; what had no price is added to the only currency, if there is one."""
    return _join(rows, lambda row: (row.vat, row.rate))


def total_rows(rows: Iterable[SalesRow]) -> list[SalesRow]:
    """Return the total of each currency."""
    totals: dict[str, SalesRow] = {}
    for row in rows:
        known = totals.get(row.currency or "", SalesRow(group="", currency=row.currency))
        totals[row.currency or ""] = _sum(known, row)
    return [row for _, row in sorted(totals.items())]


def only_currency(currencies: Iterable[str | None]) -> str | None:
    """Return the only currency; None if there are several, or none."""
    found = {currency for currency in currencies if currency}
    return found.pop() if len(found) == 1 else None


def _join(rows: Sequence[Row], key: Callable[[Row], object]) -> list[Row]:
    currency = only_currency(row.currency for row in rows)
    if currency is None:
        return list(rows)
    joined: dict[object, Row] = {}
    for row in rows:
        priced = replace(row, currency=currency)
        known = joined.get(key(row))
        joined[key(row)] = _sum(known, priced) if known else priced
    return list(joined.values())


def _sum(one: Row, other: Row) -> Row:
    names = [name for name in _AMOUNTS if hasattr(one, name)]
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in names})


def vat_totals(rows: Iterable[VatRow]) -> list[VatTotal]:
    """Return the rows of the table of VAT."""
    return [VatTotal(vat_label(row.vat), row, row.sold.tax - row.cancelled.tax) for row in rows]


def vat_label(vat: str) -> str:
    """Return what people call a treatment of VAT; an empty one is that of Orders that state no tax."""
    return VatTreatment(vat).label if vat else _NO_VAT


def sales_columns(by: SalesGroup) -> tuple[str, ...]:
    """Return the columns of the CSV file of sales."""
    name = GROUPS[by]
    return (f"{name} key", name, *SALES_COLUMNS) if by in KEYED_GROUPS else (name, *SALES_COLUMNS)


def sales_cells(row: SalesRow, by: SalesGroup, names: Mapping[str, str]) -> tuple[object, ...]:
    """Return a row of the CSV file of sales."""
    group = (row.group, names[row.group]) if by in KEYED_GROUPS else (row.group,)
    refund = row.refund_due
    return (*group, row.currency, *_cells(row.sold), *_cells(row.cancelled), refund.count, refund.price)


def vat_cells(row: VatRow) -> tuple[object, ...]:
    """Return a row of the CSV file of VAT."""
    return (vat_label(row.vat), _percent(row.rate), row.currency, *_cells(row.sold), *_cells(row.cancelled))


def line_cells(
    moved: SalesLine, partners: Mapping[str, str], names: Mapping[str, str], zone: tzinfo
) -> tuple[object, ...]:
    """Return a row of the CSV file of sales and cancellations; the total of a cancellation is negative.

    The sum of the totals is what was sold less what was cancelled.
    """
    line = moved.line
    signed = line.quantity if moved.is_sale else -line.quantity
    return (
        _local(moved.at, zone),
        "sold" if moved.is_sale else _WHAT[line.status],
        moved.order.uuid,
        moved.order.partner,
        partners.get(moved.order.partner, moved.order.partner),
        line.opportunity,
        _local(line.starts, zone) if line.starts else None,
        line.activity,
        names.get(line.activity, line.activity),
        line.venue,
        names.get(line.venue, line.venue),
        signed,
        line.price,
        line.price * signed,
        line.tax * signed,
        vat_label(line.vat),
        _percent(line.rate),
        ZERO if moved.is_sale else line.refund * line.quantity,
        line.currency,
    )


def payment_cells(row: PaymentRow, partners: Mapping[str, str], zone: tzinfo) -> tuple[object, ...]:
    """Return a row of the CSV file of payments."""
    payment = row.payment
    return (
        payment.identifier,
        payment.name,
        payment.account_id,
        payment.payment_provider_id,
        row.order.uuid,
        row.order.partner,
        partners.get(row.order.partner, row.order.partner),
        _local(row.booked_at, zone),
        row.currency,
        row.booked,
        row.due,
        row.refund_due,
    )


def _cells(amount: Amount) -> tuple[object, ...]:
    return amount.count, amount.price, amount.tax


def _percent(rate: Decimal) -> Decimal:
    return (rate * 100).normalize() if rate else Decimal(0)


def _local(at: datetime, zone: tzinfo) -> datetime:
    return at.astimezone(zone).replace(microsecond=0)
