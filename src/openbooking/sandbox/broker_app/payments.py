"""A pretended payment provider. No money moves: replace it by hooks that call a real provider.

Each call carries an idempotency key, and a key that was seen before changes nothing.
"""

import uuid
from decimal import Decimal
from typing import NamedTuple

from openbooking.broker import Charge, DeclinedError, PaymentError
from openbooking.broker.store.database import Transaction

from .storage import Storage

CARDS = {
    "works": "Test card that works",
    "declined": "Test card that is declined",
    "unreachable": "Test card whose bank cannot be reached",
    "slow": "Test card whose payment is known a minute later",
}


class Paid(NamedTuple):
    """What was paid for an Order, and what was paid back."""

    amount: Decimal
    refunded: Decimal
    currency: str


class PretendedPayments:
    """The hooks of payment, which keep their payments in the tables of the app.

    Args:
        storage: The tables.
    """

    def __init__(self, storage: Storage) -> None:
        self._database = storage.database

    def authorise(self, charge: Charge) -> str:
        """Reserve an amount."""
        if charge.reference == "declined":
            raise DeclinedError("The card was declined.")
        if charge.reference == "unreachable":
            raise PaymentError("The bank of the card cannot be reached.")
        with self._database.transaction() as transaction:
            transaction.execute(
                "INSERT OR IGNORE INTO app_payments VALUES (?, ?, ?, ?, 'authorised', '0')",
                (charge.payment, str(charge.order), str(charge.amount), charge.currency),
            )
        return f"pretended-{charge.payment}"

    def capture(self, charge: Charge) -> None:
        """Take an amount that was reserved. The slow card answers the second call only."""
        with self._database.transaction() as transaction:
            is_new = _is_new(transaction, charge.key)
        if is_new and charge.reference == "slow":
            raise PaymentError("The bank has not answered yet.")
        with self._database.transaction() as transaction:
            # The Order UUID is another one if the Booking System failed after the payment was authorised.
            transaction.execute(
                "UPDATE app_payments SET state = 'captured', order_uuid = ? WHERE payment = ?",
                (str(charge.order), charge.payment),
            )

    def void(self, charge: Charge) -> None:
        """Release an amount that was reserved."""
        with self._database.transaction() as transaction:
            query = "UPDATE app_payments SET state = 'released' WHERE payment = ?"
            transaction.execute(query, (charge.payment,))

    def refund(self, charge: Charge) -> None:
        """Pay a part back."""
        with self._database.transaction() as transaction:
            # In one transaction, so that a refund is neither lost nor paid twice if the process ends.
            if not _is_new(transaction, charge.key):
                return
            query = "SELECT refunded FROM app_payments WHERE payment = ?"
            row = transaction.execute(query, (charge.payment,)).fetchone()
            refunded = Decimal(row[0] if row else 0) + charge.amount
            transaction.execute(
                "UPDATE app_payments SET refunded = ? WHERE payment = ?", (str(refunded), charge.payment)
            )

    def paid_for(self, order: uuid.UUID) -> Paid | None:
        """Return what was paid for an Order; None if nothing was."""
        query = "SELECT amount, refunded, currency FROM app_payments WHERE order_uuid = ? AND state = 'captured'"
        with self._database.transaction() as transaction:
            row = transaction.execute(query, (str(order),)).fetchone()
        return Paid(Decimal(row[0]), Decimal(row[1]), row[2]) if row else None


def _is_new(transaction: Transaction, key: str) -> bool:
    """Note the key of a call, and return whether it is new."""
    return transaction.execute("INSERT OR IGNORE INTO app_payment_calls VALUES (?)", (key,)).rowcount == 1
