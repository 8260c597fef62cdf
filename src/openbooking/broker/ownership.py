"""Which Customer created an Order: only that Customer may act on it (OB-BRK-14), and no UUID is used twice (OB-BRK-01).

The application names its Customers by keys of its own, such as the number of an account.
"""

import uuid
from typing import NamedTuple

from openbooking.broker.errors import OrderAccessError
from openbooking.broker.money.journal import Journal, Purchase
from openbooking.broker.store.database import Database, Transaction

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS broker_order_owners (
        purchase TEXT PRIMARY KEY, customer_key TEXT NOT NULL, basket BLOB NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS broker_order_owners_customer ON broker_order_owners (customer_key)",
)
# The UUID of a purchase changes if the Booking System fails. The Customer finds the purchase by any of its UUIDs.
_FIND = """
    SELECT purchase.order_uuid, purchase.seller, owner.customer_key, owner.basket FROM broker_order_owners owner
    JOIN broker_purchases purchase ON purchase.id = owner.purchase WHERE purchase.site = ? AND owner.customer_key = ?
"""
_OF_CUSTOMER = "site = ? AND id IN (SELECT purchase FROM broker_order_owners WHERE customer_key = ?)"
# An OrderProposal that waits for its Seller is open, and has a version.
_RESTS = "(state IN ('booked', 'reversed', 'refund refused') OR (state = 'open' AND agreed_version = ''))"
_PURCHASE = "(SELECT purchase FROM broker_order_uuids WHERE uuid = ?)"


class OwnedOrder(NamedTuple):
    """An Order UUID with its owner.

    Attributes:
        order: The UUID.
        seller: The `@id` of the Seller.
        customer_key: The key of the Customer, as the application names it.
        basket: What the basket of the Order contains, as JSON; empty if it was forgotten.
    """

    order: uuid.UUID
    seller: str
    customer_key: str
    basket: bytes = b""

    def __repr__(self) -> str:
        """Return the Order UUID and the Seller: the basket is about people."""
        return f"OwnedOrder({self.order}, seller={self.seller!r})"


class OrderOwners:
    """The owners of Orders at one Booking System. The methods block; flows call them as `Work`.

    Args:
        database: The database, with its tables.
        journal: The journal of purchases.
        site: The URL of the dataset site.
    """

    def __init__(self, database: Database, journal: Journal, site: str) -> None:
        self._database = database
        self._journal = journal
        self._site = site

    def begin(self, seller: str, customer_key: str, basket: bytes) -> OwnedOrder:
        """Begin an Order with a new UUID, which the journal has before it is used."""

        def note(transaction: Transaction, purchase: Purchase) -> None:
            transaction.execute(
                "INSERT INTO broker_order_owners (purchase, customer_key, basket) VALUES (?, ?, ?)",
                (purchase.id, customer_key, basket),
            )

        return OwnedOrder(self._journal.begin(seller, uuid.uuid4(), note).order, seller, customer_key, basket)

    def keep(self, order: uuid.UUID, basket: bytes) -> None:
        """Keep what the basket of an Order contains; empty to forget it."""
        with self._database.transaction() as transaction:
            transaction.execute(
                f"UPDATE broker_order_owners SET basket = ? WHERE purchase = {_PURCHASE}",  # noqa: S608 - our own text
                (basket, str(order)),
            )

    def forget(self, customer_key: str) -> int:
        """Erase what a Customer has told: baskets, and the Orders of purchases that rest. Orders stay known.

        Returns:
            The number of purchases that are under way, whose details are still needed.
        """
        with self._database.transaction() as transaction:
            transaction.execute(
                "UPDATE broker_order_owners SET basket = ? WHERE customer_key = ?"
                " AND purchase IN (SELECT id FROM broker_purchases WHERE site = ?)",
                (b"", customer_key, self._site),
            )
            transaction.execute(
                f"UPDATE broker_purchases SET body = ? WHERE {_OF_CUSTOMER} AND {_RESTS}",  # noqa: S608 - our own text
                (b"", self._site, customer_key),
            )
            query = f"SELECT count(*) FROM broker_purchases WHERE {_OF_CUSTOMER} AND NOT ({_RESTS})"  # noqa: S608 - as above
            row = transaction.execute(query, (self._site, customer_key)).fetchone()
        return int(row[0]) if row else 0

    def check(self, order: uuid.UUID, customer_key: str) -> OwnedOrder:
        """Return an Order of a Customer.

        Raises:
            OrderAccessError: The Order is not known here, or belongs to another Customer.
        """
        with self._database.transaction() as transaction:
            query = f"{_FIND} AND owner.purchase = {_PURCHASE}"
            row = transaction.execute(query, (self._site, customer_key, str(order))).fetchone()
        if row is None:
            raise OrderAccessError(f"This Customer has no Order {order}.")
        return _read(*row)

    def of_customer(self, customer_key: str) -> tuple[OwnedOrder, ...]:
        """Return the Orders of a Customer, also those that were begun and not booked."""
        with self._database.transaction() as transaction:
            rows = transaction.execute(_FIND, (self._site, customer_key)).fetchall()
        return tuple(_read(*row) for row in rows)


def _read(order: str, seller: str, customer_key: str, basket: bytes) -> OwnedOrder:
    return OwnedOrder(uuid.UUID(order), seller, customer_key, bytes(basket))
