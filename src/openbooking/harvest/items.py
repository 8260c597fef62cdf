"""The items of feeds in an SQL database, each in its latest version, with the cursor of each feed.

`copy.Copy` keeps the items of one feed in a file, and the catalogue of a Broker those of many feeds in its database.
Statements have `?` for parameters, and are valid for SQLite and PostgreSQL.

Every change of an item gives the item a new, higher *position*; the first position of an item is its *number*. Who has
processed the items up to a position finds the items that have changed since behind it. A *round* is one reading of a
feed from its first page.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

import msgspec

from openbooking.harvest.documents import Page, is_later, read_envelope
from openbooking.harvest.urls import page_key, split_credentials

# Feeds show a deleted item for seven days (RPDE "Deleted items"). One of these days is kept for reading the feed.
MAX_GAP = timedelta(days=6)

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS harvest_feed (
        feed INTEGER PRIMARY KEY, name TEXT UNIQUE, url TEXT, cursor TEXT, current_at DOUBLE PRECISION, round INTEGER,
        whole_round INTEGER
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS harvest_item (
        number INTEGER PRIMARY KEY, position BIGINT, feed INTEGER, id TEXT, kind TEXT, modified BLOB, deleted INTEGER,
        content BLOB, url TEXT, place INTEGER, round INTEGER, UNIQUE (feed, id, kind)
    )
    """,
    # Most items never change. Their position is their number, so that an index of the others suffices.
    """
    CREATE UNIQUE INDEX IF NOT EXISTS harvest_item_position ON harvest_item (position) WHERE position <> number
    """,
    "CREATE TABLE IF NOT EXISTS harvest_counter (last BIGINT)",
    "INSERT INTO harvest_counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM harvest_counter)",
)

# The rows of a statement. Databases accept at least 32,766 parameters, and a row of an item has 11.
_AT_ONCE = 500
_decode = msgspec.json.decode


class Statements(Protocol):
    """An open transaction of a database."""

    def execute(self, statement: str, parameters: Sequence[object] = (), /) -> Any:
        """Execute a statement, and return a cursor over its rows."""
        ...

    def execute_many(self, statement: str, parameters: Sequence[Sequence[object]], /) -> None:
        """Execute a statement once for each sequence of parameters."""
        ...


class FeedRow(NamedTuple):
    """The progress of a feed.

    Attributes:
        feed: The number of the feed.
        url: The URL of the feed, without credentials.
        cursor: The URL at which the next reading resumes; empty for the first page.
        current_at: The time at which the items were last those of the whole feed, in seconds since 1970.
        round: The number of the present round, from 0.
        whole_round: The number of the last round that reached the end of the feed.
    """

    feed: int
    url: str
    cursor: str
    current_at: float
    round: int
    whole_round: int


# The `id` and the `kind` of an item.
_Key = tuple[str, str]
# A version of an item: its `modified`, whether it is deleted, its content, and its number on the page. These are tuples
# without names, because a harvest makes millions of them.
_Version = tuple[bytes, int, bytes, int]
_COLUMNS = ", ".join(FeedRow._fields)
_ROW_MARKS = f"({', '.join('?' * 11)})"
_ADD_NEW_ITEMS = """
    INSERT INTO harvest_item (number, position, feed, id, kind, modified, deleted, content, url, place, round)
    VALUES {}
    ON CONFLICT (feed, id, kind) DO NOTHING
"""
_CHANGE_ITEM = """
    UPDATE harvest_item SET position = ?, modified = ?, deleted = ?, content = ?, url = ?, place = ?, round = ?
    WHERE feed = ? AND id = ? AND kind = ?
"""


def after_position(columns: str) -> str:
    """Return a query of the items that have changed after a position, in the order of their positions.

    The parameters are the position, twice. A row has the position of the item and the columns.
    """
    return (
        f"SELECT number AS position, {columns} FROM harvest_item WHERE position = number AND number > ?"  # noqa: S608 - our own names
        f" UNION ALL SELECT position, {columns} FROM harvest_item WHERE position <> number AND position > ? ORDER BY 1"
    )


