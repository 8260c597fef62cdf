"""Changes that are stored and that the application has not handled yet.

`changes` stores each page before it yields the changes of the page, so that an application which acts within the loop
finds the Orders as the changes tell. The changes are kept until the application asks for those of the next page.
"""

import time
import uuid
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from openbooking.broker.flow import Flow, work
from openbooking.broker.orders.changes import AnyChange, Change
from openbooking.broker.orders.pages import Handling
from openbooking.broker.store.database import Database, Transaction

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS broker_untold_changes (
        page TEXT PRIMARY KEY, site TEXT NOT NULL, instance TEXT NOT NULL, changes BLOB NOT NULL
    )
    """,
)
_SELECT = "SELECT page, instance, changes FROM broker_untold_changes WHERE site = ? ORDER BY page"


class UntoldPage(NamedTuple):
    """The changes of a page, and the key of the page."""

    key: str
    changes: tuple[Change, ...]


class UntoldChanges:
    """The changes at one Booking System that were stored and not handled yet.

    Args:
        database: The database.
        site: The URL of the dataset site of the Booking System.
    """

    def __init__(self, database: Database, site: str) -> None:
        self._database = database
        self._site = site

    def keep(self, transaction: Transaction, changes: Sequence[Change]) -> None:
        """Keep the changes of a page, in the transaction that moves the cursor."""
        # The time keeps the pages in order.
        key = f"{time.time_ns():020d}-{uuid.uuid4().hex}"
        transaction.execute(
            "INSERT INTO broker_untold_changes (page, site, instance, changes) VALUES (?, ?, ?, ?)",
            (key, self._site, self._database.instance, msgspec.json.encode(list(changes))),
        )

    def next_page(self) -> Flow[UntoldPage | None]:
        """Return the oldest page that this instance has not handled, or that an instance has left which has ended."""
        return (yield from work(self._next_page))

    def told(self, page: UntoldPage) -> Flow[None]:
        """Forget a page, because the application has handled its changes."""

        def forget() -> None:
            with self._database.transaction() as transaction:
                _forget(transaction, page)

        yield from work(forget)

    def commit(self, page: UntoldPage, handle: Handling) -> Flow[int]:
        """Have a page handled in the transaction that forgets it, and return the number of changes."""

        def write() -> int:
            with self._database.transaction() as transaction:
                if not _lock(transaction, page):
                    return 0
                handle(transaction, page.changes)
                _forget(transaction, page)
            return len(page.changes)

        return (yield from work(write))

    def _next_page(self) -> UntoldPage | None:
        with self._database.transaction() as transaction:
            rows = transaction.execute(_SELECT, (self._site,)).fetchall()
        for key, instance, changes in rows:
            if instance == self._database.instance or not self._database.is_alive(instance):
                return UntoldPage(key, msgspec.json.decode(bytes(changes), type=tuple[AnyChange, ...]))
        return None


def _lock(transaction: Transaction, page: UntoldPage) -> bool:
    """Lock a page, and return False if another process has handled it."""
    locked = transaction.execute("UPDATE broker_untold_changes SET page = page WHERE page = ?", (page.key,))
    return locked.rowcount == 1


def _forget(transaction: Transaction, page: UntoldPage) -> None:
    transaction.execute("DELETE FROM broker_untold_changes WHERE page = ?", (page.key,))
