"""A catalogue that tests fill page by page, without a network."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from openbooking.broker.catalogue.feeds import FeedKeeper
from openbooking.broker.catalogue.index import Index
from openbooking.broker.catalogue.query import Search
from openbooking.broker.catalogue.search import Hit, find
from openbooking.broker.catalogue.tables import TABLES
from openbooking.broker.store.database import Database
from openbooking.harvest.documents import read_page
from support.importing.published_items import page, rpde

SYSTEM = "https://provider.example.com"
# Before the start of the made-up items.
NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


class Shelf:
    """The catalogue of one Booking System."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self._modified = 0
        with database.transaction() as transaction:
            for statement in TABLES:
                transaction.execute(statement)

    def put(self, *things: Any, feed: str = "Mixed", at_end: bool = False, **changes: Any) -> None:
        """Keep a page with these things in their RPDE envelopes, and bring the index up to date."""
        self._modified += 1
        items = [rpde(thing, **{"modified": self._modified, **changes}) for thing in things]
        self.keep(feed, items, at_end=at_end)
        self.index()

    def delete(self, *things: Any, feed: str = "Mixed") -> None:
        """Keep a page on which these things are deleted, and bring the index up to date."""
        self.put(*things, feed=feed, state="deleted")

    def keep(self, feed: str, items: Sequence[Any], *, at_end: bool = False) -> None:
        """Keep a page of a feed."""
        keeper = FeedKeeper(self.database, SYSTEM, feed)
        url = f"{SYSTEM}/{feed.replace(' ', '-')}"
        keeper.start(url, self.now)
        keeper.add(url, read_page(page(*items)), f"{url}?next", current_at=self.now if at_end else None)

    def index(self) -> None:
        """Bring the index up to date."""
        index = Index(self.database)
        while index.update():
            pass

    def find(self, **search: Any) -> list[Hit]:
        """Return the hits of a search."""
        return find(self.database, SYSTEM, Search(**search), self.now)

    def ids(self, **search: Any) -> list[str]:
        """Return the last part of the `@id` of each hit."""
        return [hit.id.rpartition("/")[2] for hit in self.find(**search)]

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return what the index holds."""
        queries = {
            "things": "SELECT thing.*, subject.name, subject.latitude, subject.longitude FROM catalogue_thing thing"
            " LEFT JOIN catalogue_subject subject ON subject.subject = thing.subject ORDER BY owner, path",
            "activities": "SELECT DISTINCT activity.* FROM catalogue_activity activity JOIN catalogue_thing thing"
            " ON thing.subject = activity.subject ORDER BY concept, subject",
        }
        with self.database.transaction() as transaction:
            return {name: transaction.execute(query).fetchall() for name, query in queries.items()}

    def rebuild(self) -> None:
        """Make the index afresh."""
        with self.database.transaction() as transaction:
            for table in ("thing", "subject", "activity", "concept", "broader"):
                transaction.execute(f"DELETE FROM catalogue_{table}")
            transaction.execute("UPDATE catalogue_progress SET position = 0")
        self.index()

    def wait(self, gap: timedelta) -> None:
        """Let time pass."""
        self.now += gap
