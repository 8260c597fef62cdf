"""The app's own tables, in the SQLite file of the client: news for Customers, and descriptions of what was quoted.

News is written in the transaction that moves the cursor of the Orders feed, so that none is lost or told twice.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Any, NamedTuple

from openbooking.broker import Change
from openbooking.broker.store.database import open_database

from .words import news_of

TABLES = (
    "CREATE TABLE IF NOT EXISTS app_news (order_uuid TEXT, told TEXT, text TEXT)",
    "CREATE INDEX IF NOT EXISTS app_news_order ON app_news (order_uuid)",
    "CREATE TABLE IF NOT EXISTS app_objects (id TEXT PRIMARY KEY, content TEXT)",
    """
    CREATE TABLE IF NOT EXISTS app_payments (
        payment TEXT PRIMARY KEY, order_uuid TEXT, amount TEXT, currency TEXT, state TEXT, refunded TEXT
    )
    """,
    "CREATE TABLE IF NOT EXISTS app_payment_calls (key TEXT PRIMARY KEY)",
)


class News(NamedTuple):
    """What a Customer is told about an Order, and when."""

    told: datetime
    text: str


class Storage:
    """The app's own tables.

    Args:
        path: The SQLite file of the client.
    """

    def __init__(self, path: Path) -> None:
        self.database = open_database(path)
        with self.database.transaction() as transaction:
            for statement in TABLES:
                transaction.execute(statement)

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def news(self, order: uuid.UUID) -> list[News]:
        """Return the news of an Order, the latest first."""
        query = "SELECT told, text FROM app_news WHERE order_uuid = ? ORDER BY rowid DESC"
        with self.database.transaction() as transaction:
            rows = transaction.execute(query, (str(order),)).fetchall()
        return [News(datetime.fromisoformat(told), text) for told, text in rows]

    def remember(self, objects: Iterable[object]) -> None:
        """Keep Opportunities and Offers of a quote, because feeds of some systems name them by their `@id` alone."""
        known = [item for item in objects if isinstance(item, dict) and isinstance(item.get("@id"), str)]
        with self.database.transaction() as transaction:
            transaction.execute_many(
                "INSERT OR REPLACE INTO app_objects (id, content) VALUES (?, ?)",
                [(item["@id"], json.dumps(item)) for item in known],
            )

    def whole(self, reference: object) -> Mapping[str, Any]:
        """Return an Opportunity or an Offer, which may be given by its `@id` alone."""
        stated = {"@id": reference} if isinstance(reference, str) else reference
        if not isinstance(stated, dict):
            return {}
        query = "SELECT content FROM app_objects WHERE id = ?"
        with self.database.transaction() as transaction:
            row = transaction.execute(query, (str(stated.get("@id")),)).fetchone()
        return {**(json.loads(row[0]) if row else {}), **stated}


def write_news(connection: Connection, changes: Sequence[Change]) -> None:
    """Write the news of a page of changes, in the transaction that moves the cursor."""
    now = datetime.now(UTC).isoformat()
    for change in changes:
        if text := news_of(change):
            connection.execute("INSERT INTO app_news VALUES (?, ?, ?)", (str(change.order), now, text))
