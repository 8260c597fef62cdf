"""The driver of an SQLite file: one writer, in whatever process, for as long as a transaction lasts.

Readers have connections of their own and, the file being in WAL mode, never wait for the writer.
"""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from functools import cached_property, partial
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
# While it waits for readers of the log, nobody writes; those that only serve a page have soon finished.
_PURGE_SECONDS = 0.2
_PURGE_TRIES, _SECONDS_BETWEEN_PURGES = 3, 1

T = TypeVar("T")
_log = structlog.get_logger()


class SqliteDatabase:
    """The file at `path`.

    Statements that look up or write a few rows run on the event loop: they take less than handing them to a thread
    would. Threads do what takes or may take longer: many rows, the disk at a commit, another process that writes.
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
        """For whoever holds the lock; first opened where it may wait, and waits no more."""
        connection = self._connect()
        connection.execute("PRAGMA busy_timeout=0")
        return connection

    @property
    def _opened(self) -> bool:
        return "_writer" in vars(self)

    @cached_property
    def _reader(self) -> sqlite3.Connection:
        """For the event loop: it never waits."""
        return self._connect(wait=False)

    async def write(
        self,
        make: Callable[[], Procedure[T]],
        *,
        brief: bool = False,
        until: float | None = None,
        lock_seconds: float | None = None,
    ) -> T:
        """Carry out an exchange in one transaction, alone. There are no rows to lock, so nobody waits for one."""
        del lock_seconds
        deadline = until or self._deadline()
        async with self._only_writer(deadline):
            with _translating_faults():
                return await self._with_reserve(lambda: self._transact(make, deadline, brief=brief))

    async def read(self, make: Callable[[], Procedure[T]], *, brief: bool = False, until: float | None = None) -> T:
        """Carry out an exchange that writes nothing."""
        if not brief:
            with _translating_faults():
                return await self._in_reader_thread(lambda: run_procedure(self._connection_of_thread(), make()))
        try:
            return run_procedure(self._reader, make())
        except sqlite3.DatabaseError as fault:
            if not is_busy(fault):
                raise StoreUnavailableError(str(fault)) from fault
        with _translating_faults(), _translating_timeout():
            async with asyncio.timeout_at(until or self._deadline()):
                return await self._in_reader_thread(lambda: run_procedure(self._connection_of_thread(), make()))

    async def snapshot(self, make: Callable[[], Procedure[T]]) -> T:
        """Carry out an exchange in one transaction that writes nothing."""
        with _translating_faults():
            return await self._in_reader_thread(lambda: _snapshot(self._connection_of_thread(), make()))

    async def confirm(self, until: float) -> None:
        """Return at once: what can be read of the file is on disk."""

    async def keep_up(self) -> None:
        """Do nothing: the file needs no upkeep."""

    async def durability_findings(self) -> Sequence[Finding]:
        """Return no findings: SQLite has no server whose settings could be weaker."""
        return ()

    async def purge_deleted(self, now: datetime) -> None:
        """Empty the write-ahead log; in the file itself, what is deleted is overwritten at once."""
        del now
        for _ in range(_PURGE_TRIES):
            deadline = self._deadline()
            async with self._only_writer(deadline):
                with self._write_lock as lock, _translating_faults():
                    await _repeat_until(deadline, lock.try_acquire)
                    ((busy, *_),) = await self._with_reserve(self._empty_log)
            if not busy:
                return
            await asyncio.sleep(_SECONDS_BETWEEN_PURGES)
        raise StoreUnavailableError("The write-ahead log could not be emptied, for others were reading from the file.")

    async def close(self) -> None:
        """Close the file."""
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
        """While nobody else in this process writes; StoreUnavailableError if somebody does until then."""
        with _translating_timeout():
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
        """The result of the work, done again with the space of the reserve if the disk is full."""
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
        """Whether there is room again: for the reserve, or as much in the file itself, where something was deleted."""
        if self._reserve.fill():
            _log.info("disk.has_room", database=str(self._path))
            return True
        (free,), (size,) = (self._writer.execute(f"PRAGMA {of}").fetchone() for of in ("freelist_count", "page_size"))
        return bool(free * size >= RESERVED_BYTES)

    async def _begin(self, until: float) -> None:
        """Become the writer: at once, or as soon as whoever is has finished and it is our turn."""
        if not self._opened:
            await self._in_writer_thread(self._open_writer)
        with self._write_lock as lock:
            await _repeat_until(until, lambda: lock.try_acquire() and self._has_begun())

    def _open_writer(self) -> sqlite3.Connection:
        if not self._reserve.spent and not self._reserve.fill():
            _log.warning("disk.no_reserve", database=str(self._path), reason="There is too little room.")
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
        """What SQLite answers: first whether readers kept it from doing so for as long as it waits for them."""

        def execute() -> ResultRows:
            self._writer.execute(f"PRAGMA busy_timeout={1000 * _PURGE_SECONDS:.0f}")
            try:
                return self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self._writer.execute("PRAGMA busy_timeout=0")

        return await self._in_writer_thread(execute)

    async def _in_writer_thread(self, work: Callable[[], T]) -> T:
        """Do the work there; nobody goes on before it is done, however often he is cancellation to stop."""
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
        """Write to disk what a process that was killed has left in the write-ahead log.

        It may have been killed after it had written a commit and before that was on disk. Whoever opens the file next
        reads that commit, and would acknowledge it to whoever repeats it.
        """
        log = sibling(self._path, "wal")
        try:
            with suppress(FileNotFoundError):
                flush(log)
                flush(log.parent)
        except OSError as fault:
            raise StoreUnavailableError(f"{log} cannot be written to disk: {fault}") from fault


async def _repeat_until(deadline: float, done: Callable[[], bool]) -> None:
    """Try until it is done, or raise StoreUnavailableError at that time of the event loop."""
    loop = asyncio.get_running_loop()
    while not done():
        if loop.time() >= deadline:
            raise StoreUnavailableError("Others have been writing to the file all the time.")
        await asyncio.sleep(_SECONDS_BETWEEN_TRIES)


@contextmanager
def _translating_timeout() -> Iterator[None]:
    try:
        yield
    except TimeoutError as fault:
        raise StoreUnavailableError("Others have had the file all the time.") from fault


@contextmanager
def _translating_faults() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as fault:
        raise StoreUnavailableError(str(fault)) from fault


def _snapshot(db: sqlite3.Connection, exchange: Procedure[T]) -> T:
    db.execute("BEGIN")
    try:
        return run_procedure(db, exchange)
    finally:
        db.execute("ROLLBACK")


def run_procedure(db: sqlite3.Connection, exchange: Procedure[T]) -> T:
    """The result of an exchange."""
    try:
        asked = next(exchange)
        while True:
            asked = exchange.send(_answer(db, asked))
    except StopIteration as end:
        result: T = end.value
        return result


def _answer(db: sqlite3.Connection, asked: Query | SaveRows) -> ResultRows:
    if isinstance(asked, Query):
        return db.execute(asked.statement.text, [_parameter(value) for value in asked.arguments]).fetchall()
    for statement in asked.saving.statements:
        positions = [asked.saving.positions[name] for name in statement.names]
        kind = positions[0][0]
        order = [index for _, index in positions]
        db.executemany(statement.text, [tuple(row[index] for index in order) for row in asked.rows.get(kind, ())])
    return ()


def _parameter(value: Any) -> Any:
    """Lists are passed as JSON."""
    return msgspec.json.encode(value).decode() if isinstance(value, list) else value
