"""The store in PostgreSQL, for any number of processes on any number of machines.

Each process writes its waiting commands in one transaction at a time, in few round trips: begin, lock, read, write,
commit. Rows are locked in the order of their keys before anything is read; where others are faster all the same, the
transaction starts afresh, up to a bound.
"""

import asyncio
import contextvars
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import TypeAlias, TypeVar

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy

from openbooking.booking.command import Command, Reply
from openbooking.booking.policy import Policy
from openbooking.booking.store import Feed, FeedWriter, StoreUnavailableError
from openbooking.clock import Clock
from openbooking.spec.rpde import Item
from openbooking.store.audit import Finding
from openbooking.store.dialects import Statement
from openbooking.store.exchange import Answer, ChangedMeanwhileError, Exchange, Query, Save, ask
from openbooking.store.numbering import number_pending
from openbooking.store.postgres_dialect import Postgres
from openbooking.store.postgres_reserve import PostgresReserve
from openbooking.store.postgres_wipe import wipe
from openbooking.store.shared import Shared
from openbooking.store.sql import SqlStore
from openbooking.store.statements import Statements

# One writes bookings, the other numbers feed items and does the upkeep meanwhile.
_WRITERS = 2
_READERS = 4
_TRIES = 8
_PAUSE_SECONDS = 0.02
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
_NUMBER_EVERY_SECONDS = 1.0
_SESSION = {
    "application_name": "openbooking",
    # A wait for the standby that is cancelled ends in a warning, whatever others want to be told.
    "client_min_messages": "warning",
    # Whoever stops in the middle of a transaction holds up others no longer than this.
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "10s",
    # Statements look rows up by their keys, whichever these are and however few rows the planner takes a new table to
    # have: nested loops over indexes, planned once.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
# Set for the session in any case, so that a setting of the server that is weakened meanwhile does not reach it.
_ON_DISK = """SELECT set_config('synchronous_commit', coalesce(nullif(synchronous_commit, 'off'), 'on'), false)
 FROM current_setting('synchronous_commit') AS synchronous_commit"""
# After a restart, or where a wait was cancelled, a commit can be read that no synchronous standby has yet. A standby
# gets all commits in their order, so whoever waits for a later one has waited for it too. Only a transaction that has
# written something waits; a message in the write-ahead log is the least that can be written, and takes no rights.
_CONFIRM = Statement(
    "SELECT pg_logical_emit_message(true, 'openbooking', '') WHERE current_setting('synchronous_standby_names') <> ''",
    (),
    writes=True,
)
_SYNCHRONOUS_COMMIT = Statement("SELECT current_setting('synchronous_commit')", (), writes=False)
# What a reply does not wait for under a weaker setting than "on".
_NOT_WAITED_FOR = {
    "local": "no reply waits for a synchronous standby",
    "remote_write": "replies do not wait until a synchronous standby has written to its disk",
}
# The function of the server that warns of a wait that was cancelled: a text would depend on the server's language.
_WAITING_FOR_STANDBY = "SyncRepWaitForLSN"


class _WaitCancelledError(Exception):
    """The transaction is committed here, but nobody knows whether the synchronous standby has it."""


class _StaleConnectionError(Exception):
    """The connection was lost before anything was done on it, as all are when the server has been restarted."""


# What says that nothing was done but may be at the next try. Of two that add the same record, the second violates its
# uniqueness.
_TRIED_AGAIN = (
    _StaleConnectionError,
    ChangedMeanwhileError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.UniqueViolationError,
    asyncpg.LockNotAvailableError,
)
_LOST = (
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    ConnectionError,
)
_UNAVAILABLE = (*_LOST, _StaleConnectionError, _WaitCancelledError, asyncpg.PostgresError, OSError, TimeoutError)

T = TypeVar("T")
Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"
_log = structlog.get_logger()


class PostgresStore(SqlStore):
    """Keeps everything in the database at a URL; feeds are read from `replica`, where there is one.

    Feed items get their numbers after they are committed, and after the synchronous standby has them: before a page
    without a successor is answered, and every second besides, for readers of a replica.
    """

    def __init__(self, url: str, *, replica: str = "", policy: Policy, writer: FeedWriter, clock: Clock) -> None:
        self._postgres = PostgresDatabase(url)
        self._replica = PostgresDatabase(replica) if replica else None
        self._numbering = asyncio.Lock()
        self._numberings = 0
        self._confirmations: Shared[Answer] = Shared()
        self._ticker: asyncio.Task[None] | None = None
        super().__init__(self._postgres, Statements(Postgres()), policy=policy, writer=writer, clock=clock)

    async def execute(self, command: Command) -> Reply:
        """Carry out one command."""
        self._ticker = self._ticker or asyncio.create_task(self._tick(), context=contextvars.Context())
        return await super().execute(command)

    async def feed_items(self, feed: Feed, after: int, limit: int) -> Sequence[Item]:
        """The first items of the feed after that change number.

        Those that cannot be numbered now, as on a full disk, will be later.
        """
        page = self._page(feed, after, limit)
        if self._replica:
            return [Item(*row) for row in await self._replica.read(page)]
        rows = await self._postgres.read(page)
        if len(rows) < limit:
            with suppress(StoreUnavailableError):
                if await self._number():
                    rows = await self._postgres.read(page)
        return [Item(*row) for row in rows]

    async def server_findings(self) -> list[Finding]:
        """Whether replies wait for less than the disks of this server and of its synchronous standby."""
        ((value,),) = await self._postgres.read(partial(ask, _SYNCHRONOUS_COMMIT))
        if value not in _NOT_WAITED_FOR:
            return []
        lost = f"{_NOT_WAITED_FOR[value]}, so that a failover can lose what was acknowledged"
        where = 'set it to "on" for the server, and for this database and role if they have a value of their own'
        return [Finding("The PostgreSQL setting synchronous_commit", f'is "{value}": {lost}; {where}')]

    async def close(self) -> None:
        """Finish what was accepted and let go of the database."""
        if self._ticker:
            self._ticker.cancel()
        await self._batches.finish()
        with suppress(StoreUnavailableError):
            await self._number()
        await super().close()
        if self._replica:
            await self._replica.close()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_NUMBER_EVERY_SECONDS)
            with suppress(StoreUnavailableError):
                await self._number()
            with suppress(StoreUnavailableError):
                await self._postgres.keep_reserve()

    async def _number(self) -> bool:
        """Number what is pending, whoever has written it; tell whether anything was.

        Those who ask while numbers are being given share the next turn. What harvesters have seen must not be lost in a
        failover, since they would not look at it again: so it is confirmed first.
        """
        if not await self._postgres.read(partial(ask, self._sql.pending_feed_items)):
            return False
        await self._confirm()
        turn = self._numberings
        async with self._numbering:
            if self._numberings == turn:
                self._numberings += 1
                while await self._postgres.write(lambda: number_pending(self._sql, self._clock())):
                    pass
        return True

    async def _confirm(self) -> None:
        """Return once the synchronous standby, where there is one, has all that could be read before.

        Those who ask meanwhile share the next wait.
        """
        await self._confirmations.get(None, lambda: self._postgres.read(partial(ask, _CONFIRM)))


