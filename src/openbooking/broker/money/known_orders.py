"""What the journal knows of an Order that a feed shows."""

import uuid
from typing import NamedTuple

from openbooking.broker.money.purchase import DELETED, State
from openbooking.broker.store.database import Transaction
from openbooking.openactive.terms import OrderType

# In these states the OrderProposal waits for its Seller. Afterwards B ends it (OB-APP-34).
_PROPOSED = {State.OPEN, State.PROPOSING, State.AUTHORISING}


class KnownOrder(NamedTuple):
    """An Order or OrderProposal of this database.

    Attributes:
        reply: The reply to B or P; empty if none has arrived.
        deletion_expected: Whether the Broker deletes it, or ended the OrderProposal by B.
    """

    reply: bytes
    deletion_expected: bool


def known_order(transaction: Transaction, order: uuid.UUID, type_: OrderType) -> KnownOrder | None:
    """Return what the journal knows of an Order or OrderProposal; None if the UUID is not of this database."""
    row = transaction.execute(
        """
        SELECT broker_order_uuids.abandoned, broker_purchases.state, broker_purchases.reply,
            broker_purchases.order_uuid = broker_order_uuids.uuid AND broker_purchases.reply_type = ?
        FROM broker_order_uuids JOIN broker_purchases ON broker_purchases.id = broker_order_uuids.purchase
        WHERE broker_order_uuids.uuid = ?
        """,
        (type_.value, str(order)),
    ).fetchone()
    if row is None:
        return None
    abandoned, state, reply, is_reply = row
    is_over = state in DELETED or (type_ is OrderType.PROPOSAL and state not in _PROPOSED)
    return KnownOrder(bytes(reply) if is_reply else b"", bool(abandoned) or is_over)
