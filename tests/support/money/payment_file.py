"""A payment provider that keeps its state in an SQLite file of its own, which survives the Broker's process."""

import random
import sqlite3
from pathlib import Path

from openbooking.broker.money.payments import Charge, DeclinedError, TemporaryPaymentError


class PaymentFile:
    """The provider. A share of its calls fails: it declines captures, and loses answers."""

    def __init__(self, path: Path, faulty_share: float = 0) -> None:
        self._share = faulty_share
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("CREATE TABLE IF NOT EXISTS payments (key TEXT PRIMARY KEY, state TEXT)")
        self._connection.execute("CREATE TABLE IF NOT EXISTS violations (text TEXT)")

    def close(self) -> None:
        self._connection.close()

    def states(self) -> dict[str, str]:
        """Return the state of each payment by its key."""
        return dict(self._connection.execute("SELECT key, state FROM payments"))

    def violations(self) -> list[str]:
        return [row[0] for row in self._connection.execute("SELECT text FROM violations")]

    def authorise(self, charge: Charge) -> str:
        self._change(charge, "authorised", {None, "authorised"})
        return f"payment-{charge.key}"

    def capture(self, charge: Charge) -> None:
        captured = self.states().get(charge.payment) == "captured"
        if not captured and random.random() < self._share:  # noqa: S311 - any will do
            raise DeclinedError("The capture is declined.")
        self._change(charge, "captured", {"authorised", "captured"})

    def void(self, charge: Charge) -> None:
        self._change(charge, "voided", {None, "authorised", "voided"})

    def refund(self, charge: Charge) -> None:
        self._change(charge, "refunded", {"captured"})

    def _change(self, charge: Charge, state: str, from_: set[str | None]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        row = self._connection.execute("SELECT state FROM payments WHERE key = ?", (charge.payment,)).fetchone()
        found = row[0] if row else None
        if found not in from_:
            text = f"{charge.payment} became {state}, and was {found}"
            self._connection.execute("INSERT INTO violations VALUES (?)", (text,))
        self._connection.execute("INSERT OR REPLACE INTO payments VALUES (?, ?)", (charge.payment, state))
        self._connection.execute("COMMIT")
        if random.random() < self._share:  # noqa: S311 - any will do
            raise TemporaryPaymentError("The answer was lost.")
