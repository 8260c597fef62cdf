"""A temporary SQLite database that holds the items of an import until all of them have been read.

An import publishes nothing before it has read all items, because children may come before their parents, and an item
may come again in a later version. The items may not fit into memory. SQLite keeps a small temporary database in memory
and a large one in a file, which it removes at the end.

An item that is not understood stays in the spool with the result `ReadResult.NOT_UNDERSTOOD`. `withdraw` then takes the
Opportunities of its earlier versions off sale.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, NamedTuple, Self

import msgspec

from openbooking.harvest.documents import is_later
from openbooking.importing.reading.entries import Entry
from openbooking.importing.reading.items import Draft, ReadItem
from openbooking.importing.reading.sellers import NamedSeller
from openbooking.importing.reading.source import Source
from openbooking.openactive.published.kinds import type_of_kind

_TABLES = """
    PRAGMA journal_mode = OFF;
    CREATE TABLE item (
        source TEXT PRIMARY KEY, former TEXT, same_id TEXT, kind TEXT, id TEXT, label TEXT, position TEXT,
        modified BLOB, digest BLOB, number INTEGER, deleted INTEGER, understood INTEGER, result INTEGER
    );
    CREATE INDEX item_of_id ON item (same_id);
    CREATE TABLE thing (
        path TEXT, source TEXT, rank INTEGER, parent TEXT, embedded INTEGER, number INTEGER, position TEXT,
        seller BLOB, draft BLOB, published_as TEXT,
        PRIMARY KEY (path, source)
    );
    CREATE INDEX thing_of_source ON thing (source);
    CREATE INDEX thing_in_order ON thing (rank, parent, number);
    CREATE INDEX thing_published ON thing (published_as) WHERE published_as IS NOT NULL;
    CREATE INDEX thing_of_parent ON thing (parent) WHERE seller IS NOT NULL;
    CREATE TABLE event_series (key TEXT PRIMARY KEY, data BLOB);
    -- Items that may belong to an EventSeries, as published. They are read again when all EventSeries are known.
    CREATE TABLE belonging (source TEXT PRIMARY KEY, key TEXT, content BLOB, position TEXT);
    -- If several items hold a thing, the item of its own is preferred to an item that embeds it, then the later item.
    CREATE VIEW best AS SELECT * FROM thing WHERE NOT EXISTS (
        SELECT 1 FROM thing AS other WHERE other.path = thing.path AND (
            other.embedded < thing.embedded OR (other.embedded = thing.embedded AND other.number > thing.number)
        )
    );
