"""Where an import keeps what it has read until all of it is known: a temporary SQLite database.

Children may come before their parents, and an item may come again in a later version, so nothing can be published
before everything was read; and a hundred thousand items are more than fits into memory. SQLite keeps what is small in
memory, puts the rest into a file of its own, and removes that at the end.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import msgspec

from openbooking.harvest.documents import is_later
from openbooking.importing.kinds import rank
from openbooking.importing.read_items import Draft, Reading
from openbooking.importing.read_pages import Entry

_TABLES = """
    PRAGMA journal_mode = OFF;
    CREATE TABLE item (
        source TEXT PRIMARY KEY, label TEXT, place TEXT, modified BLOB, digest BLOB, deleted INTEGER, whole INTEGER
    );
    CREATE TABLE thing (
        path TEXT, source TEXT, rank INTEGER, parent TEXT, embedded INTEGER, number INTEGER, place TEXT, draft BLOB,
        PRIMARY KEY (path, source)
    );
    CREATE INDEX thing_of_source ON thing (source);
    CREATE INDEX thing_in_order ON thing (rank, parent, number);
    -- A thing published by itself is better than one embedded elsewhere; of two alike the later is.
    CREATE VIEW best AS SELECT * FROM thing WHERE NOT EXISTS (
        SELECT 1 FROM thing AS other WHERE other.path = thing.path AND (
            other.embedded < thing.embedded OR (other.embedded = thing.embedded AND other.number > thing.number)
        )
    );
"""
_decode_draft = msgspec.json.Decoder(Draft).decode


class GivenWay(NamedTuple):
    """A version of an item, or a thing, that gave way to one that came from `other`.

    `superseded` tells that this is as it should be: the other is a later version, or says the same.
    """

    label: str
    place: str
    other: str
    superseded: bool


class Spool:
    """What was read, each RPDE item as it stands at the end of its feed."""

    def __init__(self) -> None:
        # A database without a name is temporary, and on disk once it is large.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_TABLES)
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def put(self, entry: Entry, reading: Reading, content: bytes) -> GivenWay | None:
        """Keep what was read of an item; return the version of it that gives way, if there are two."""
        source, digest = reading.source, hashlib.blake2b(content, digest_size=16).digest()
        this = (reading.label, entry.where)
        row = self._one("SELECT label, place, modified, digest FROM item WHERE source = ?", source)
        given_way = None
        if row:
            label, place, modified, known_digest = row
            known_modified = msgspec.json.decode(modified)
            superseded = digest == known_digest or entry.modified != known_modified
            if not is_later(entry.modified, known_modified):
                return GivenWay(*this, place, superseded)
            given_way = GivenWay(label, place, entry.where, superseded)
            self._db.execute("DELETE FROM thing WHERE source = ?", (source,))
        whole = not reading.faults
        self._db.execute(
            "INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?)",
            (source, *this, msgspec.json.encode(entry.modified), digest, entry.deleted, whole),
        )
        for draft in reading.drafts:
            self._keep(draft, entry.where)
        return given_way

    def count(self) -> int:
        """How many things there are."""
        return int(self._one("SELECT count(DISTINCT path) FROM thing")[0])

    def duplicates(self) -> Iterator[GivenWay]:
        """The things, published by themselves, of which another item is about the same."""
        rows = self._db.execute(
            "SELECT thing.draft, thing.place, best.place FROM thing JOIN best USING (path) "
            "WHERE NOT thing.embedded AND thing.source <> best.source"
        )
        for draft, place, other in rows:
            yield GivenWay(_decode_draft(draft).label, place, other, superseded=False)

    def things(self) -> Iterator[tuple[Draft, str]]:
        """The best draft for each path and where it was found: parents first, the children of one parent together."""
        rows = self._db.execute("SELECT draft, place FROM best ORDER BY rank, parent, number")
        for draft, place in rows:
            yield _decode_draft(draft), place

    def deleted(self) -> Iterator[tuple[str, str]]:
        """The items that have been deleted, and where that was told."""
        yield from self._db.execute("SELECT label, place FROM item WHERE deleted")

    def is_deleted(self, source: str) -> bool:
        """Whether the item of this name has been deleted."""
        return bool(self._one("SELECT 1 FROM item WHERE source = ? AND deleted", source))

    def spare(self, source: str) -> None:
        """Remember that not everything of this item could be imported."""
        self._db.execute("UPDATE item SET whole = FALSE WHERE source = ?", (source,))

    def sources(self, at_once: int) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
        """The names of items of which everything is known, and the paths of all things of theirs."""
        rows = self._db.execute("SELECT source FROM item WHERE whole ORDER BY source")
        while names := [name for (name,) in rows.fetchmany(at_once)]:
            paths = self._db.execute(
                "SELECT path FROM thing WHERE source IN (SELECT value FROM json_each(?))", (json.dumps(names),)
            )
            yield frozenset(names), frozenset(path for (path,) in paths)

    def sources_of_things(self, at_once: int) -> Iterator[frozenset[str]]:
        """The names of what things come of, copies of parents too."""
        rows = self._db.execute("SELECT DISTINCT source FROM thing ORDER BY source")
        while names := rows.fetchmany(at_once):
            yield frozenset(name for (name,) in names)

    def _keep(self, draft: Draft, place: str) -> None:
        self._number += 1
        opportunity = draft.opportunity
        self._db.execute(
            "INSERT OR REPLACE INTO thing VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                opportunity.path,
                opportunity.source,
                rank(opportunity.type),
                draft.parents[0] if draft.parents else "",
                draft.embedded,
                self._number,
                place,
                msgspec.json.encode(draft),
            ),
        )

    def _one(self, statement: str, *values: Any) -> Any:
        return self._db.execute(statement, values).fetchone()