class PostgresDatabase:
    """The database at a URL, with connections that write and some that read."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._writers = _Pool(url, _WRITERS)
        self._readers = _Pool(url, _READERS)
        self._reserve = PostgresReserve()

    @property
    def disk_is_full(self) -> bool:
        """Whether the server has had no room for something, and has none for the reserve since."""
        return self._reserve.spent

    async def keep_reserve(self) -> None:
        """Look after the space that is kept for when the disk is full; to be called every second."""
        with _faults_told():
            async with self._readers.connection() as connection:
                await self._reserve.keep(connection)

    async def write(self, make: Callable[[], Exchange[T]], *, brief: bool = False) -> T:
        """Carry out an exchange in one transaction, again if others were faster, up to a bound."""
        del brief
        with _faults_told():
            for attempt in range(1, _TRIES + 1):
                try:
                    async with self._writers.connection() as connection:
                        return await _transact(connection, make())
                except asyncpg.DiskFullError as fault:
                    if self.disk_is_full:
                        raise
                    _log.error("disk.is_full", reason=str(fault))
                    async with self._writers.connection() as connection:
                        await self._reserve.give_up(connection)
                except _TRIED_AGAIN as fault:
                    _log.info("store.tried_again", attempt=attempt, reason=f"{type(fault).__name__}: {fault}")
                await asyncio.sleep(random.uniform(0, _PAUSE_SECONDS * attempt))  # noqa: S311 - nothing secret
        raise StoreUnavailableError("Others were faster every time.")

    async def read(self, make: Callable[[], Exchange[T]], *, brief: bool = False) -> T:
        """Carry out an exchange that writes nothing."""
        del brief
        with _faults_told():
            for _ in range(_READERS + 1):
                with suppress(_StaleConnectionError):
                    async with self._readers.connection() as connection:
                        with _loss_noted(connection):
                            result, _ = await _carry_out(connection, make())
                        return result
        raise StoreUnavailableError("Every connection was lost.")

    async def snapshot(self, make: Callable[[], Exchange[T]]) -> T:
        """Carry out an exchange in one transaction that writes nothing."""
        with _faults_told():
            async with self._readers.connection() as connection:
                return await _transact(connection, make(), "REPEATABLE READ READ ONLY")

    async def wipe(self, now: datetime) -> None:
        """Go on with what lets erased personal data leave the disk."""
        with _faults_told():
            connection = await asyncpg.connect(
                self._url, timeout=_CONNECT_SECONDS, command_timeout=_ANSWER_SECONDS, server_settings=_SESSION
            )
            try:
                await wipe(connection, now)
            finally:
                await connection.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._writers.close()
        await self._readers.close()


class _Pool:
    """Connections that are made when they are wanted, and made anew where they were lost."""

    def __init__(self, url: str, size: int) -> None:
        self._url = url
        self._size = size
        self._opening = asyncio.Lock()
        self._pool: asyncpg.Pool | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=0,
                    max_size=self._size,
                    init=_on_disk,
                    reset=_leave,
                    timeout=_CONNECT_SECONDS,
                    command_timeout=_ANSWER_SECONDS,
                    server_settings=_SESSION,
                )
        async with self._pool.acquire() as connection:
            with _cancelled_wait_told(connection):
                yield connection

    async def close(self) -> None:
        if self._pool:
            await self._pool.close()


async def _on_disk(connection: asyncpg.Connection) -> None:
    """What is acknowledged is on disk, whatever the server does for others."""
    await connection.execute(_ON_DISK)


async def _leave(_: asyncpg.Connection) -> None:
    """A connection goes back as it is: nothing here changes its settings."""


@contextmanager
def _cancelled_wait_told(connection: Connection) -> Iterator[None]:
    """Raise _WaitCancelledError if a commit has not waited to its end for the synchronous standby.

    The server answers such a commit with a warning and success.
    """
    cancelled: list[str] = []

    def note(_: object, message: asyncpg.PostgresLogMessage) -> None:
        if getattr(message, "server_source_function", None) == _WAITING_FOR_STANDBY:
            cancelled.append(str(message))

    with _loss_noted(connection):
        connection.add_log_listener(note)
    try:
        yield
    finally:
        with suppress(asyncpg.InterfaceError):  # it was let go of meanwhile
            connection.remove_log_listener(note)
    if cancelled:
        raise _WaitCancelledError(cancelled[0])


@contextmanager
def _faults_told() -> Iterator[None]:
    try:
        yield
    except _UNAVAILABLE as fault:
        raise StoreUnavailableError(f"{type(fault).__name__}: {fault}") from fault


@contextmanager
def _loss_noted(connection: Connection) -> Iterator[None]:
    try:
        yield
    except _LOST as fault:
        connection.terminate()
        raise _StaleConnectionError(str(fault)) from fault


async def _transact(connection: Connection, exchange: Exchange[T], mode: str = "READ COMMITTED READ WRITE") -> T:
    try:
        with _loss_noted(connection):
            await connection.execute(f"BEGIN ISOLATION LEVEL {mode}")
        result, written = await _carry_out(connection, exchange)
        await connection.execute("COMMIT" if written else "ROLLBACK")
    except BaseException as fault:
        await _give_up(connection, fault)
        raise
    return result


async def _give_up(connection: Connection, fault: BaseException) -> None:
    """Roll back; let go of a connection that does not answer, or that leads to what is no primary any more."""
    if isinstance(fault, _StaleConnectionError):
        return  # it has been let go of, and cannot even be asked whether it is closed
    if isinstance(fault, asyncpg.ReadOnlySQLTransactionError):
        connection.terminate()
    elif not connection.is_closed():
        try:
            await connection.execute("ROLLBACK")
        except _UNAVAILABLE:
            connection.terminate()


async def _carry_out(connection: Connection, exchange: Exchange[T]) -> tuple[T, bool]:
    """The result of an exchange, and whether anything was written."""
    written = False
    try:
        asked = next(exchange)
        while True:
            written = written or _writes(asked)
            asked = exchange.send(await _answer(connection, asked))
    except StopIteration as end:
        return end.value, written


def _writes(asked: Query | Save) -> bool:
    return asked.any if isinstance(asked, Save) else asked.statement.writes


async def _answer(connection: Connection, asked: Query | Save) -> Answer:
    if isinstance(asked, Query):
        return await connection.fetch(asked.statement.text, *asked.arguments)
    if asked.any:
        for statement in asked.saving.statements:
            places = (asked.saving.places[name] for name in statement.names)
            await connection.execute(
                statement.text, *([row[index] for row in asked.rows.get(kind, ())] for kind, index in places)
            )
    return ()
