"""News for Customers, in a table of the app in the database of the client.

News is written in the transaction that moves the cursor of the Orders feed, so that none is lost or told twice.
"""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from openbooking.broker import Change, change_text, open_database

TABLE = "CREATE TABLE IF NOT EXISTS app_told (order_uuid TEXT, told TEXT, number INTEGER, text TEXT)"


class Told(NamedTuple):
    """What a Customer was told about an Order, and when."""

    at: datetime
    text: str


class News:
    """The news of all Orders.

    Args:
        location: The database of the client.
    """

    def __init__(self, location: str | Path) -> None:
        self._database = open_database(location)
        with self._database.transaction() as transaction:
            transaction.execute(TABLE)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def of_order(self, order: UUID) -> list[Told]:
        """Return the news of an Order, the latest first."""
        query = "SELECT told, text FROM app_told WHERE order_uuid = ? ORDER BY told DESC, number DESC"
        with self._database.transaction() as transaction:
            rows = transaction.execute(query, (str(order),)).fetchall()
        return [Told(datetime.fromisoformat(told), text) for told, text in rows]


def write_news(connection: Any, changes: Sequence[Change]) -> None:
    """Write the news of a page of changes, with the connection of the client: that of SQLite or that of psycopg."""
    marks = ", ".join(["?" if isinstance(connection, sqlite3.Connection) else "%s"] * 4)
    told = datetime.now(UTC).isoformat()
    for number, change in enumerate(changes):
        if text := change_text(change):
            statement = f"INSERT INTO app_told (order_uuid, told, number, text) VALUES ({marks})"  # noqa: S608 - marks only
            connection.execute(statement, (str(change.order), told, number, text))
