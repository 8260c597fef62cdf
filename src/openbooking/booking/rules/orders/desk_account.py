"""The account of an Order of the front desk: what was paid and given back, by which means and when, and what is due.

Money is given back at the desk when items are cancelled, or replaced by something that costs less
(`order_lines.OrderLine.refund`). It is given back by the means of the latest payments.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from openbooking.booking.model.record import OrderRecord
from openbooking.booking.rules.orders.order_lines import order_lines, value_of
from openbooking.openactive.money import ZERO


class DeskMovement(NamedTuple):
    """Money that was paid or given back at the desk.

    Attributes:
        at: The time; None if it is unknown.
        means: The means of payment.
        paid: What was paid.
        given_back: What was given back.
        reference: The reference of the payment; empty if there is none.
    """

    at: datetime | None
    means: str
    paid: Decimal = ZERO
    given_back: Decimal = ZERO
    reference: str = ""


def desk_account(record: OrderRecord) -> tuple[DeskMovement, ...]:
    """Return all payments and refunds of an Order of the front desk, the first one first."""
    payments = list(_payments(record))
    refunds = sorted(_refunds(record), key=lambda refund: _time(refund[0]))
    account: list[DeskMovement] = []
    # What is left of each payment, by its place among the payments.
    left = [payment.paid for payment in payments]
    for at, ended in groupby(refunds, key=lambda refund: refund[0]):
        amount = sum((each for _, each in ended), ZERO)
        for place in reversed(range(len(payments))):
            part = min(left[place], amount) if _time(payments[place].at) <= _time(at) else ZERO
            if part:
                left[place], amount = left[place] - part, amount - part
                account.append(DeskMovement(at, payments[place].means, given_back=part))
    return tuple(sorted([*payments, *account], key=lambda movement: _time(movement.at)))


def due_at_desk(record: OrderRecord) -> Decimal:
    """Return what is still to be paid at the desk; 0 for Orders of Booking Partners, which are paid elsewhere."""
    if not record.is_of_desk:
        return ZERO
    account = desk_account(record)
    balance = sum((movement.paid - movement.given_back for movement in account), ZERO)
    return max(value_of(order_lines(record)) - balance, ZERO)


def _payments(record: OrderRecord) -> Iterator[DeskMovement]:
    if record.payment:
        booked_at = record.booked.at if record.booked else None
        reference = record.payment.identifier or ""
        # The desk writes the UUID in place of a reference that was not typed.
        stated = "" if reference == record.uuid else reference
        yield DeskMovement(booked_at, record.payment.name or "", paid=record.order.totals.price, reference=stated)
    for payment in sorted(record.payments, key=attrgetter("taken.at")):
        yield DeskMovement(payment.taken.at, payment.means, paid=payment.amount, reference=payment.reference)


def _refunds(record: OrderRecord) -> Iterator[tuple[datetime | None, Decimal]]:
    return ((line.ended_at, line.refund * line.quantity) for line in order_lines(record) if line.refund)


def _time(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0
