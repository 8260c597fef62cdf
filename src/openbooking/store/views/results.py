"""Results that are made of records in the same way for every store."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.record import OrderRecord, ProposalRecord, Record
from openbooking.booking.rules.orders.order_lines import currency_of, order_lines, value_of
from openbooking.booking.views import PaymentRow
from openbooking.openactive.money import ZERO
from openbooking.openactive.terms import OrderProposalStatus
from openbooking.store.documents import microseconds


def payment_row(record: OrderRecord) -> PaymentRow | None:
    """Return the payment of an Order; None if it has none, or its time of B is unknown."""
    if record.payment is None or record.booked is None or record.booked.at is None:
        return None
    lines = order_lines(record)
    return PaymentRow(
        order=record.key,
        booked_at=record.booked.at,
        payment=record.payment,
        currency=currency_of(lines),
        booked=record.order.totals.price,
        due=value_of(lines),
        refund_due=sum((line.refund * line.quantity for line in lines), ZERO),
    )


def starts_of(opportunity: Opportunity) -> datetime | None:
    """Return when an Opportunity starts that Customers book; None if it has no start, or is withdrawn."""
    return opportunity.start if opportunity.type.row.bookable and not opportunity.withdrawn else None


def listed_at(record: Record) -> int | None:
    """Return the place of a record in its list, in microseconds since 1970; None if no list shows it.

    That is the time of B of an Order, and the end of the lifetime of an OrderProposal that awaits the Seller.
    """
    if isinstance(record, OrderRecord):
        return sold_time(record)
    if isinstance(record, ProposalRecord) and record.proposal.status is OrderProposalStatus.AWAITING:
        return microseconds(record.proposal.expires) if record.proposal.expires else None
    return None


def hundredths(amount: Decimal) -> int:
    """Return an amount of money in hundredths of its currency; prices have two decimals."""
    return int(amount * 100)


def money(hundredths: int | Decimal) -> Decimal:
    """Return an amount in hundredths of its currency as money; sums come as decimals from PostgreSQL."""
    return Decimal(int(hundredths)).scaleb(-2)


def sold_time(record: OrderRecord) -> int:
    """Return the microseconds from 1970 to B; 0 if the time of B is unknown, so that the Order comes last."""
    return microseconds(record.booked.at) if record.booked and record.booked.at else 0


def name_of(opportunity: Opportunity) -> str:
    """Return the published name of an Opportunity; empty if it has none."""
    name: Any = opportunity.properties.get("name")
    return name if isinstance(name, str) else ""
