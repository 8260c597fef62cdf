"""A copy of a feed in an SQLite file. The cursor of the feed is stored here too, in the table `feed`.

The cursor is the URL of the next page. A page is committed in one transaction with the cursor. A reader that is killed
at any moment therefore resumes at the right page, and the copy misses no item.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from openbooking.harvest.documents import Page, is_later, read_envelope
from openbooking.harvest.urls import page_key, split_credentials

# Feeds show a deleted item for seven days (RPDE "Deleted items"). One of these days is kept for reading the feed.
MAX_GAP = timedelta(days=6)
MAX_COPY_BYTES = 50_000_000_000

_AT_ONCE = 500
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
_TABLES = (
    f"PRAGMA application_id = {_APPLICATION}",
    # A round is one reading of the feed from its first page.
    "CREATE TABLE IF NOT EXISTS feed (url TEXT, cursor TEXT, current_at REAL, round INTEGER)",
    """
    CREATE TABLE IF NOT EXISTS item (
        position INTEGER PRIMARY KEY, id TEXT, kind TEXT, modified BLOB, deleted INTEGER, content BLOB, url TEXT,
        number INTEGER, round INTEGER, UNIQUE (id, kind)
    )
    """,
)
_decode = msgspec.json.decode


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


class _FeedRow(NamedTuple):
    """The only row of the table `feed`.

    Attributes:
        url: The URL of the feed, without credentials.
        cursor: The URL at which the next reading resumes; empty for the first page.
        current_at: The time at which the copy last held the whole feed, in seconds since 1970.
    """

    url: str
    cursor: str
    current_at: float


_ITEM_COLUMNS = ", ".join(CopiedItem._fields)
_FEED_COLUMNS = ", ".join(_FeedRow._fields)


class Copy:
    """The items of a feed, each in its latest version, and the cursor of the feed.

    An item is identified by its `id` and its `kind`, because feeds that combine several types may give one `id` to two
    items. An item that has no `id`, or that cannot be read, is identified by its content.

    Args:
        path: The file, which is locked until the copy is closed; None for a temporary file.

    Raises:
        CopyError: The file is no copy of a feed, is in use, or cannot be written.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
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
        """Begin to read a feed into the copy, and return the cursor.

        If the copy last held the whole feed more than `MAX_GAP` ago, the feed is read again from its first page,
        because it may have dropped deletions since. When that reading ends, items that it missed count as deleted.

        Args:
            url: The URL of the feed.
            now: The current time, with a zone.

        Returns:
            The URL to resume at; empty to read from the start.

        Raises:
            CopyError: This is a copy of another feed.
        """
        bare, _, _ = split_credentials(url)
        with self._copy_errors():
            row = self._db.execute(f"SELECT {_FEED_COLUMNS} FROM feed").fetchone()  # noqa: S608 - our own names
        feed = _FeedRow._make(row) if row else None
        if feed and page_key(feed.url) != page_key(bare):
            raise CopyError(f"{self._path} is a copy of another feed: {feed.url}")
        if feed and now - datetime.fromtimestamp(feed.current_at, UTC) <= MAX_GAP:
            return feed.cursor
        with self._transaction():
            if feed:
                restart = "UPDATE feed SET cursor = '', current_at = ?, round = round + 1"
                self._db.execute(restart, (now.timestamp(),))
            else:
                start = "INSERT INTO feed (url, cursor, current_at, round) VALUES (?, '', ?, 0)"
                self._db.execute(start, (bare, now.timestamp()))
        return ""

    def add(self, url: str, page: Page, cursor: str, *, current_at: datetime | None = None) -> None:
        """Commit the items of a page together with the cursor.

        Args:
            url: The URL of the page.
            page: The page.
            cursor: The URL to resume at.
            current_at: For the last page of the feed, the time at which it was requested. None for other pages.

        Raises:
            CopyError: The copy cannot be written. Nothing has changed.
        """
        with self._transaction():
            for number, item in page.numbered():
                self._put(item, url, number)
            self._db.execute("UPDATE feed SET cursor = ?", (cursor,))
            if current_at is not None:
                self._db.execute("UPDATE feed SET current_at = ?", (current_at.timestamp(),))
                self._delete_missing()

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM item").fetchone()[0])

    def items(self) -> Iterator[CopiedItem]:
        """Yield the items in the order of the feed, deleted items included. One item is in memory at a time."""
        with self._copy_errors():
            for row in self._db.execute(f"SELECT {_ITEM_COLUMNS} FROM item ORDER BY position"):  # noqa: S608 - our own names
                yield _item(row)

    def take(self, id_: str, kind: str) -> CopiedItem | None:
        """Remove an item from the copy and return it; return None if the copy does not have it."""
        where = "WHERE id = ? AND kind = ?"
        row = self._db.execute(f"SELECT {_ITEM_COLUMNS} FROM item {where}", (id_, kind)).fetchone()  # noqa: S608 - as above
        self._db.execute(f"DELETE FROM item {where}", (id_, kind))  # noqa: S608 - as above
        return _item(row) if row else None

    def shared_ids(self) -> Iterator[str]:
        """Yield each `id` that items of several kinds share."""
        for (id_,) in self._db.execute("SELECT id FROM item WHERE id <> '' GROUP BY id HAVING count(*) > 1"):
            yield id_

    def _put(self, item: msgspec.Raw, url: str, number: int) -> None:
        """Keep an item, unless the copy has a later version of it."""
        content = bytes(item)
        envelope = read_envelope(item)
        if envelope is None:
            key = ("", hashlib.blake2b(content, digest_size=16).hexdigest())
            modified, deleted = b"null", False
        else:
            key = (envelope.id, envelope.kind)
            modified, deleted = envelope.modified, envelope.deleted
            # Only versions of one round (a reading from the first page) are compared: the feed may have new numbers.
            known = self._db.execute(
                "SELECT item.modified FROM item JOIN feed USING (round) WHERE id = ? AND kind = ?", key
            ).fetchone()
            if known and not is_later(_decode_modified(modified), _decode_modified(known[0])):
                return
        self._db.execute(
            "INSERT OR REPLACE INTO item (id, kind, modified, deleted, content, url, number, round)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT round FROM feed))",
            (*key, modified, deleted, content, url, number),
        )

    def _delete_missing(self) -> None:
        """Mark the items as deleted that the last reading of the whole feed did not find."""
        missing = "FROM item WHERE round < (SELECT round FROM feed) AND NOT deleted"
        rows = self._db.execute(f"SELECT position, id, kind, modified {missing}")
        while found := rows.fetchmany(_AT_ONCE):
            for position, id_, kind, modified in found:
                number = None if _decode_modified(modified) is None else msgspec.Raw(modified)
                tombstone = {"state": "deleted", "kind": kind, "id": id_, "modified": number}
                self._db.execute(
                    "UPDATE item SET deleted = TRUE, content = ? WHERE position = ?",
                    (msgspec.json.encode(tombstone), position),
                )
        # A deletion needs an id, so items without an id are removed instead.
        self._db.execute("DELETE FROM item WHERE id = '' AND deleted")

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
        with self._transaction():
            for statement in _TABLES:
                self._db.execute(statement)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Run a block in a transaction: commit at its end, roll back if it raises an error."""
        with self._copy_errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
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


def _item(row: tuple[Any, ...]) -> CopiedItem:
    item = CopiedItem._make(row)
    # SQLite has no booleans.
    return item._replace(deleted=bool(item.deleted))


def _decode_modified(modified: bytes) -> object:
    try:
        return _decode(modified)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
