"""The driver of a PostgreSQL database, for any number of processes on any number of machines.

A batch of commands is one transaction of few round trips: begin, lock, read, write, commit. Rows are locked in the
order of their keys before they are read (`openbooking.store.loading`). A transaction that conflicts with another
transaction is tried again, up to eight times in all. Change numbers are given after the commit
(`openbooking.store.numbering`).
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import asyncpg
import structlog

from openbooking.booking.store import StoreUnavailableError
from openbooking.store.command_queue.pending import LOCK_SECONDS, LOCK_SECONDS_AGAIN
from openbooking.store.database import (
    COMMAND_SECONDS,
    ChangedMeanwhileError,
    LockedError,
    Procedure,
    ResultRows,
    ask,
)
from openbooking.store.dialect import Statement
from openbooking.store.integrity.finding import Finding
from openbooking.store.postgres.pool import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    Pool,
    StaleConnectionError,
    describe_fault,
    detect_loss,
    run_on_connection,
    session_settings,
    transact,
    translate_faults,
)
from openbooking.store.postgres.purge import purge_deleted
from openbooking.store.postgres.reserve import PostgresReserve
from openbooking.store.single_flight import SingleFlight

# Enough connections for bookings, for blocked commands, and for numbering and upkeep at the same time.
_WRITERS = 3
_READERS = 4
_TRIES = 8
_PAUSE_SECONDS = 0.02
# How long a procedure may go on after its deadline.
_GRACE_SECONDS = 1.0
# The longest pause between two waits for a lock. In the pause other commands can use the connection.
_LOOK_AGAIN_SECONDS = 0.2
# After a restart, or after a wait was cancelled, a commit may be visible before the synchronous standby has it. A
# standby receives commits in order, so it is enough to make another commit and wait for that. A commit waits only if
# its transaction has written something. A message in the write-ahead log is the smallest write; it needs no privileges.
_CONFIRM = Statement(
    "SELECT pg_logical_emit_message(true, 'openbooking', '') WHERE current_setting('synchronous_standby_names') <> ''",
    (),
    writes=True,
)
_SYNCHRONOUS_COMMIT = Statement("SELECT current_setting('synchronous_commit')", (), writes=False)
# Values of `synchronous_commit` that weaken replies, each with the reason.
_NOT_WAITED_FOR = {
    "local": "no reply waits for a synchronous standby",
    "remote_write": "replies do not wait until a synchronous standby has written to its disk",
}

# Errors after which nothing was done and the transaction is tried again. UniqueViolationError: another transaction has
# just added the same record.
_TRIED_AGAIN = (
    StaleConnectionError,
    ChangedMeanwhileError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.UniqueViolationError,
)
T = TypeVar("T")
_log = structlog.get_logger()


class PostgresDatabase:
    """Runs procedures on the database at a URL, with separate connections for writing and for reading."""

    is_remote = True

    def __init__(self, url: str, command_seconds: float = COMMAND_SECONDS) -> None:
        self._url = url
        self._command_seconds = command_seconds
        self._writers = Pool(url, _WRITERS, command_seconds)
        self._readers = Pool(url, _READERS, command_seconds)
        self._reserve = PostgresReserve()
        self._confirmations: SingleFlight[ResultRows] = SingleFlight()

    @property
    def disk_is_full(self) -> bool:
        """Whether the disk has been full, and there is no space yet to make the reserve again."""
        return self._reserve.spent

    async def confirm(self, until: float) -> None:
        """Wait until the synchronous standby, if there is one, has all rows that could be read before this call.

        Concurrent callers share the next wait.

        Raises:
            StoreUnavailableError: The wait did not end until `until`, a time of the event loop.
        """
        with translate_faults():
            async with asyncio.timeout_at(until):
                await self._confirmations.get(None, lambda: self.read(partial(ask, _CONFIRM), brief=True))

    async def durability_findings(self) -> Sequence[Finding]:
        """Return a finding if replies do not wait for the disks of this server and of its synchronous standby."""
        ((value,),) = await self.read(partial(ask, _SYNCHRONOUS_COMMIT))
        if value not in _NOT_WAITED_FOR:
            return []
        lost = f"{_NOT_WAITED_FOR[value]}, so that a failover can lose what was acknowledged"
        where = 'set it to "on" for the server, and for this database and role if they have a value of their own'
        return [Finding("The PostgreSQL setting synchronous_commit", f'is "{value}": {lost}; {where}')]

    async def run_upkeep(self) -> None:
        """Check the reserve of disk space, and make the reserve if it is missing and the disk has space."""
        with translate_faults():
            async with self._readers.connection(self._deadline()) as connection:
                await self._reserve.keep(connection)

    async def write(
        self,
        make: Callable[[], Procedure[T]],
        *,
        brief: bool = False,
        until: float | None = None,
        lock_seconds: float | None = None,
    ) -> T:
        """Run a procedure in one transaction; run it again after a conflict with another transaction.

        Without `lock_seconds`, the procedure waits for locks until the deadline, but releases its connection from time
        to time. See `Database.write`.
        """
        until = until or self._deadline()
        with translate_faults():
            async with asyncio.timeout_at(until + _GRACE_SECONDS if brief else None):
                if lock_seconds is not None:
                    try:
                        return await self._write(make, until, lock_seconds)
                    except asyncpg.LockNotAvailableError as fault:
                        raise LockedError(describe_fault(fault)) from fault
                return await self._write_patiently(make, until)

    async def _write_patiently(self, make: Callable[[], Procedure[T]], until: float) -> T:
        loop = asyncio.get_running_loop()
        lock_seconds = LOCK_SECONDS
        while True:
            try:
                return await self._write(make, until, min(lock_seconds, max(until - loop.time(), 0)))
            except asyncpg.LockNotAvailableError as fault:
                if loop.time() + _LOOK_AGAIN_SECONDS >= until:
                    raise StoreUnavailableError(
                        f"Another transaction keeps the rows locked; try again ({describe_fault(fault)})."
                    ) from fault
            lock_seconds = LOCK_SECONDS_AGAIN
            await asyncio.sleep(random.uniform(0, _LOOK_AGAIN_SECONDS))  # noqa: S311 - nothing secret

    async def _write(self, make: Callable[[], Procedure[T]], until: float, lock_seconds: float) -> T:
        reason = ""
        for attempt in range(1, _TRIES + 1):
            try:
                async with self._writers.connection(until) as connection:
                    return await transact(connection, make(), lock_seconds=lock_seconds)
            except asyncpg.DiskFullError as fault:
                if self.disk_is_full:
                    raise
                _log.error("disk.is_full", reason=str(fault))
                async with self._writers.connection(until) as connection:
                    await self._reserve.release(connection)
            except _TRIED_AGAIN as fault:
                reason = describe_fault(fault)
                _log.info("store.tried_again", attempt=attempt, reason=reason)
            pause = random.uniform(0, _PAUSE_SECONDS * attempt)  # noqa: S311 - nothing secret
            if asyncio.get_running_loop().time() + pause >= until:
                break
            await asyncio.sleep(pause)
        raise StoreUnavailableError(
            f"Gave up after {attempt} conflicting transactions; try again. The last conflict: {reason}"
        )

    async def read(self, make: Callable[[], Procedure[T]], *, brief: bool = False, until: float | None = None) -> T:
        """Run a procedure that writes nothing; run it again if its connection had been lost."""
        until = until or self._deadline()
        reason = ""
        with translate_faults():
            async with asyncio.timeout_at(until + _GRACE_SECONDS if brief else None):
                for _ in range(_READERS + 1):
                    try:
                        async with self._readers.connection(until) as connection:
                            with detect_loss(connection):
                                result, _ = await run_on_connection(connection, make())
                            return result
                    except StaleConnectionError as fault:
                        reason = str(fault)
        raise StoreUnavailableError(f"All connections to the database were lost: {reason}")

    async def snapshot(self, make: Callable[[], Procedure[T]]) -> T:
        """Run a procedure in one read transaction."""
        with translate_faults():
            async with self._readers.connection(self._deadline()) as connection:
                return await transact(connection, make(), "REPEATABLE READ READ ONLY")

    async def purge_deleted(self, now: datetime) -> None:
        """Wipe erased personal data from the disk, as far as possible now: see `openbooking.store.postgres.purge`."""
        with translate_faults():
            connection = await asyncpg.connect(
                self._url,
                timeout=CONNECT_SECONDS,
                command_timeout=ANSWER_SECONDS,
                server_settings=session_settings(self._command_seconds),
            )
            try:
                await purge_deleted(connection, now)
            finally:
                await connection.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._writers.close()
        await self._readers.close()

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._command_seconds
