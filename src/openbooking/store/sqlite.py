"""The store in one SQLite file: one writer, in whatever process, for as long as a transaction lasts.

Readers have connections of their own and, the file being in WAL mode, never wait for the writer.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from openbooking.booking.policy import Policy
from openbooking.booking.store import FeedWriter, StoreUnavailableError
from openbooking.store.exchange import Answer, Exchange, Query, Save
from openbooking.store.sql import SqlStore
from openbooking.store.sqlite_dialect import Sqlite
from openbooking.store.statements import Statements

_BUSY_TIMEOUT_SECONDS = 10
_READERS = 4
_MAPPED_BYTES = 2**30
_PRIMARY_CODE = 0xFF

T = TypeVar("T")


class SqliteStore(SqlStore):
    """Keeps everything in the file at `path`."""

    def __init__(self, path: Path, *, policy: Policy, writer: FeedWriter, clock: Callable[[], datetime]) -> None:
        statements = Statements(Sqlite())
        super().__init__(SqliteDatabase(path), statements, policy=policy, writer=writer, clock=clock)


class SqliteDatabase:
    """The file at `path`, with a thread that writes and some that read, each on a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self.connections: list[sqlite3.Connection] = []
        self._writer_thread = ThreadPoolExecutor(1, "openbooking-writer")
        self._reader_threads = ThreadPoolExecutor(_READERS, "openbooking-reader")

    async def write(self, make: Callable[[], Exchange[T]]) -> T:
        """Carry out an exchange in one transaction, alone."""
        return await self._in(self._writer_thread, partial(_transact, "BEGIN IMMEDIATE", make))

    async def read(self, make: Callable[[], Exchange[T]]) -> T:
        """Carry out an exchange that writes nothing."""
        return await self._in(self._reader_threads, lambda db: carry_out(db, make()))

    async def snapshot(self, make: Callable[[], Exchange[T]]) -> T:
        """Carry out an exchange in one transaction that writes nothing."""
        return await self._in(self._reader_threads, partial(_transact, "BEGIN", make))

    async def wipe(self) -> None:
        """Empty the write-ahead log; in the file itself, what is deleted is overwritten at once."""
        await self._in(self._writer_thread, lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())

    async def close(self) -> None:
        """Close the file."""
        for threads in (self._writer_thread, self._reader_threads):
            await asyncio.to_thread(threads.shutdown)
        for connection in self.connections:
            connection.close()

    async def _in(self, threads: ThreadPoolExecutor, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do the work in one of these threads, on the connection of that thread."""

        def on_connection() -> T:
            try:
                return work(self._connection())
            except sqlite3.DatabaseError as fault:
                raise StoreUnavailableError(str(fault)) from fault

        return await asyncio.get_running_loop().run_in_executor(threads, on_connection)

    def _connection(self) -> sqlite3.Connection:
        known: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if known is None:
            known = self._local.connection = connect(self._path)
            self.connections.append(known)
        return known


def connect(path: Path) -> sqlite3.Connection:
    """Open the file so that a commit is on disk, what is deleted is overwritten, and readers neither wait nor copy."""
    connection = sqlite3.connect(
        path, isolation_level=None, timeout=_BUSY_TIMEOUT_SECONDS, check_same_thread=False, cached_statements=256
    )
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute(f"PRAGMA mmap_size={_MAPPED_BYTES}")
    return connection


def is_busy(fault: sqlite3.DatabaseError) -> bool:
    """Whether somebody else has the file just now."""
    return fault.sqlite_errorcode & _PRIMARY_CODE == sqlite3.SQLITE_BUSY


def _transact(begin: str, make: Callable[[], Exchange[T]], db: sqlite3.Connection) -> T:
    db.execute(begin)
    try:
        result = carry_out(db, make())
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise
    return result


def carry_out(db: sqlite3.Connection, exchange: Exchange[T]) -> T:
    """The result of an exchange."""
    try:
        asked = next(exchange)
        while True:
            asked = exchange.send(_answer(db, asked))
    except StopIteration as end:
        result: T = end.value
        return result


def _answer(db: sqlite3.Connection, asked: Query | Save) -> Answer:
    if isinstance(asked, Query):
        return db.execute(asked.statement.text, [_parameter(value) for value in asked.arguments]).fetchall()
    for statement in asked.saving.statements:
        places = [asked.saving.places[name] for name in statement.names]
        kind = places[0][0]
        order = [index for _, index in places]
        db.executemany(statement.text, [tuple(row[index] for index in order) for row in asked.rows.get(kind, ())])
    return ()


def _parameter(value: Any) -> Any:
    """Lists are passed as JSON."""
    return msgspec.json.encode(value).decode() if isinstance(value, list) else value
