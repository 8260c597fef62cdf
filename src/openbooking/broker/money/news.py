"""News of the feeds for the journal, written in the transaction of the page that brings them.

`note_order` and `note_proposal` only write down what is due. `Recovery.settle` pays it back, after the page has been
committed.
"""

import uuid
from decimal import Decimal

from openbooking.broker.money.amounts import amount_of
from openbooking.broker.money.journal import DELETED_PROPOSAL
from openbooking.broker.money.purchase import State
from openbooking.broker.store.database import Transaction
from openbooking.openactive.messages import PriceSpecification
from openbooking.openactive.terms import OrderProposalStatus

# Nothing is booked in these states. An Order in the feed came to be by a request that arrived after its deletion.
_WITHOUT_ORDER = {
    State.OPEN.value,
    State.RELEASING.value,
    State.VOIDING.value,
    State.REJECTING.value,
    State.REVERSED.value,
}
_STATE_OF_UUID = """
    SELECT broker_purchases.state, broker_order_uuids.abandoned
    FROM broker_order_uuids JOIN broker_purchases ON broker_purchases.id = broker_order_uuids.purchase
    WHERE broker_order_uuids.uuid = ?
"""


def note_order(transaction: Transaction, order: uuid.UUID, total: PriceSpecification | None) -> None:
    """Note an Order of the Orders feed: its total may be smaller than what was paid, or it must not exist.

    Args:
        transaction: The transaction of the page.
        order: The Order UUID.
        total: The `totalPaymentDue` of the Order; None if the feed states none.
    """
    row = transaction.execute(_STATE_OF_UUID, (str(order),)).fetchone()
    if row is None:
        return
    state, abandoned = row
    if abandoned or state in _WITHOUT_ORDER:
        transaction.execute("UPDATE broker_order_uuids SET stray = 1 WHERE uuid = ?", (str(order),))
    elif total is not None:
        _note_due(transaction, order, amount_of(total))


def note_deletion(transaction: Transaction, order: uuid.UUID) -> None:
    """Note that the Orders feed shows an Order as deleted. If the Broker did not delete it, all is to be paid back."""
    transaction.execute("UPDATE broker_order_uuids SET stray = 0 WHERE uuid = ?", (str(order),))
    _note_due(transaction, order, Decimal(0))


def note_proposal(
    transaction: Transaction,
    order: uuid.UUID,
    status: OrderProposalStatus | None,
    version: str,
    total: PriceSpecification | None,
) -> None:
    """Note an OrderProposal of its feed.

    Args:
        transaction: The transaction of the page.
        order: The Order UUID.
        status: The status; None if the feed shows the proposal as deleted.
        version: The `orderProposalVersion`; empty if deleted.
        total: The `totalPaymentDue` of this version; None if the feed states none.
    """
    transaction.execute(
        """
        UPDATE broker_purchases
        SET proposal_status = ?, proposal_version = ?, proposal_total = ?, proposal_currency = ?
        WHERE order_uuid = ?
        """,
        (
            status.value if status else DELETED_PROPOSAL,
            version,
            None if total is None else str(amount_of(total)),
            None if total is None else total.price_currency,
            str(order),
        ),
    )


def _note_due(transaction: Transaction, order: uuid.UUID, due: Decimal) -> None:
    """Note what an Order costs now, or that it costs no less than the Broker has kept of its payment."""
    row = transaction.execute(
        "SELECT pays, amount, refunded FROM broker_purchases WHERE order_uuid = ?", (str(order),)
    ).fetchone()
    if row is None:
        return
    pays, amount, refunded = row
    due = max(due, Decimal(0))
    owes = pays and due < Decimal(amount) - Decimal(refunded)
    transaction.execute(
        "UPDATE broker_purchases SET due = ? WHERE order_uuid = ?", (str(due) if owes else None, str(order))
    )
