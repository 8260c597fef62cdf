"""The feeds of a Booking System in the Broker's database: a page is committed together with the cursor behind it."""

from collections.abc import Iterable
from datetime import datetime

from openbooking.broker.store.database import Database, Transaction
from openbooking.harvest.documents import Page
from openbooking.harvest.items import FeedItems


class FeedKeeper:
    """Keeps the pages of one feed, as `harvest.client.Keeper` asks for.

    A process that is killed at any moment resumes at the cursor. At most the page whose commit had not ended is read
    again.

    Args:
        database: The database.
        system: The URL of the Booking System.
        name: The name of the feed, such as the type of its items.
    """

    def __init__(self, database: Database, system: str, name: str) -> None:
        self._database = database
        self._items = FeedItems(feed_name(system, name))

    def start(self, url: str, now: datetime) -> str:
        """Return the URL at which the reading resumes; empty to read from the first page.

        Raises:
            DatabaseError: The database cannot be used.
        """
        with self._database.transaction() as transaction:
            return self._items.start(transaction, url, now)

    def add(self, url: str, page: Page, cursor: str, *, current_at: datetime | None = None) -> None:
        """Commit a page and the cursor behind it.

        Raises:
            DatabaseError: The database cannot be used. Nothing has changed.
        """
        with self._database.transaction(durable=False) as transaction:
            self._items.add(transaction, url, page, cursor, current_at=current_at)


def feed_name(system: str, name: str) -> str:
    """Return the name of a feed in the database, which several Booking Systems may share."""
    return f"{system} {name}"


def system_of(feed: str) -> str:
    """Return the URL of the Booking System in the name of a feed in the database."""
    return feed.partition(" ")[0]


def forget_other_feeds(transaction: Transaction, system: str, names: Iterable[str]) -> None:
    """Delete the items of the feeds that a Booking System does not publish any more."""
    known = {feed_name(system, name) for name in names}
    for (name,) in transaction.execute("SELECT name FROM harvest_feed").fetchall():
        if system_of(name) == system and name not in known:
            FeedItems(name).forget(transaction)
