"""Pools of connections to PostgreSQL, transactions on them, and the errors of lost connections.

A connection is closed if it is lost, or if its server is not the primary any more. The pool opens another connection
when it needs one.
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
# How long a rollback may take before the connection is closed instead.
_ROLLBACK_SECONDS = 1.0
_SESSION = {
    "application_name": "openbooking",
    # The server reports a cancelled wait for the standby as a warning. So warnings are turned on.
    "client_min_messages": "warning",
    # If a process stops in the middle of a transaction, the server releases its locks after this time.
    "idle_in_transaction_session_timeout": "10s",
    # All statements look rows up by keys. So they are planned once, as nested loops over indexes. Without these
    # settings the planner would choose scans for new tables, because it takes them for almost empty.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
# Sets `synchronous_commit` for the session, so that a later change of the server's setting does not weaken it.
_DURABLE_COMMITS = """SELECT set_config('synchronous_commit', coalesce(nullif(synchronous_commit, 'off'), 'on'), false)
 FROM current_setting('synchronous_commit') AS synchronous_commit"""
# The function in the server that warns of a cancelled wait. The warning is recognised by this name, because its text
# depends on the server's language.
_WAITING_FOR_STANDBY = "SyncRepWaitForLSN"


class _WaitCancelledError(Exception):
    """The transaction was committed on this server, but the synchronous standby may not have it."""


class StaleConnectionError(Exception):
    """The connection was lost before it was used, for example because the server was restarted."""


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


def session_settings(lock_seconds: float) -> dict[str, str]:
    """Return the settings of a connection. Its statements wait for a lock for at most `lock_seconds`."""
    return _SESSION | {"lock_timeout": f"{lock_seconds * 1000:.0f}ms"}


class Pool:
    """A pool of connections that are opened when they are needed.

    Args:
        url: The URL of the database.
        size: How many connections are open at most.
        lock_seconds: How long a statement waits for a lock at most.
    """

    def __init__(self, url: str, size: int, lock_seconds: float) -> None:
        self._url = url
        self._size = size
        self._session = session_settings(lock_seconds)
        self._opening = asyncio.Lock()
        self._pool: asyncpg.Pool | None = None

    @asynccontextmanager
    async def connection(self, until: float | None = None) -> AsyncIterator[Connection]:
        """Lend a connection; raise TimeoutError if none is free until `until`, a time of the event loop."""
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
            with _detect_cancelled_wait(connection):
                yield connection

    async def close(self) -> None:
        """Close all connections, even if the server does not answer."""
        if self._pool:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._pool.close()
            except TimeoutError:
                self._pool.terminate()


async def _require_durable_commits(connection: asyncpg.Connection) -> None:
    """Make commits on this connection wait for the disk, even if the server's `synchronous_commit` is `off`."""
    await connection.execute(_DURABLE_COMMITS)


async def _keep_session_settings(_: asyncpg.Connection) -> None:
    """Do nothing when a connection returns to the pool: no code changes the settings of a pooled connection."""


@contextmanager
def _detect_cancelled_wait(connection: Connection) -> Iterator[None]:
    """Raise _WaitCancelledError if the wait of a commit for the synchronous standby was cancelled.

    The server reports such a commit as a success with a warning.
    """
    cancelled: list[str] = []

    def note(_: object, message: asyncpg.PostgresLogMessage) -> None:
        if getattr(message, "server_source_function", None) == _WAITING_FOR_STANDBY:
            cancelled.append(str(message))

    with detect_loss(connection):
        connection.add_log_listener(note)
    try:
        yield
    finally:
        with suppress(asyncpg.InterfaceError):  # the connection has been closed
            connection.remove_log_listener(note)
    if cancelled:
        raise _WaitCancelledError(cancelled[0])


@contextmanager
def translate_faults() -> Iterator[None]:
    """Turn errors of the connection and of the server into StoreUnavailableError."""
    try:
        yield
    except TimeoutError as fault:
        raise StoreUnavailableError("The database did not answer in time.") from fault
    except _UNAVAILABLE as fault:
        raise StoreUnavailableError(describe_fault(fault)) from fault


def describe_fault(fault: BaseException) -> str:
    """Return the type and the message of an error."""
    return f"{type(fault).__name__}: {fault}"


@contextmanager
def detect_loss(connection: Connection) -> Iterator[None]:
    """If the connection turns out to be lost, close it and raise StaleConnectionError."""
    try:
        yield
    except asyncpg.InterfaceError as fault:
        # The driver found the connection closed; its message does not say why.
        _terminate(connection)
        raise StaleConnectionError("The server had closed the connection while it was not in use.") from fault
    except _LOST as fault:
        _terminate(connection)
        raise StaleConnectionError(describe_fault(fault)) from fault


async def transact(
    connection: Connection,
    procedure: Procedure[T],
    mode: str = "READ COMMITTED READ WRITE",
    lock_seconds: float | None = None,
) -> T:
    """Run a procedure in one transaction and commit it; return the result of the procedure.

    Args:
        connection: The connection.
        procedure: The procedure.
        mode: The isolation level and access mode of the transaction.
        lock_seconds: How long each statement waits for a lock at most.
    """
    begin = f"BEGIN ISOLATION LEVEL {mode}"
    if lock_seconds is not None:
        begin += f"; SET LOCAL lock_timeout = {max(round(lock_seconds * 1000), 1)}"
    try:
        with detect_loss(connection):
            await connection.execute(begin)
        result, written = await run_on_connection(connection, procedure)
        await connection.execute("COMMIT" if written else "ROLLBACK")
    except BaseException as fault:
        await _roll_back(connection, fault)
        raise
    return result


async def _roll_back(connection: Connection, fault: BaseException) -> None:
    """Roll the transaction back. Close the connection if it does not answer or its server is not the primary any more.

    Errors of the rollback are suppressed, because they would hide `fault`, the error that led to the rollback.
    """
    if isinstance(fault, (StaleConnectionError, asyncpg.ReadOnlySQLTransactionError, *_LOST)):
        _terminate(connection)
    else:
        try:
            await connection.execute("ROLLBACK", timeout=_ROLLBACK_SECONDS)
        except _UNAVAILABLE:
            _terminate(connection)


def _terminate(connection: Connection) -> None:
    """Close a connection at once; do nothing if the pool has already removed it."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def run_on_connection(connection: Connection, procedure: Procedure[T]) -> tuple[T, bool]:
    """Run a procedure; return its result, and whether it wrote anything."""
    written = False
    try:
        asked = next(procedure)
        while True:
            written = written or _is_write(asked)
            asked = procedure.send(await _answer(connection, asked))
    except StopIteration as end:
        return end.value, written


def _is_write(asked: Query | SaveRows) -> bool:
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
