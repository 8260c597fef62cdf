"""The store in PostgreSQL, for any number of processes on any number of machines.

Each process writes its waiting commands in one transaction at a time, in few round trips: begin, lock, read, write,
commit. Rows are locked in the order of their keys before anything is read; where others are faster all the same, the
transaction starts afresh, up to a bound.
"""

import asyncio
import contextvars
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TypeVar

import asyncpg
import structlog

from openbooking.booking.command import Command
from openbooking.booking.model.policy import Policy
from openbooking.booking.store import Feed, FeedWriter, Reply, StoreUnavailableError
from openbooking.clock import Clock
from openbooking.openactive.rpde import PAGE_BYTES, Item, is_full
from openbooking.store.dialects import Statement
from openbooking.store.exchange import (
    COMMAND_SECONDS,
    Answer,
    ChangedMeanwhileError,
    Exchange,
    LockedError,
    ask,
)
from openbooking.store.integrity_check import Finding
from openbooking.store.numbering import number_pending
from openbooking.store.postgres_dialect import Postgres
from openbooking.store.postgres_pool import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    Pool,
    StaleConnectionError,
    carry_out,
    faults_told,
    loss_noted,
    reason_of,
    session,
    transact,
)
from openbooking.store.postgres_reserve import PostgresReserve
from openbooking.store.postgres_wipe import wipe
from openbooking.store.single_flight import SingleFlight
from openbooking.store.sql import SqlStore
from openbooking.store.statements import Statements

# One writes bookings, one those that were set aside; one numbers feed items and does the upkeep meanwhile.
_WRITERS = 3
_READERS = 4
_TRIES = 8
_PAUSE_SECONDS = 0.02
# What is done on a connection may go on for so long after its deadline.
_GRACE_SECONDS = 1.0
# For how long a lock is waited for at first, and then again and again, with a connection in between for others.
_LOCK_SECONDS, _LOCK_SECONDS_AGAIN, _LOOK_AGAIN_SECONDS = 0.5, 0.05, 0.2
# Readers of a feed wait no longer for numbers that cannot be given now.
_NUMBERING_SECONDS = 1.0
_NUMBER_EVERY_SECONDS = 1.0
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


# What says that nothing was done but may be at the next try. Of two that add the same record, the second violates its
# uniqueness.
_TRIED_AGAIN = (
    StaleConnectionError,
    ChangedMeanwhileError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.UniqueViolationError,
)
T = TypeVar("T")
_log = structlog.get_logger()


class PostgresStore(SqlStore):
    """Keeps everything in the database at a URL; feeds are read from `replica`, where there is one.

    Feed items get their numbers after they are committed, and after the synchronous standby has them: before a page
    without a successor is answered, and every second besides, for readers of a replica.
    """

    def __init__(  # noqa: PLR0913 - what any store has, and where to read feeds
        self,
        url: str,
        *,
        replica: str = "",
        policy: Policy,
        writer: FeedWriter,
        clock: Clock,
        command_seconds: float = COMMAND_SECONDS,
    ) -> None:
        self._postgres = PostgresDatabase(url, command_seconds)
        self._replica = PostgresDatabase(replica, command_seconds) if replica else None
        self._numbering = asyncio.Lock()
        self._numberings = 0
        self._confirmations: SingleFlight[Answer] = SingleFlight()
        self._ticker: asyncio.Task[None] | None = None
        super().__init__(
            self._postgres,
            Statements(Postgres()),
            policy=policy,
            writer=writer,
            clock=clock,
            command_seconds=command_seconds,
        )

    async def execute(self, command: Command[Reply]) -> Reply:
        """Carry out one command."""
        self._ticker = self._ticker or asyncio.create_task(self._tick(), context=contextvars.Context())
        return await super().execute(command)

    async def feed_items(self, feed: Feed, after: int, limit: int, most_bytes: int = PAGE_BYTES) -> Sequence[Item]:
        """The first items of the feed after that change number.

        Those that cannot be numbered now, as on a full disk, will be later.
        """
        page = self._page(feed, after, limit, most_bytes)
        if self._replica:
            return await self._replica.read(page, brief=True)
        items = await self._postgres.read(page, brief=True)
        if not is_full(items, limit, most_bytes):
            with suppress(StoreUnavailableError):
                if await self._number():
                    items = await self._postgres.read(page, brief=True)
        return items

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
        loop = asyncio.get_running_loop()
        await self._confirm(loop.time() + _NUMBERING_SECONDS)
        turn = self._numberings
        async with self._numbering:
            if self._numberings == turn:
                self._numberings += 1
                while await self._postgres.write(
                    lambda: number_pending(self._sql, self._clock()),
                    brief=True,
                    until=loop.time() + _NUMBERING_SECONDS,
                ):
                    pass
        return True

    async def _confirm(self, until: float) -> None:
        """Return once the synchronous standby, where there is one, has all that could be read before.

        Those who ask meanwhile share the next wait. Raises StoreUnavailableError if it has not until then.
        """
        with faults_told():
            async with asyncio.timeout_at(until):
                await self._confirmations.get(None, lambda: self._postgres.read(partial(ask, _CONFIRM), brief=True))