"""
_decode_draft = msgspec.json.Decoder(Draft).decode
_decode_seller = msgspec.json.Decoder(NamedSeller).decode


class DroppedVersion(NamedTuple):
    """A version of an item that is not imported, because another version or item is imported instead.

    Attributes:
        label: The name of the item in reports.
        position: The position of the dropped version.
        kept_position: The position of the imported version.
        superseded: Whether the imported version is a later or identical version of the item. Otherwise different items
            have one id.
    """

    label: str
    position: str
    kept_position: str
    superseded: bool


class ReadResult(IntEnum):
    """The result of reading an item, which decides what happens to Opportunities that it published before.

    `UNDERSTOOD`: Opportunities that the item no longer holds are withdrawn.
    `NOT_UNDERSTOOD`: The item, or a part of it, cannot be imported. Its Opportunities are taken off sale.
    `NOT_THEIRS`: The item claims an Opportunity of another source or Seller. Nothing changes.
    """

    NOT_THEIRS = 0
    NOT_UNDERSTOOD = 1
    UNDERSTOOD = 2


class Item(NamedTuple):
    """An item in the spool, with or without an RPDE envelope.

    Attributes:
        sources: The name of the item, and the names that earlier versions of this system gave it.
        same_id: The prefix that the names of all items with this RPDE `id` share; empty without an `id`.
        kind: The RPDE `kind`.
        id: The RPDE `id`.
        label: The name of the item in reports.
        position: The position where the item was found.
        is_deleted: Whether the feed states that the item is deleted.
        result: The result of reading the item.
    """

    sources: tuple[str, ...]
    same_id: str
    kind: str
    id: str
    label: str
    position: str
    is_deleted: bool
    result: ReadResult


class Spool:
    """The items that were read, each in its latest version, and the drafts of the things in them."""

    def __init__(self) -> None:
        # A database without a name is temporary, and on disk once it is large.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_TABLES)
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def put(self, entry: Entry, reading: ReadItem, content: bytes) -> DroppedVersion | None:
        """Keep an item and its drafts. Of two versions keep the later one, and return the dropped one."""
        source, digest = reading.sources[0], hashlib.blake2b(content, digest_size=16).digest()
        this = (reading.label, entry.position)
        row = self._one("SELECT label, position, modified, digest FROM item WHERE source = ?", source)
        dropped = None
        if row:
            label, position, modified, known_digest = row
            known_modified = msgspec.json.decode(modified)
            superseded = digest == known_digest or entry.modified != known_modified
            if not is_later(entry.modified, known_modified):
                return DroppedVersion(*this, position, superseded)
            dropped = DroppedVersion(label, position, entry.position, superseded)
        self._number += 1
        self._db.execute(
            "INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                source,
                json.dumps(reading.sources[1:]),
                entry.source.items_with(entry.id) if entry.id else "",
                entry.kind,
                entry.id,
                *this,
                msgspec.json.encode(entry.modified),
                digest,
                self._number,
                entry.deleted,
                not reading.faults,
                ReadResult.UNDERSTOOD,
            ),
        )
        self._put_drafts(source, reading.drafts, entry.position)
        self._db.execute("DELETE FROM belonging WHERE source = ?", (source,))
        if reading.belongs_to:
            row = (source, reading.belongs_to, content, entry.position)
            self._db.execute("INSERT INTO belonging VALUES (?, ?, ?, ?)", row)
        return dropped

    def put_event_series(self, key: str, data: Any) -> None:
        """Keep an EventSeries, from which items may inherit."""
        self._db.execute("INSERT OR REPLACE INTO event_series VALUES (?, ?)", (key, msgspec.json.encode(data)))

    def members_of_event_series(self) -> Iterator[tuple[Any, bytes, str]]:
        """Yield each item of a known EventSeries: the EventSeries, the item as published, and its position."""
        rows = self._db.execute(
            "SELECT event_series.data, content, position FROM belonging JOIN event_series USING (key) ORDER BY source"
        )
        for data, content, position in rows.fetchall():
            yield msgspec.json.decode(data), content, position

    def replace_drafts(self, reading: ReadItem, position: str) -> None:
        """Replace the drafts of an item by the drafts of a second reading of the same version."""
        self._db.execute("UPDATE item SET understood = ? WHERE source = ?", (not reading.faults, reading.sources[0]))
        self._put_drafts(reading.sources[0], reading.drafts, position)

    def delete_by_id(self, source_of_all: Source) -> None:
        """Apply deletions under another `kind`: each deletes the only earlier item with its `id` (AMB-74)."""
        rows = self._db.execute(
            "SELECT other.source, deletion.modified, other.modified, deletion.kind, other.kind "
            "FROM item AS deletion JOIN item AS other "
            "ON other.same_id = deletion.same_id AND other.source <> deletion.source "
            "WHERE deletion.deleted AND deletion.same_id <> '' AND NOT other.deleted "
            "AND other.number < deletion.number "
            "AND (SELECT count(*) FROM item AS one WHERE one.same_id = deletion.same_id AND NOT one.deleted) = 1"
        )
        for source, deleted, modified, kind, other_kind in rows.fetchall():
            later = is_later(msgspec.json.decode(deleted), msgspec.json.decode(modified))
            if later and source_of_all.may_mean(kind, type_of_kind(other_kind)):
                self._db.execute("UPDATE item SET deleted = TRUE WHERE source = ?", (source,))
                self._db.execute("DELETE FROM thing WHERE source = ?", (source,))

    def reset_results(self) -> None:
        """Forget the results of an earlier publication, such as a dry run."""
        states = (ReadResult.UNDERSTOOD, ReadResult.NOT_UNDERSTOOD)
        self._db.execute("UPDATE item SET result = CASE WHEN understood THEN ? ELSE ? END", states)
        self._db.execute("UPDATE thing SET published_as = NULL")

    def count(self) -> int:
        """Return the number of things."""
        return int(self._one("SELECT count(DISTINCT path) FROM thing")[0])

    def duplicates(self) -> Iterator[DroppedVersion]:
        """Yield the items whose thing is imported from another item instead."""
        rows = self._db.execute(
            "SELECT thing.draft, thing.position, best.position FROM thing JOIN best USING (path) "
            "WHERE NOT thing.embedded AND thing.source <> best.source"
        )
        for draft, position, other in rows:
            yield DroppedVersion(_decode_draft(draft).label, position, other, superseded=False)

    def things(self, at_once: int) -> Iterator[list[tuple[Draft, str]]]:
        """Yield, in batches, the best draft of each thing and its position.

        All drafts of a batch have one depth: parents come before their children. The children of one parent are
        adjacent.
        """
        rows = self._db.execute("SELECT rank, draft, position FROM best ORDER BY rank, parent, number")
        some: list[tuple[Draft, str]] = []
        last = 0
        for rank_, draft, position in rows:
            if some and (len(some) == at_once or rank_ != last):
                yield some
                some = []
            last = rank_
            some.append((_decode_draft(draft), position))
        if some:
            yield some

    def note_published(self, draft: Draft, path: str) -> None:
        """Note the path under which a thing was published."""
        self._db.execute(
            "UPDATE thing SET published_as = ? WHERE path = ? AND source = ?",
            (path, draft.opportunity.path, draft.opportunity.source),
        )

    def published_path(self, path: str) -> str | None:
        """Return the path under which this import has published a thing, or None."""
        row = self._one("SELECT published_as FROM thing WHERE path = ? AND published_as IS NOT NULL", path)
        return str(row[0]) if row else None

    def is_published(self, path: str) -> bool:
        """Return whether this import has published a thing under this path."""
        return bool(self._one("SELECT 1 FROM thing WHERE published_as = ?", path))

    def lower_result(self, source: str, result: ReadResult) -> None:
        """Lower the result of an item whose thing was refused. A result that is lower already stays."""
        self._db.execute("UPDATE item SET result = min(result, ?) WHERE source = ?", (result, source))

    def sellers_of_children(self, path: str) -> list[NamedSeller]:
        """Return the Sellers that the children of a thing name, without duplicates."""
        rows = self._db.execute("SELECT seller FROM thing WHERE parent = ? AND seller IS NOT NULL", (path,))
        found: dict[str, NamedSeller] = {}
        for (document,) in rows:
            seller = _decode_seller(document)
            found.setdefault(seller.key, seller)
        return list(found.values())

    def items(self, at_once: int) -> Iterator[list[Item]]:
        """Yield all items, deleted items included, in batches."""
        rows = self._db.execute(
            "SELECT source, former, same_id, kind, id, label, position, deleted, result FROM item ORDER BY source"
        )
        while some := rows.fetchmany(at_once):
            yield [
                Item(
                    (source, *json.loads(former)),
                    same_id,
                    kind,
                    id_,
                    label,
                    position,
                    bool(deleted),
                    ReadResult(result),
                )
                for source, former, same_id, kind, id_, label, position, deleted, result in some
            ]

    def is_deleted(self, source: str) -> bool:
        """Return whether the item with this name is deleted."""
        return bool(self._one("SELECT 1 FROM item WHERE source = ? AND deleted", source))

    def is_not_understood(self, source: str) -> bool:
        """Return whether the item with this name, or a part of it, is not understood."""
        found = self._one("SELECT result FROM item WHERE source = ? AND NOT deleted", source)
        return bool(found) and found[0] == ReadResult.NOT_UNDERSTOOD

    def is_undeleted(self, source: str) -> bool:
        """Return whether there is an item with this name that is not deleted."""
        return bool(self._one("SELECT 1 FROM item WHERE source = ? AND NOT deleted", source))

    def undeleted_with(self, same_id: str) -> frozenset[str]:
        """Return the names of the items that share an RPDE `id` and are not deleted."""
        rows = self._db.execute("SELECT source FROM item WHERE same_id = ? AND NOT deleted", (same_id,))
        return frozenset(source for (source,) in rows)

    def published_paths(self, sources: list[str]) -> frozenset[str]:
        """Return the paths of the published things of these items."""
        rows = self._db.execute(
            "SELECT published_as FROM thing WHERE published_as IS NOT NULL "
            "AND source IN (SELECT value FROM json_each(?))",
            (json.dumps(sources),),
        )
        return frozenset(path for (path,) in rows)

    def sources_of_things(self, at_once: int) -> Iterator[frozenset[str]]:
        """Yield, in batches, the sources of all things, including former names and the sources of embedded parents."""
        rows = self._db.execute(
            "SELECT source FROM thing UNION SELECT value FROM item, json_each(item.former) ORDER BY 1"
        )
        while names := rows.fetchmany(at_once):
            yield frozenset(name for (name,) in names)

    def _put_drafts(self, source: str, drafts: list[Draft], position: str) -> None:
        """Replace the drafts of an item."""
        self._db.execute("DELETE FROM thing WHERE source = ?", (source,))
        for draft in drafts:
            self._number += 1
            opportunity = draft.opportunity
            self._db.execute(
                "INSERT OR REPLACE INTO thing VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (
                    opportunity.path,
                    opportunity.source,
                    opportunity.type.depth,
                    draft.parents[0] if draft.parents else "",
                    draft.embedded,
                    self._number,
                    position,
                    msgspec.json.encode(draft.seller) if draft.seller else None,
                    msgspec.json.encode(draft),
                ),
            )

    def _one(self, statement: str, *values: Any) -> Any:
        return self._db.execute(statement, values).fetchone()
