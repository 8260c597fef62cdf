"""Stores with one fault each, and a right store, for the tests of the store test kit."""

import asyncio
import fcntl
import os
import pickle
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from openbooking.booking.command import Command
from openbooking.booking.model.policy import Policy
from openbooking.booking.store import Feed, FeedWriter, Reply
from openbooking.clock import Clock
from openbooking.openactive.rpde import PAGE_BYTES, Item
from openbooking.store.database import Procedure, Query
from openbooking.store.dialect import Statement
from openbooking.store.memory import MemoryStore
from openbooking.store.postgres.store import PostgresStore

NUMBERS = "CREATE SEQUENCE numbers START 4000000000000"

_NEXT_NUMBERS = Statement("SELECT nextval('numbers') FROM generate_series(1, $1)", ("count",), writes=False)
_STATE = ("_records", "_opportunities", "_sellers", "_feeds", "_modified", "_noted")
_SECONDS_BEFORE_COMMIT = 0.01
_SECONDS_BETWEEN_TRIES = 0.001


class FileStore(MemoryStore):
    """A right store. It locks the file, reads everything, executes a command, writes everything, and then replies."""

    def __init__(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> None:
        super().__init__(policy=policy, writer=writer, clock=clock)
        self._path = folder / "state"
        self._lock = (folder / "lock").open("a")

    async def execute(self, command: Command[Reply]) -> Reply:
        """Carry out one command."""
        with self._locked():
            self._read()
            reply = await super().execute(command)
            self._write()
        return reply

    async def feed_items(self, feed: Feed, after: int, limit: int, most_bytes: int = PAGE_BYTES) -> Sequence[Item]:
        """Return the first items of the feed after that change number."""
        self._read()
        return await super().feed_items(feed, after, limit, most_bytes)

    async def close(self) -> None:
        """Close the file."""
        self._lock.close()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _read(self) -> None:
        with suppress(FileNotFoundError):
            vars(self).update(pickle.loads(self._path.read_bytes()))  # noqa: S301 - it is our own

    def _write(self) -> None:
        new = self._path.with_suffix(f".{os.getpid()}")
        with new.open("wb") as file:
            file.write(pickle.dumps({name: getattr(self, name) for name in _STATE}))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)


class StoreWithoutLock(FileStore):
    """Wrong: the data may change between its read and its write, because it does not lock the file."""

    @contextmanager
    def _locked(self) -> Iterator[None]:
        yield


class StoreWithItsOwnState(FileStore):
    """Wrong: each process reads the file once, and later writes its own state back."""

    _has_read = False

    def _read(self) -> None:
        if not self._has_read:
            super()._read()
            self._has_read = True


class StoreThatKeepsOldFiles(FileStore):
    """Wrong: erased data stays in earlier versions of the file."""

    def _write(self) -> None:
        if self._path.exists():
            os.link(self._path, self._path.with_suffix(f".before-{uuid.uuid4()}"))
        super()._write()


class StoreThatCommitsLate(FileStore):
    """Wrong: it replies first and writes a moment later. It keeps the lock until then, so it has no other fault."""

    def __init__(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> None:
        super().__init__(folder, policy=policy, writer=writer, clock=clock)
        self._one_at_a_time = asyncio.Lock()
        self._commit: asyncio.Task[None] | None = None

    async def execute(self, command: Command[Reply]) -> Reply:
        """Carry out one command."""
        async with self._one_at_a_time:
            await self._committed()
            while not self._try_lock():
                await asyncio.sleep(_SECONDS_BETWEEN_TRIES)
            self._read()
            try:
                return await MemoryStore.execute(self, command)
            finally:
                self._commit = asyncio.create_task(self._commit_later())

    async def feed_items(self, feed: Feed, after: int, limit: int, most_bytes: int = PAGE_BYTES) -> Sequence[Item]:
        """Return the first items of the feed after that change number."""
        await self._committed()
        return await super().feed_items(feed, after, limit, most_bytes)

    async def close(self) -> None:
        """Close the file."""
        await self._committed()
        await super().close()

    async def _committed(self) -> None:
        if self._commit:
            await self._commit

    async def _commit_later(self) -> None:
        await asyncio.sleep(_SECONDS_BEFORE_COMMIT)
        self._write()
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class StoreThatNumbersEarly(PostgresStore):
    """Wrong: each transaction takes its change numbers from the sequence `NUMBERS` before it commits."""

    def _take_numbers(self, count: int, now: datetime) -> Procedure[Iterable[int | None]]:
        del now
        rows = yield Query(_NEXT_NUMBERS, {"count": count})
        return [number for (number,) in rows]
