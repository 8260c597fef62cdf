"""A copy of a feed in an SQLite file. The cursor of the feed is stored here too (`items.FeedItems`).

The cursor is the URL of the next page. A page is committed in one transaction with the cursor. A reader that is killed
at any moment therefore resumes at the right page, and the copy misses no item.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

from openbooking.harvest.documents import Page
from openbooking.harvest.items import TABLES, FeedItems, after_position
from openbooking.harvest.urls import page_key, split_credentials

MAX_COPY_BYTES = 50_000_000_000

_APPLICATION = 0x52504445
_PAGE_BYTES = 4096
_SETTINGS = (
    f"PRAGMA page_size = {_PAGE_BYTES}",
    f"PRAGMA max_page_count = {MAX_COPY_BYTES // _PAGE_BYTES}",
    "PRAGMA cache_size = -16000",
    # The file is locked from the first read on until the copy is closed.
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    # A power cut may undo the last commits, but items and cursor always match.
    "PRAGMA synchronous = NORMAL",
)
# Tables of earlier versions, which kept one feed in a file.
_FORMER_TABLES = (
    "INSERT INTO harvest_feed SELECT 1, '', url, cursor, current_at, round, round - 1 FROM feed",
    (
        "INSERT INTO harvest_item"
        " SELECT position, position, 1, id, kind, modified, deleted, content, url, number, round FROM item"
    ),
    "UPDATE harvest_counter SET last = (SELECT coalesce(max(position), 0) FROM harvest_item)",
    "DROP TABLE feed",
    "DROP TABLE item",
)
_ITEMS = "FROM harvest_item WHERE (id <> '' OR deleted = 0)"
_ITEM_COLUMNS = "id, kind, deleted, content, url, place"


class CopyError(Exception):
    """A copy cannot be opened, read or written; the message says why."""


class CopiedItem(NamedTuple):
    """The latest version of an item.

    Attributes:
        id: The RPDE `id`; empty if the item has none.
        kind: The RPDE `kind`. For an item without an `id`, a digest of its content.
        deleted: Whether the item is deleted: the feed says so, or a later reading of the whole feed missed the item.
        content: The item with its envelope, as published.
        url: The URL of the page on which the item was found.
        number: The number of the item on that page, from 1.
    """

    id: str
    kind: str
    deleted: bool
    content: bytes
    url: str
    number: int


class Copy:
    """The items of a feed, each in its latest version, and the cursor of the feed.

    Args:
        path: The file, which is locked until the copy is closed; None for a temporary file.

    Raises:
        CopyError: The file is no copy of a feed, is in use, or cannot be written.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._feed = FeedItems("")
        with self._copy_errors():
            # A database without a name is temporary, and on disk once it is large.
            self._db = sqlite3.connect(str(path.absolute()) if path else "", isolation_level=None, timeout=0)
        try:
            self._prepare()
        except CopyError:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and release its lock."""
        self._db.close()

    def start(self, url: str, now: datetime) -> str:
        """Begin to read a feed into the copy, and return the cursor, as `FeedItems.start` does.

        Args:
            url: The URL of the feed.
            now: The current time, with a zone.

        Returns:
            The URL to resume at; empty to read from the start.

        Raises:
            CopyError: This is a copy of another feed.
        """
        bare, _, _ = split_credentials(url)
        with self._transaction() as statements:
            feed = self._feed.find(statements)
            if feed and page_key(feed.url) != page_key(bare):
                raise CopyError(f"{self._path} is a copy of another feed: {feed.url}")
            return self._feed.start(statements, url, now)

    def add(self, url: str, page: Page, cursor: str, *, current_at: datetime | None = None) -> None:
        """Commit the items of a page together with the cursor, as `FeedItems.add` does.

        Raises:
            CopyError: The copy cannot be written. Nothing has changed.
        """
        with self._transaction() as statements:
            self._feed.add(statements, url, page, cursor, current_at=current_at)

    def __len__(self) -> int:
        return int(self._db.execute(f"SELECT count(*) {_ITEMS}").fetchone()[0])

    def items(self) -> Iterator[CopiedItem]:
        """Yield the items in the order of the feed, deleted items included. One item is in memory at a time."""
        with self._copy_errors():
            for _, *row in self._db.execute(after_position(_ITEM_COLUMNS), (0, 0)):
                item = _item(row)
                if item.id or not item.deleted:
                    yield item

    def take(self, id_: str, kind: str) -> CopiedItem | None:
        """Remove an item from the copy and return it; return None if the copy does not have it."""
        key = (id_, kind)
        row = self._db.execute(f"SELECT {_ITEM_COLUMNS} {_ITEMS} AND id = ? AND kind = ?", key).fetchone()
        self._db.execute("DELETE FROM harvest_item WHERE id = ? AND kind = ?", key)
        return _item(row) if row else None

    def shared_ids(self) -> Iterator[str]:
        """Yield each `id` that items of several kinds share."""
        for (id_,) in self._db.execute("SELECT id FROM harvest_item WHERE id <> '' GROUP BY id HAVING count(*) > 1"):
            yield id_

    def _prepare(self) -> None:
        """Check that the file is a copy of a feed or empty, and create the tables."""
        # Check first: the settings would change the file of another application.
        with self._copy_errors():
            (application,) = self._db.execute("PRAGMA application_id").fetchone()
            (tables,) = self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if application != _APPLICATION and (application or tables):
            raise CopyError(f"{self._path} is no copy of a feed")
        with self._copy_errors():
            for setting in _SETTINGS:
                self._db.execute(setting)
        with self._transaction() as statements:
            is_former = self._db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'feed'").fetchone()[0]
            for statement in (
                f"PRAGMA application_id = {_APPLICATION}",
                *TABLES,
                *(_FORMER_TABLES if is_former else ()),
            ):
                statements.execute(statement)

    @contextmanager
    def _transaction(self) -> Iterator["_Statements"]:
        """Run a block in a transaction: commit at its end, roll back if it raises an error."""
        with self._copy_errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield _Statements(self._db)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _copy_errors(self) -> Iterator[None]:
        """Raise errors of SQLite in a block as CopyError."""
        try:
            yield
        except sqlite3.Error as fault:
            name = str(self._path or "the temporary copy of the feed")
            raise CopyError(f"{name} cannot be used: {fault}") from fault


def _item(row: Iterable[Any]) -> CopiedItem:
    item = CopiedItem._make(row)
    # SQLite has no booleans.
    return item._replace(deleted=bool(item.deleted))


class _Statements(NamedTuple):
    """The statements of a transaction."""

    db: sqlite3.Connection

    def execute(self, statement: str, parameters: Sequence[object] = (), /) -> sqlite3.Cursor:
        return self.db.execute(statement, parameters)

    def execute_many(self, statement: str, parameters: Sequence[Sequence[object]], /) -> None:
        self.db.executemany(statement, parameters)
