"""The driver of an SQLite file. Of all processes, only one transaction at a time can write to the file.

A batch of commands is one transaction (`SqliteDatabase.write`). The whole file is locked for it, first with the fair
lock of `write_lock`, then by SQLite (`BEGIN IMMEDIATE`). Readers have separate connections. The file is in WAL mode, so
readers do not wait for the writer.
"""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from functools import cached_property, partial
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import structlog

from openbooking.booking.store import StoreUnavailableError
from openbooking.store.database import COMMAND_SECONDS, Procedure, Query, ResultRows, SaveRows
from openbooking.store.integrity.finding import Finding
from openbooking.store.sqlite.connections import connect, is_busy, is_full
from openbooking.store.sqlite.disk import flush, sibling
from openbooking.store.sqlite.reserve import RESERVED_BYTES, Reserve
from openbooking.store.sqlite.write_lock import WriteLock

_READERS = 4
_SECONDS_BETWEEN_TRIES = 0.001
# How long emptying the write-ahead log waits for readers. All writers wait meanwhile. Reading a feed page takes less.
_PURGE_SECONDS = 0.2
_PURGE_TRIES, _SECONDS_BETWEEN_PURGES = 3, 1

T = TypeVar("T")
_log = structlog.get_logger()


class SqliteDatabase:
    """Runs procedures on the file at `path`.

    Statements that read or write a few rows run on the event loop, because handing them to a thread would take longer.
    Threads run everything that may take longer: statements on many rows, commits, and waits for other processes.
    """

    is_remote = False

    def __init__(self, path: Path, command_seconds: float = COMMAND_SECONDS) -> None:
        self._path = path
        self._command_seconds = command_seconds
        self._local = threading.local()
        self.connections: list[sqlite3.Connection] = []
        self._writing = asyncio.Lock()
        self._write_lock = WriteLock(path)
        self._reserve = Reserve(path)
        self._uses_reserve = False
        self.disk_is_full = False
        self._writer_thread = ThreadPoolExecutor(1, "openbooking-writer")
        self._reader_threads = ThreadPoolExecutor(_READERS, "openbooking-reader")

    @cached_property
    def _writer(self) -> sqlite3.Connection:
        """The connection of the writer. Opening it may wait for other processes; its statements do not wait."""
        connection = self._connect()
        connection.execute("PRAGMA busy_timeout=0")
        return connection

    @property
    def _opened(self) -> bool:
        return "_writer" in vars(self)

    @cached_property
    def _reader(self) -> sqlite3.Connection:
        """The connection of the event loop, which never waits for other processes."""
        return self._connect(wait=False)

    async def write(
        self,
        make: Callable[[], Procedure[T]],
        *,
        brief: bool = False,
        until: float | None = None,
        lock_seconds: float | None = None,
    ) -> T:
        """Run a procedure in one transaction as the only writer of the file, and commit it.

        SQLite locks the whole file and no rows, so `lock_seconds` is ignored.
        """
        del lock_seconds
        deadline = until or self._deadline()
        async with self._only_writer(deadline):
            with _translate_faults():
                return await self._with_reserve(lambda: self._transact(make, deadline, brief=brief))

    async def read(self, make: Callable[[], Procedure[T]], *, brief: bool = False, until: float | None = None) -> T:
        """Run a procedure that writes nothing."""
        if not brief:
            with _translate_faults():
                return await self._in_reader_thread(lambda: run_procedure(self._connection_of_thread(), make()))
        try:
            return run_procedure(self._reader, make())
        except sqlite3.DatabaseError as fault:
            if not is_busy(fault):
                raise StoreUnavailableError(str(fault)) from fault
        with _translate_faults(), _translate_timeout():
            async with asyncio.timeout_at(until or self._deadline()):
                return await self._in_reader_thread(lambda: run_procedure(self._connection_of_thread(), make()))

    async def snapshot(self, make: Callable[[], Procedure[T]]) -> T:
        """Run a procedure in one read transaction."""
        with _translate_faults():
            return await self._in_reader_thread(lambda: _snapshot(self._connection_of_thread(), make()))

    async def confirm(self, until: float) -> None:
        """Do nothing: all data that can be read from the file is on disk."""

    async def run_upkeep(self) -> None:
        """Do nothing: each write transaction checks the reserve of disk space."""

    async def durability_findings(self) -> Sequence[Finding]:
        """Return no findings: SQLite has no server with settings."""
        return ()

    async def purge_deleted(self, now: datetime) -> None:
        """Wipe erased data from the disk by emptying the write-ahead log.

        In the file itself SQLite has overwritten deleted data at once (`secure_delete` in `connections`).

        Raises:
            StoreUnavailableError: Other processes were reading the log at all tries.
        """
        del now
        for _ in range(_PURGE_TRIES):
            deadline = self._deadline()
            async with self._only_writer(deadline):
                with self._write_lock as lock, _translate_faults():
                    await _repeat_until(deadline, lock.try_acquire)
                    ((busy, *_),) = await self._with_reserve(self._empty_log)
            if not busy:
                return
            await asyncio.sleep(_SECONDS_BETWEEN_PURGES)
        raise StoreUnavailableError("The write-ahead log could not be emptied while other processes were reading it.")

    async def close(self) -> None:
        """Close all connections and end the threads."""
        async with self._writing:
            for threads in (self._writer_thread, self._reader_threads):
                await asyncio.to_thread(threads.shutdown)
            for connection in self.connections:
                connection.close()
            self._write_lock.close()

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._command_seconds

    @asynccontextmanager
    async def _only_writer(self, until: float) -> AsyncIterator[None]:
        """Exclude other writers of this process; raise StoreUnavailableError at `until`, a time of the event loop."""
        with _translate_timeout():
            async with asyncio.timeout_at(until):
                await self._writing.acquire()
        try:
            yield
        finally:
            self._writing.release()

    async def _transact(self, make: Callable[[], Procedure[T]], until: float, *, brief: bool) -> T:
        try:
            await self._begin(until)
            self.disk_is_full = self._uses_reserve or (
                self._reserve.spent and not await self._in_writer_thread(self._has_space)
            )
            work = partial(run_procedure, self._writer, make())
            result = work() if brief else await self._in_writer_thread(work)
            await self._in_writer_thread(partial(self._writer.execute, "COMMIT"))
        except BaseException:
            if self._opened:
                self._writer.rollback()
            raise
        return result

    async def _with_reserve(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work. If the disk is full, release the reserve and do the work again."""
        try:
            return await work()
        except sqlite3.DatabaseError as fault:
            if not is_full(fault):
                raise
            _log.error("disk.is_full", database=str(self._path), reason=str(fault))
            await self._in_writer_thread(self._reserve.release)
        self._uses_reserve = True
        try:
            return await work()
        finally:
            self._uses_reserve = False

    def _has_space(self) -> bool:
        """Return whether the reserve is full again, or the file has as much space in free pages."""
        if self._reserve.fill():
            _log.info("disk.has_room", database=str(self._path))
            return True
        (free,), (size,) = (self._writer.execute(f"PRAGMA {of}").fetchone() for of in ("freelist_count", "page_size"))
        return bool(free * size >= RESERVED_BYTES)

    async def _begin(self, until: float) -> None:
        """Begin a write transaction, once this process holds the write lock and no other transaction is open."""
        if not self._opened:
            await self._in_writer_thread(self._open_writer)
        with self._write_lock as lock:
            await _repeat_until(until, lambda: lock.try_acquire() and self._has_begun())

    def _open_writer(self) -> sqlite3.Connection:
        if not self._reserve.spent and not self._reserve.fill():
            _log.warning("disk.no_reserve", database=str(self._path), reason="Too little space is left on the disk.")
        return self._writer

    def _has_begun(self) -> bool:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as fault:
            if is_busy(fault):
                return False
            raise
        return True

    async def _empty_log(self) -> ResultRows:
        """Empty the write-ahead log. Return the row of the checkpoint: its first column is 1 if readers blocked it."""

        def execute() -> ResultRows:
            self._writer.execute(f"PRAGMA busy_timeout={1000 * _PURGE_SECONDS:.0f}")
            try:
                return self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self._writer.execute("PRAGMA busy_timeout=0")

        return await self._in_writer_thread(execute)

    async def _in_writer_thread(self, work: Callable[[], T]) -> T:
        """Do the work in the writer thread. A cancellation takes effect only after the work is done."""
        doing = asyncio.get_running_loop().run_in_executor(self._writer_thread, work)
        cancellation: asyncio.CancelledError | None = None
        while not doing.done():
            try:
                await asyncio.wait([doing])
            except asyncio.CancelledError as cancelled:
                cancellation = cancelled
        if cancellation:
            raise cancellation from doing.exception()
        return doing.result()

    async def _in_reader_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reader_threads, work)

    def _connection_of_thread(self) -> sqlite3.Connection:
        known: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if known is None:
            known = self._local.connection = self._connect()
        return known

    def _connect(self, *, wait: bool = True) -> sqlite3.Connection:
        connection = connect(self._path, wait=wait)
        self.connections.append(connection)
        self._flush_log()
        return connection

    def _flush_log(self) -> None:
        """Write the write-ahead log to disk, because a killed process may have left a commit that is not on disk yet.

        This process reads that commit, and may acknowledge it to a client that repeats its request.
        """
        log = sibling(self._path, "wal")
        try:
            with suppress(FileNotFoundError):
                flush(log)
                flush(log.parent)
        except OSError as fault:
            raise StoreUnavailableError(f"{log} cannot be written to disk: {fault}") from fault


async def _repeat_until(deadline: float, done: Callable[[], bool]) -> None:
    """Call `done` until it returns True; raise StoreUnavailableError at `deadline`, a time of the event loop."""
    loop = asyncio.get_running_loop()
    while not done():
        if loop.time() >= deadline:
            raise StoreUnavailableError("Gave up waiting to write to the SQLite file, which was busy; try again.")
        await asyncio.sleep(_SECONDS_BETWEEN_TRIES)


@contextmanager
def _translate_timeout() -> Iterator[None]:
    try:
        yield
    except TimeoutError as fault:
        raise StoreUnavailableError("Gave up waiting for the SQLite file, which was busy; try again.") from fault


@contextmanager
def _translate_faults() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as fault:
        raise StoreUnavailableError(str(fault)) from fault


def _snapshot(db: sqlite3.Connection, procedure: Procedure[T]) -> T:
    db.execute("BEGIN")
    try:
        return run_procedure(db, procedure)
    finally:
        db.execute("ROLLBACK")


def run_procedure(db: sqlite3.Connection, procedure: Procedure[T]) -> T:
    """Run a procedure on a connection and return its result."""
    try:
        asked = next(procedure)
        while True:
            asked = procedure.send(_answer(db, asked))
    except StopIteration as end:
        result: T = end.value
        return result


def _answer(db: sqlite3.Connection, asked: Query | SaveRows) -> ResultRows:
    if isinstance(asked, Query):
        return db.execute(asked.statement.text, [_parameter(value) for value in asked.arguments]).fetchall()
    for statement in asked.saving.statements:
        positions = [asked.saving.positions[name] for name in statement.names]
        kind = positions[0][0]
        if rows := asked.rows.get(kind):
            db.executemany(statement.text, map(_picker([index for _, index in positions]), rows))
    return ()


def _picker(order: Sequence[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Return a function that picks the columns at these positions from a row."""
    if len(order) == 1:
        return lambda row: (row[order[0]],)
    return itemgetter(*order)


def _parameter(value: Any) -> Any:
    """Return a list as JSON, because SQLite has no arrays, and any other value as it is."""
    return msgspec.json.encode(value).decode() if isinstance(value, list) else value
