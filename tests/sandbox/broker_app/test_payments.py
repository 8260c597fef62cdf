"""The pretended payment provider: a call that ends with its process is carried out by the next one."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from openbooking.broker import Charge
from openbooking.broker.store.database import Transaction
from openbooking.sandbox.broker_app.payments import PretendedPayments
from openbooking.sandbox.broker_app.storage import Storage

ORDER = uuid.UUID(int=1)


def charge(key: str, amount: int) -> Charge:
    return Charge(key, "payment", Decimal(amount), "GBP", ORDER, "works", "pretended-payment")


def test_refund_is_paid_once_wherever_the_process_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Storage(tmp_path / "app.sqlite3")
    payments = PretendedPayments(storage)
    payments.authorise(charge("payment", 12))
    payments.capture(charge("capture", 12))
    for ended_after in range(3):
        with monkeypatch.context() as patch:
            _end_after(ended_after, storage, patch)
            with suppress(SystemExit):
                payments.refund(charge("refund", 5))
    payments.refund(charge("refund", 5))
    paid = payments.paid_for(ORDER)
    storage.close()
    assert paid is not None
    assert (paid.amount, paid.refunded) == (Decimal(12), Decimal(5))


def _end_after(transactions: int, storage: Storage, patch: pytest.MonkeyPatch) -> None:
    """End the process once a number of transactions was committed."""
    begin: Any = storage.database.transaction
    left = [transactions]

    @contextmanager
    def counted() -> Iterator[Transaction]:
        if not left[0]:
            raise SystemExit
        left[0] -= 1
        with begin() as transaction:
            yield transaction

    patch.setattr(storage.database, "transaction", counted)
