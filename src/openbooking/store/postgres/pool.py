"""Connections to PostgreSQL, and what becomes of faults on them.

A connection that is lost, or leads to what is no primary any more, is let go of, and made anew when it is wanted.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from openbooking.booking.store import StoreUnavailableError
from openbooking.store.database import Procedure, Query, ResultRows, SaveRows

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
# A connection on which something went wrong is asked to roll back, and let go of if it does not answer.
_ROLLBACK_SECONDS = 1.0
_SESSION = {
    "application_name": "openbooking",
    # A wait for the standby that is cancelled ends in a warning, whatever others want to be told.
    "client_min_messages": "warning",
    # Whoever stops in the middle of a transaction holds up others no longer than this.
    "idle_in_transaction_session_timeout": "10s",
    # Statements look rows up by their keys, whichever these are and however few rows the planner takes a new table to
    # have: nested loops over indexes, planned once.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
# Set for the session in any case, so that a setting of the server that is weakened meanwhile does not reach it.
_DURABLE_COMMITS = """SELECT set_config('synchronous_commit', coalesce(nullif(synchronous_commit, 'off'), 'on'), false)
 FROM current_setting('synchronous_commit') AS synchronous_commit"""
# The function of the server that warns of a wait that was cancelled: a text would depend on the server's language.
_WAITING_FOR_STANDBY = "SyncRepWaitForLSN"


class _WaitCancelledError(Exception):
    """The transaction is committed here, but nobody knows whether the synchronous standby has it."""


class StaleConnectionError(Exception):
    """The connection was lost before anything was done on it, as all are when the server has been restarted."""


_LOST = (
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    ConnectionError,
)
_UNAVAILABLE = (*_LOST, StaleConnectionError, _WaitCancelledError, asyncpg.PostgresError, OSError, TimeoutError)

T = TypeVar("T")
Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"


def session(lock_seconds: float) -> dict[str, str]:
    """The settings of each connection, which waits for a lock so many seconds at most."""
    return _SESSION | {"lock_timeout": f"{lock_seconds * 1000:.0f}ms"}


class Pool:
    """At most `size` connections, whose statements wait for a lock so many seconds at most."""

    def __init__(self, url: str, size: int, lock_seconds: float) -> None:
        self._url = url
        self._size = size
        self._session = session(lock_seconds)
        self._opening = asyncio.Lock()
        self._pool: asyncpg.Pool | None = None

    @asynccontextmanager
    async def connection(self, until: float | None = None) -> AsyncIterator[Connection]:
        """A connection; TimeoutError if none is free until that time of the event loop."""
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=0,
                    max_size=self._size,
                    init=_require_durable_commits,
                    reset=_keep_session_settings,
                    timeout=CONNECT_SECONDS,
                    command_timeout=ANSWER_SECONDS,
                    server_settings=self._session,
                )
        patience = None if until is None else max(until - asyncio.get_running_loop().time(), 0)
        async with self._pool.acquire(timeout=patience) as connection:
            with _detecting_cancelled_wait(connection):
                yield connection

    async def close(self) -> None:
        """Close the connections, whether the server answers or not."""
        if self._pool:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._pool.close()
            except TimeoutError:
                self._pool.terminate()


async def _require_durable_commits(connection: asyncpg.Connection) -> None:
    """What is acknowledged is on disk, whatever the server does for others."""
    await connection.execute(_DURABLE_COMMITS)


async def _keep_session_settings(_: asyncpg.Connection) -> None:
    """A connection goes back as it is: nothing here changes its settings."""


@contextmanager
def _detecting_cancelled_wait(connection: Connection) -> Iterator[None]:
    """Raise _WaitCancelledError if a commit has not waited to its end for the synchronous standby.

    The server answers such a commit with a warning and success.
    """
    cancelled: list[str] = []

    def note(_: object, message: asyncpg.PostgresLogMessage) -> None:
        if getattr(message, "server_source_function", None) == _WAITING_FOR_STANDBY:
            cancelled.append(str(message))

    with detecting_loss(connection):
        connection.add_log_listener(note)
    try:
        yield
    finally:
        with suppress(asyncpg.InterfaceError):  # it was let go of meanwhile
            connection.remove_log_listener(note)
    if cancelled:
        raise _WaitCancelledError(cancelled[0])


@contextmanager
def translating_faults() -> Iterator[None]:
    """Raise StoreUnavailableError, with the reason, for whatever keeps the database from doing what it was asked."""
    try:
        yield
    except TimeoutError as fault:
        raise StoreUnavailableError("The database has not answered in time.") from fault
    except _UNAVAILABLE as fault:
        raise StoreUnavailableError(describe_fault(fault)) from fault


def describe_fault(fault: BaseException) -> str:
    """What went wrong, in a line."""
    return f"{type(fault).__name__}: {fault}"


@contextmanager
def detecting_loss(connection: Connection) -> Iterator[None]:
    """Let go of a connection that is lost before anything was done on it, and raise StaleConnectionError."""
    try:
        yield
    except asyncpg.InterfaceError as fault:
        # The driver finds it closed, and says only what cannot be called any more.
        _terminate(connection)
        raise StaleConnectionError("The server had closed the connection while it was not in use.") from fault
    except _LOST as fault:
        _terminate(connection)
        raise StaleConnectionError(describe_fault(fault)) from fault


async def transact(
    connection: Connection,
    exchange: Procedure[T],
    mode: str = "READ COMMITTED READ WRITE",
    lock_seconds: float | None = None,
) -> T:
    """Carry out an exchange in one transaction, in which each statement waits for a lock so many seconds."""
    begin = f"BEGIN ISOLATION LEVEL {mode}"
    if lock_seconds is not None:
        begin += f"; SET LOCAL lock_timeout = {max(round(lock_seconds * 1000), 1)}"
    try:
        with detecting_loss(connection):
            await connection.execute(begin)
        result, written = await run_on_connection(connection, exchange)
        await connection.execute("COMMIT" if written else "ROLLBACK")
    except BaseException as fault:
        await _roll_back(connection, fault)
        raise
    return result


async def _roll_back(connection: Connection, fault: BaseException) -> None:
    """Roll back; let go of a connection that does not answer, or that leads to what is no primary any more.

    What goes wrong here must not be told in place of the fault that has led to it.
    """
    if isinstance(fault, (StaleConnectionError, asyncpg.ReadOnlySQLTransactionError, *_LOST)):
        _terminate(connection)
    else:
        try:
            await connection.execute("ROLLBACK", timeout=_ROLLBACK_SECONDS)
        except _UNAVAILABLE:
            _terminate(connection)


def _terminate(connection: Connection) -> None:
    """Close it at once. One that was lost has been taken out of the pool, and cannot even be asked about."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def run_on_connection(connection: Connection, exchange: Procedure[T]) -> tuple[T, bool]:
    """The result of an exchange, and whether anything was written."""
    written = False
    try:
        asked = next(exchange)
        while True:
            written = written or _writes(asked)
            asked = exchange.send(await _answer(connection, asked))
    except StopIteration as end:
        return end.value, written


def _writes(asked: Query | SaveRows) -> bool:
    return asked.any if isinstance(asked, SaveRows) else asked.statement.writes


async def _answer(connection: Connection, asked: Query | SaveRows) -> ResultRows:
    if isinstance(asked, Query):
        return await connection.fetch(asked.statement.text, *asked.arguments)
    if asked.any:
        for statement in asked.saving.statements:
            positions = (asked.saving.positions[name] for name in statement.names)
            await connection.execute(
                statement.text, *([row[index] for row in asked.rows.get(kind, ())] for kind, index in positions)
            )
    return ()
