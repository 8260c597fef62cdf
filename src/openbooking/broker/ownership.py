"""Which Customer created an Order: only that Customer may act on it (OB-BRK-14), and no UUID is used twice (OB-BRK-01).

The application names its Customers by keys of its own, such as the number of an account.
"""

import uuid
from typing import NamedTuple

from openbooking.broker.errors import OrderAccessError
from openbooking.broker.store.database import Database

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS broker_order_owners (
        order_uuid TEXT PRIMARY KEY,
        site TEXT NOT NULL,
        seller TEXT NOT NULL,
        customer_key TEXT NOT NULL,
        basket BLOB NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS broker_order_owners_customer ON broker_order_owners (customer_key)",
)

_FIND = "SELECT order_uuid, seller, customer_key, basket FROM broker_order_owners WHERE site = ?"


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


class OrderOwners:
    """The owners of Orders at one Booking System. The methods block; flows call them as `Work`.

    Args:
        database: The database, with its tables.
        site: The URL of the dataset site.
    """

    def __init__(self, database: Database, site: str) -> None:
        self._database = database
        self._site = site

    def begin(self, seller: str, customer_key: str, basket: bytes) -> OwnedOrder:
        """Begin an Order with a new UUID, which is stored before it is used."""
        owned = OwnedOrder(uuid.uuid4(), seller, customer_key, basket)
        with self._database.transaction() as transaction:
            transaction.execute(
                "INSERT INTO broker_order_owners (order_uuid, site, seller, customer_key, basket)"
                " VALUES (?, ?, ?, ?, ?)",
                (str(owned.order), self._site, seller, customer_key, basket),
            )
        return owned

    def keep(self, order: uuid.UUID, basket: bytes) -> None:
        """Keep what the basket of an Order contains; empty to forget it."""
        with self._database.transaction() as transaction:
            transaction.execute("UPDATE broker_order_owners SET basket = ? WHERE order_uuid = ?", (basket, str(order)))

    def check(self, order: uuid.UUID, customer_key: str) -> OwnedOrder:
        """Return an Order of a Customer.

        Raises:
            OrderAccessError: The Order is not known here, or belongs to another Customer.
        """
        with self._database.transaction() as transaction:
            row = transaction.execute(
                f"{_FIND} AND order_uuid = ? AND customer_key = ?", (self._site, str(order), customer_key)
            ).fetchone()
        if row is None:
            raise OrderAccessError(f"This Customer has no Order {order}.")
        return _read(*row)

    def of_customer(self, customer_key: str) -> tuple[OwnedOrder, ...]:
        """Return the Orders of a Customer, also those that were begun and not booked."""
        with self._database.transaction() as transaction:
            rows = transaction.execute(f"{_FIND} AND customer_key = ?", (self._site, customer_key)).fetchall()
        return tuple(_read(*row) for row in rows)


def _read(order: str, seller: str, customer_key: str, basket: bytes) -> OwnedOrder:
    return OwnedOrder(uuid.UUID(order), seller, customer_key, bytes(basket))
