"""The journal of purchases in the database of the Broker.

Every write is fenced: it changes a row only if the revision is still the one that was read. A process that was thought
dead therefore writes nothing more once another instance has taken its purchase over.
"""

import threading
import time
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from openbooking.broker.money.errors import LostPurchaseError, UnknownPurchaseError
from openbooking.broker.money.purchase import TRANSITIONS, State
from openbooking.broker.money.tables import FORGET_NEWS, INSERT, SELECT, UPDATE
from openbooking.broker.store.database import Database, Row, Transaction
from openbooking.openactive.terms import OrderProposalStatus

NOBODY = ""
# The `proposal_status` of an OrderProposal that its feed shows as deleted.
DELETED_PROPOSAL = "deleted"
_REJECTED = {
    OrderProposalStatus.SELLER_REJECTED.value,
    OrderProposalStatus.CUSTOMER_REJECTED.value,
    DELETED_PROPOSAL,
}


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the journal.

    Attributes:
        id: The key of the purchase, which stays if the Order UUID changes.
        site: The URL of the dataset site of the Booking System.
        seller: The `@id` of the Seller.
        order: The Order UUID in use.
        state: The step that is about to be done, or where the purchase rests.
        since: When the state began, in seconds since 1970.
        owner: The instance that carries the purchase out; empty if none does.
        revision: How often the owner's part of the row was written.
        body: The Order that the Customer agreed to, as JSON, without the id of the payment; empty in a basket.
        approval: Whether the Seller must approve the Order.
        agreed_version: The version of the OrderProposal that the Customer agreed to; empty before P.
        amount: The total that the Customer agreed to.
        currency: The currency of the total; empty if the total is 0.
        pays: Whether the Broker takes the payment; otherwise the Customer pays the Seller.
        reference: The text that the application passed for its hooks.
        payments: How many payments were begun.
        payment_key: The key of the payment that may be authorised or captured; empty if there is none.
        payment_id: The id of the payment at the provider; empty if not known.
        refunded: The amount that was paid back.
        refunding: The amount that is being paid back.
        restarts: How often the purchase began again with another UUID.
        fault: Why the purchase was reversed, or is not finished; empty if nothing went wrong.
        reply: The latest reply to P or B, as JSON; empty before the first.
        reply_type: Whether the reply is an `Order` or an `OrderProposal`; empty before the first.
        due: The total in the Orders feed if it is less than what was paid; otherwise None.
        proposal_status: The latest status of the OrderProposal in the feed; None if not seen there.
        proposal_version: The latest version in the feed; `proposal_total` and `proposal_currency` belong to it.
    """

    id: str
    site: str
    seller: str
    order: uuid.UUID
    state: State
    since: float
    owner: str
    revision: int = 0
    body: bytes = b""
    approval: bool = False
    agreed_version: str = ""
    amount: Decimal = Decimal(0)
    currency: str = ""
    pays: bool = False
    reference: str = ""
    payments: int = 0
    payment_key: str = ""
    payment_id: str = ""
    refunded: Decimal = Decimal(0)
    refunding: Decimal = Decimal(0)
    restarts: int = 0
    fault: str = ""
    reply: bytes = b""
    reply_type: str = ""
    due: Decimal | None = None
    proposal_status: str | None = None
    proposal_version: str | None = None
    proposal_total: Decimal | None = None
    proposal_currency: str | None = None

    def __repr__(self) -> str:
        """Return the Order UUID and the state: bodies and replies are about people."""
        return f"Purchase({self.order}, {self.state.value!r})"

    @property
    def is_unfinished(self) -> bool:
        """Whether a step must still be done."""
        return self.state in TRANSITIONS

    @property
    def is_rejected(self) -> bool:
        """Whether the feed shows that the OrderProposal was rejected or deleted."""
        return self.state is State.OPEN and bool(self.agreed_version) and self.proposal_status in _REJECTED

    @property
    def takes_payment(self) -> bool:
        """Whether the Broker takes a payment for the amount."""
        return self.pays and self.amount > 0

    @property
    def owed(self) -> Decimal:
        """The amount to pay back; 0 if there is none."""
        return Decimal(0) if self.due is None else max(Decimal(0), self.amount - self.refunded - self.due)


class Journal:
    """The journal of purchases at one Booking System. Its methods block; flows call them as `Work`.

    Args:
        database: The database, with its tables.
        site: The URL of the dataset site of the Booking System.
        clock: Returns the time in seconds since 1970.
    """

    def __init__(
        self,
        database: Database,
        site: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._site = site
        self._clock = clock
        self._lock = threading.Lock()
        self._held = set[str]()

    def begin(
        self, seller: str, order: uuid.UUID, note: Callable[[Transaction, Purchase], None] | None = None
    ) -> Purchase:
        """Begin a purchase with a new Order UUID, which no other purchase ever uses (OB-BRK-01).

        Args:
            seller: The `@id` of the Seller.
            order: The Order UUID.
            note: Notes more about the purchase in the same transaction.

        Raises:
            DatabaseError: The UUID was used before.
        """
        purchase = Purchase(
            id=uuid.uuid4().hex,
            site=self._site,
            seller=seller,
            order=order,
            state=State.OPEN,
            since=self._clock(),
            owner=NOBODY,
        )
        with self._database.transaction() as transaction:
            transaction.execute(INSERT, (purchase.id, purchase.site, purchase.seller, *_values(purchase)))
            _use(transaction, purchase)
            if note:
                note(transaction, purchase)
        return purchase

    def find(self, order: uuid.UUID) -> Purchase:
        """Return the purchase that uses an Order UUID.

        Raises:
            UnknownPurchaseError: There is none.
        """
        found = self._read("WHERE order_uuid = ?", str(order))
        if not found:
            raise UnknownPurchaseError(f"The journal has no purchase with the Order UUID {order}.")
        return found[0]

    def find_basket(self, order: uuid.UUID) -> Purchase:
        """Return the purchase that uses an Order UUID, or has used it before it began again with another one.

        Raises:
            UnknownPurchaseError: There is none.
        """
        found = self._read("WHERE id = (SELECT purchase FROM broker_order_uuids WHERE uuid = ?)", str(order))
        if not found:
            raise UnknownPurchaseError(f"The journal has no purchase with the Order UUID {order}.")
        return found[0]

    def get(self, key: str) -> Purchase:
        """Return the purchase with this id."""
        return self._read("WHERE id = ?", key)[0]

    def unfinished(self) -> list[Purchase]:
        """Return the purchases with steps to be done and those with refused refunds, the oldest first."""
        where = "WHERE site = ? AND state NOT IN ('open', 'booked', 'reversed') ORDER BY since, id"
        return self._read(where, self._site)

    def refunds_due(self) -> list[Purchase]:
        """Return the booked purchases of which the feed has shown a smaller total."""
        where = "WHERE site = ? AND state IN ('booked', 'refund refused') AND due IS NOT NULL ORDER BY since, id"
        return self._read(where, self._site)

    def strays(self) -> list[tuple[uuid.UUID, Purchase]]:
        """Return the Order UUIDs of Orders that must not exist but do, with their purchases."""
        with self._database.transaction() as transaction:
            found = transaction.execute("SELECT uuid, purchase FROM broker_order_uuids WHERE stray = 1").fetchall()
        strays = [(uuid.UUID(order), self.get(key)) for order, key in found]
        return [(order, purchase) for order, purchase in strays if purchase.site == self._site]

    def stray_deleted(self, order: uuid.UUID) -> None:
        """Note that an Order that must not exist has been deleted."""
        with self._database.transaction() as transaction:
            transaction.execute("UPDATE broker_order_uuids SET stray = 0, abandoned = 1 WHERE uuid = ?", (str(order),))

    def stray_booked(self, order: uuid.UUID) -> None:
        """Note that an Order that must not exist was booked again, so that it may exist now."""
        with self._database.transaction() as transaction:
            transaction.execute("UPDATE broker_order_uuids SET stray = 0 WHERE uuid = ?", (str(order),))

    def nothing_owed(self, purchase: Purchase) -> None:
        """Note that what the feed has shown to be owed is paid back."""
        with self._database.transaction() as transaction:
            transaction.execute(
                "UPDATE broker_purchases SET due = NULL WHERE id = ? AND due = ? AND refunded = ?",
                (purchase.id, str(purchase.due), str(purchase.refunded)),
            )

    def move(self, purchase: Purchase, state: State, **changes: Any) -> Purchase:
        """Write the next state of a purchase. This instance owns the purchase while steps must be done.

        Args:
            purchase: The purchase as it was read.
            state: The next state.
            changes: Other fields that change.

        Raises:
            LostPurchaseError: The purchase has changed since.
        """
        owner = self._database.instance if state in TRANSITIONS else NOBODY
        revision = purchase.revision + 1
        moved = msgspec.structs.replace(
            purchase, state=state, since=self._clock(), owner=owner, revision=revision, **changes
        )
        self._write(purchase, moved)
        return moved

    def begin_again(self, purchase: Purchase) -> Purchase:
        """Begin a purchase that was reversed or rejected again, with another Order UUID (OB-BRK-01).

        Raises:
            LostPurchaseError: Another flow or process has begun it again.
        """
        begun = Purchase(
            id=purchase.id,
            site=purchase.site,
            seller=purchase.seller,
            order=uuid.uuid4(),
            state=State.OPEN,
            since=self._clock(),
            owner=NOBODY,
            revision=purchase.revision + 1,
            payments=purchase.payments,
        )
        self._write(purchase, begun)
        return begun

    def reject(self, order: uuid.UUID) -> None:
        """Note that the Customer has rejected an OrderProposal, before its feed says so."""
        rejected = OrderProposalStatus.CUSTOMER_REJECTED.value
        with self._database.transaction() as transaction:
            transaction.execute(
                "UPDATE broker_purchases SET proposal_status = ? WHERE order_uuid = ?", (rejected, str(order))
            )

    def adopt(self, purchase: Purchase) -> Purchase | None:
        """Take an unfinished purchase over from an instance that has ended; return None if its owner still lives."""
        mine = self._database.instance
        if purchase.owner not in (NOBODY, mine) and self._database.is_alive(purchase.owner):
            return None
        adopted = msgspec.structs.replace(purchase, owner=mine, revision=purchase.revision + 1)
        return adopted if self._replace(purchase, adopted) else None

    def leave(self, purchase: Purchase, fault: str) -> Purchase:
        """Give up ownership of a purchase whose steps are left to a later recovery."""
        left = msgspec.structs.replace(purchase, owner=NOBODY, fault=fault, revision=purchase.revision + 1)
        self._replace(purchase, left)
        return left

    def hold(self, purchase: Purchase) -> bool:
        """Remember that a flow of this process carries a purchase out; return False if another flow does."""
        with self._lock:
            free = purchase.id not in self._held
            self._held.add(purchase.id)
        return free

    def drop(self, purchase: Purchase) -> None:
        """Forget that the flow that holds a purchase carries it out."""
        with self._lock:
            self._held.discard(purchase.id)

    def age(self, purchase: Purchase) -> float:
        """Return for how many seconds a purchase has been in its state."""
        return self._clock() - purchase.since

    def _replace(self, purchase: Purchase, other: Purchase) -> bool:
        """Write owner and fault of a purchase; return False if it has changed since it was read."""
        with self._database.transaction() as transaction:
            replaced = transaction.execute(
                "UPDATE broker_purchases SET owner = ?, fault = ?, revision = ? WHERE id = ? AND revision = ?",
                (other.owner, other.fault, other.revision, purchase.id, purchase.revision),
            )
            return replaced.rowcount == 1

    def _write(self, purchase: Purchase, moved: Purchase) -> None:
        fence = (purchase.id, purchase.revision)
        with self._database.transaction() as transaction:
            if transaction.execute(UPDATE, (*_values(moved), *fence)).rowcount != 1:
                raise LostPurchaseError(f"Another process carries out the purchase {purchase.order}.")
            if moved.order != purchase.order:
                _abandon(transaction, purchase)
                _use(transaction, moved)
                # News of the feeds about the former Order says nothing about the next one.
                transaction.execute(FORGET_NEWS, (purchase.id,))
            if moved.state is State.VOIDING:
                _abandon(transaction, purchase)

    def _read(self, where: str, *parameters: str) -> list[Purchase]:
        with self._database.transaction() as transaction:
            return [_purchase(row) for row in transaction.execute(f"{SELECT} {where}", parameters)]


def _values(purchase: Purchase) -> tuple[object, ...]:
    """Return the columns that the owner of a purchase writes, without its key, site and Seller."""
    return (
        str(purchase.order),
        purchase.state.value,
        purchase.since,
        purchase.owner,
        purchase.revision,
        purchase.body,
        int(purchase.approval),
        purchase.agreed_version,
        str(purchase.amount),
        purchase.currency,
        int(purchase.pays),
        purchase.reference,
        purchase.payments,
        purchase.payment_key,
        purchase.payment_id,
        str(purchase.refunded),
        str(purchase.refunding),
        purchase.restarts,
        purchase.fault,
        purchase.reply,
        purchase.reply_type,
    )


def _purchase(row: Row) -> Purchase:
    members: dict[str, Any] = dict(zip(Purchase.__struct_fields__, row, strict=True))
    members["state"] = State(members["state"])
    members["order"] = uuid.UUID(members["order"])
    members["approval"], members["pays"] = bool(members["approval"]), bool(members["pays"])
    members["body"], members["reply"] = bytes(members["body"]), bytes(members["reply"])
    for name in ("amount", "refunded", "refunding", "due", "proposal_total"):
        members[name] = None if members[name] is None else Decimal(members[name])
    return Purchase(**members)


def _use(transaction: Transaction, purchase: Purchase) -> None:
    """Record that a purchase uses its Order UUID; the primary key refuses a second use."""
    transaction.execute(
        "INSERT INTO broker_order_uuids (uuid, purchase, abandoned, stray) VALUES (?, ?, 0, 0)",
        (str(purchase.order), purchase.id),
    )


def _abandon(transaction: Transaction, purchase: Purchase) -> None:
    """Record that no Order may exist with the UUID of a purchase any more."""
    transaction.execute("UPDATE broker_order_uuids SET abandoned = 1 WHERE uuid = ?", (str(purchase.order),))