class FeedItems:
    """The items of one feed.

    An item is identified by its `id` and its `kind`, because feeds that combine several types may give one `id` to two
    items. An item that has no `id`, or that cannot be read, has an empty `id`, and a digest of its content as `kind`.

    Args:
        name: The name of the feed in the database.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def find(self, statements: Statements) -> FeedRow | None:
        """Return the progress of the feed; None if it has never been read."""
        row = statements.execute(f"SELECT {_COLUMNS} FROM harvest_feed WHERE name = ?", (self._name,)).fetchone()  # noqa: S608 - our own names
        return FeedRow._make(row) if row else None

    def start(self, statements: Statements, url: str, now: datetime) -> str:
        """Begin to read the feed, and return the URL to resume at; empty to read from the first page.

        If the items were last those of the whole feed more than `MAX_GAP` ago, the feed is read again from its first
        page, because it may have dropped deletions since. The same happens if the feed has moved to another URL. When
        that reading ends, items that it missed count as deleted.

        Args:
            statements: The transaction.
            url: The URL of the feed.
            now: The current time, with a zone.
        """
        bare, _, _ = split_credentials(url)
        feed = self.find(statements)
        if feed is None:
            statements.execute(
                "INSERT INTO harvest_feed (feed, name, url, cursor, current_at, round, whole_round)"
                " SELECT coalesce(max(feed), 0) + 1, ?, ?, '', ?, 0, 0 FROM harvest_feed",
                (self._name, bare, now.timestamp()),
            )
            return ""
        is_recent = now - datetime.fromtimestamp(feed.current_at, UTC) <= MAX_GAP
        if is_recent and page_key(feed.url) == page_key(bare):
            return feed.cursor
        statements.execute(
            "UPDATE harvest_feed SET url = ?, cursor = '', current_at = ?, round = round + 1 WHERE feed = ?",
            (bare, now.timestamp(), feed.feed),
        )
        return ""

    def add(
        self, statements: Statements, url: str, page: Page, cursor: str, *, current_at: datetime | None = None
    ) -> None:
        """Write the items of a page together with the cursor.

        Args:
            statements: The transaction.
            url: The URL of the page.
            page: The page.
            cursor: The URL to resume at.
            current_at: For the last page of the feed, the time at which it was requested. None for other pages.
        """
        # All writers wait for this lock, so that positions are committed in their order.
        last = _lock_counter(statements)
        feed = self.find(statements)
        if feed is None:
            raise LookupError(f"the feed {self._name} has not been started")
        versions = _latest_versions(page)
        if versions:
            # Most pages have new items only, so that no item is looked up before it is added.
            if _add_new(statements, feed, versions, url, last) < len(versions):
                _change_known(statements, feed, versions, url, last)
            _advance_counter(statements, len(versions))
        statements.execute("UPDATE harvest_feed SET cursor = ? WHERE feed = ?", (cursor, feed.feed))
        if current_at is not None:
            if feed.whole_round < feed.round:
                _delete_missing(statements, feed)
            statements.execute(
                "UPDATE harvest_feed SET current_at = ?, whole_round = round WHERE feed = ?",
                (current_at.timestamp(), feed.feed),
            )

    def forget(self, statements: Statements) -> None:
        """Mark all items of the feed as deleted, because the feed is not published any more."""
        feed = self.find(statements)
        if feed is not None:
            statements.execute(
                "UPDATE harvest_feed SET cursor = '', current_at = 0, round = round + 1 WHERE feed = ?", (feed.feed,)
            )
            _delete_missing(statements, feed._replace(round=feed.round + 1))


def _latest_versions(page: Page) -> dict[_Key, _Version]:
    """Return the items of a page, each in its latest version, in the order of these versions."""
    found: dict[_Key, _Version] = {}
    for place, item in page.numbered():
        envelope = read_envelope(item)
        content = bytes(item)
        if envelope is None:
            digest = hashlib.blake2b(content, digest_size=16).hexdigest()
            found["", digest] = (b"null", 0, content, place)
            continue
        key = (envelope.id, envelope.kind)
        if "\0" in envelope.id or "\0" in envelope.kind:
            key = (_storable(envelope.id), _storable(envelope.kind))
        if key in found:
            if not _is_later(envelope.modified, found[key][0]):
                continue
            # The item moves to the end, because the latest version decides its place in the feed.
            del found[key]
        found[key] = (envelope.modified, int(envelope.deleted), content, place)
    return found


def _add_new(statements: Statements, feed: FeedRow, versions: Mapping[_Key, _Version], url: str, last: int) -> int:
    """Add the items that are not known yet, and return their count. The first item has the position `last + 1`."""
    rows = [
        (position, position, feed.feed, id_, kind, modified, deleted, content, url, place, feed.round)
        for position, ((id_, kind), (modified, deleted, content, place)) in enumerate(versions.items(), last + 1)
    ]
    added = 0
    # Many rows are added by one statement, which is faster than a statement for each.
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        marks = ", ".join([_ROW_MARKS] * len(some))
        added += statements.execute(_ADD_NEW_ITEMS.format(marks), [value for row in some for value in row]).rowcount
    return added


def _change_known(
    statements: Statements, feed: FeedRow, versions: Mapping[_Key, _Version], url: str, last: int
) -> None:
    """Change the items that were known before the page, unless the known version is later.

    Only versions of one round are compared, because the feed may have numbered its items anew.
    """
    known = _known_versions(statements, feed, versions, last)
    changes = [
        (position, modified, deleted, content, url, place, feed.round, feed.feed, *key)
        for position, (key, (modified, deleted, content, place)) in enumerate(versions.items(), last + 1)
        if key in known and _is_later(modified, known[key])
    ]
    statements.execute_many(_CHANGE_ITEM, changes)


def _known_versions(statements: Statements, feed: FeedRow, keys: Iterable[_Key], last: int) -> dict[_Key, bytes | None]:
    """Return the `modified` of items with a number up to `last`; None for items that this round has not read yet."""
    ids = list({id_ for id_, _ in keys})
    known: dict[_Key, bytes | None] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        query = f"SELECT id, kind, modified, round FROM harvest_item WHERE feed = ? AND number <= ? AND id IN ({marks})"  # noqa: S608 - marks only
        for id_, kind, modified, round_ in statements.execute(query, (feed.feed, last, *some)):
            known[id_, kind] = bytes(modified) if round_ == feed.round else None
    return known


def _delete_missing(statements: Statements, feed: FeedRow) -> None:
    """Mark the items as deleted that the round, which has reached the end of the feed, did not find."""
    query = (
        "SELECT number, id, kind, modified FROM harvest_item"
        " WHERE feed = ? AND round < ? AND deleted = 0 AND number > ? ORDER BY number LIMIT ?"
    )
    after = 0
    while rows := statements.execute(query, (feed.feed, feed.round, after, _AT_ONCE)).fetchall():
        last = _advance_counter(statements, len(rows)) - len(rows)
        tombstones = [
            (position, _tombstone(id_, kind, bytes(modified)), number)
            for position, (number, id_, kind, modified) in enumerate(rows, last + 1)
        ]
        update = "UPDATE harvest_item SET position = ?, deleted = 1, content = ? WHERE number = ?"
        statements.execute_many(update, tombstones)
        after = rows[-1][0]


def _tombstone(id_: str, kind: str, modified: bytes) -> bytes:
    number = None if _decode_modified(modified) is None else msgspec.Raw(modified)
    return msgspec.json.encode({"state": "deleted", "kind": kind, "id": id_, "modified": number})


def _lock_counter(statements: Statements) -> int:
    return _advance_counter(statements, 0)


def _advance_counter(statements: Statements, by: int) -> int:
    """Return the last position after adding to it."""
    statements.execute("UPDATE harvest_counter SET last = last + ?", (by,))
    return int(statements.execute("SELECT last FROM harvest_counter").fetchone()[0])


def _is_later(modified: bytes, than: bytes | None) -> bool:
    """Return whether a version is later than another one; None for another version that is not to be compared."""
    return than is None or is_later(_decode_modified(modified), _decode_modified(than))


def _decode_modified(modified: bytes) -> object:
    try:
        return _decode(modified)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _storable(text: str) -> str:
    """Return a text without NUL characters, which PostgreSQL cannot store."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text