class PostgresDatabase:
    """The database at a URL, with connections that write and some that read."""

    def __init__(self, url: str, command_seconds: float = COMMAND_SECONDS) -> None:
        self._url = url
        self._command_seconds = command_seconds
        self._writers = Pool(url, _WRITERS, command_seconds)
        self._readers = Pool(url, _READERS, command_seconds)
        self._reserve = PostgresReserve()

    @property
    def disk_is_full(self) -> bool:
        """Whether the server has had no room for something, and has none for the reserve since."""
        return self._reserve.spent

    async def keep_reserve(self) -> None:
        """Look after the space that is kept for when the disk is full; to be called every second."""
        with faults_told():
            async with self._readers.connection(self._deadline()) as connection:
                await self._reserve.keep(connection)

    async def write(
        self,
        make: Callable[[], Exchange[T]],
        *,
        brief: bool = False,
        until: float | None = None,
        lock_seconds: float | None = None,
    ) -> T:
        """Carry out an exchange in one transaction, again if others were faster, up to a bound.

        Whoever waits for a lock lets go of the connection now and then, so that others have it.
        """
        until = until or self._deadline()
        with faults_told():
            async with asyncio.timeout_at(until + _GRACE_SECONDS if brief else None):
                if lock_seconds is not None:
                    try:
                        return await self._write(make, until, lock_seconds)
                    except asyncpg.LockNotAvailableError as fault:
                        raise LockedError(reason_of(fault)) from fault
                return await self._write_patiently(make, until)

    async def _write_patiently(self, make: Callable[[], Exchange[T]], until: float) -> T:
        loop = asyncio.get_running_loop()
        lock_seconds = _LOCK_SECONDS
        while True:
            try:
                return await self._write(make, until, min(lock_seconds, max(until - loop.time(), 0)))
            except asyncpg.LockNotAvailableError as fault:
                if loop.time() + _LOOK_AGAIN_SECONDS >= until:
                    raise StoreUnavailableError(f"Somebody keeps locked what it needs ({reason_of(fault)}).") from fault
            lock_seconds = _LOCK_SECONDS_AGAIN
            await asyncio.sleep(random.uniform(0, _LOOK_AGAIN_SECONDS))  # noqa: S311 - nothing secret

    async def _write(self, make: Callable[[], Exchange[T]], until: float, lock_seconds: float) -> T:
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
                    await self._reserve.give_up(connection)
            except _TRIED_AGAIN as fault:
                reason = reason_of(fault)
                _log.info("store.tried_again", attempt=attempt, reason=reason)
            pause = random.uniform(0, _PAUSE_SECONDS * attempt)  # noqa: S311 - nothing secret
            if asyncio.get_running_loop().time() + pause >= until:
                break
            await asyncio.sleep(pause)
        raise StoreUnavailableError(f"It could not be done in {attempt} tries; the last one ended with {reason}")

    async def read(self, make: Callable[[], Exchange[T]], *, brief: bool = False, until: float | None = None) -> T:
        """Carry out an exchange that writes nothing."""
        until = until or self._deadline()
        reason = ""
        with faults_told():
            async with asyncio.timeout_at(until + _GRACE_SECONDS if brief else None):
                for _ in range(_READERS + 1):
                    try:
                        async with self._readers.connection(until) as connection:
                            with loss_noted(connection):
                                result, _ = await carry_out(connection, make())
                            return result
                    except StaleConnectionError as fault:
                        reason = str(fault)
        raise StoreUnavailableError(f"Every connection was lost: {reason}")

    async def snapshot(self, make: Callable[[], Exchange[T]]) -> T:
        """Carry out an exchange in one transaction that writes nothing."""
        with faults_told():
            async with self._readers.connection(self._deadline()) as connection:
                return await transact(connection, make(), "REPEATABLE READ READ ONLY")

    async def wipe(self, now: datetime) -> None:
        """Go on with what lets erased personal data leave the disk."""
        with faults_told():
            connection = await asyncpg.connect(
                self._url,
                timeout=CONNECT_SECONDS,
                command_timeout=ANSWER_SECONDS,
                server_settings=session(self._command_seconds),
            )
            try:
                await wipe(connection, now)
            finally:
                await connection.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._writers.close()
        await self._readers.close()

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._command_seconds
