"""Sets aside commands whose rows another transaction keeps locked, so that all other commands go on.

A row stays locked for long if a session does not commit, or if a process has stopped. While commands are blocked, the
locks on their rows are looked up every 0.1 seconds (`openbooking.store.locks`). So no connection waits for the locks.
Commands whose rows are free are tried again in batches. If a batch still has to wait, for example because a whole table
is locked, the batch is halved, until each command that has to wait is in its own batch.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import structlog

from openbooking.booking.command import Command
from openbooking.booking.model.order import OrderKey
from openbooking.booking.store import StoreUnavailableError
from openbooking.store.command_queue.pending import (
    LOCK_SECONDS,
    LOCK_SECONDS_AGAIN,
    Batch,
    PendingCommand,
    Write,
    write_batch,
)
from openbooking.store.database import LockedError

# Names a row that can be locked: the path of an Opportunity, or the key of a record.
Name: TypeAlias = str | OrderKey
# Returns, for each of the given names that is locked now, the transaction that holds the lock.
FindLocks: TypeAlias = Callable[[Iterable[Name]], Awaitable[Mapping[Name, str]]]
# Returns the names of the rows that a command locks.
NamesOf: TypeAlias = Callable[[Command[Any]], frozenset[Name]]

_LOCK_CHECK_SECONDS = 0.1
_RETRY_SECONDS = 0.5
_log = structlog.get_logger()


class BlockedCommands:
    """Keeps blocked commands, and tries them again until all have been answered.

    Args:
        write: Carries out a batch in one transaction.
        find_locks: Returns the names that are locked now, with the holders of the locks.
        names_of: Returns the names of the rows that a command locks.
        most: How many commands a batch has at most.
    """

    def __init__(self, write: Write, find_locks: FindLocks, names_of: NamesOf, most: int) -> None:
        self._write = write
        self._find_locks = find_locks
        self._names_of = names_of
        self._most = most
        self._waiting: dict[PendingCommand, frozenset[Name]] = {}
        # Commands that had to wait alone in a batch although none of their names is locked, and when they are tried
        # again.
        self._retry_at: dict[PendingCommand, float] = {}
        self._locks_seen: Mapping[Name, str] = {}
        self._held_locks: frozenset[Name] = frozenset()
        self._retrying: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether any command is blocked."""
        return bool(self._waiting)

    def add(self, waiting: Iterable[PendingCommand]) -> None:
        """Add commands. They are tried again once their rows are free."""
        self._waiting |= {each: self._names_of(each.command) for each in waiting}
        if self._retrying is None or self._retrying.done():
            self._retrying = asyncio.create_task(self._retry(), context=contextvars.Context())

    def take_blocked(self, waiting: list[PendingCommand]) -> list[PendingCommand]:
        """Add those of the commands that need a row which is known to be locked; return the other commands."""
        if not self._held_locks and not self._retry_at:
            return waiting
        unknown = {name for each in self._retry_at for name in self._waiting[each] if isinstance(name, OrderKey)}
        blocked = [each for each in waiting if not self._names_of(each.command).isdisjoint(self._held_locks | unknown)]
        if blocked:
            self.add(blocked)
        return [each for each in waiting if each not in self._waiting]

    async def finish(self) -> None:
        """Wait until all blocked commands have been answered."""
        if self._retrying:
            await self._retrying

    async def _retry(self) -> None:
        _log.warning("store.locked", reason="Another transaction keeps rows locked; other commands go on.")
        while self._waiting:
            if await self._find_held_locks():
                now = asyncio.get_running_loop().time()
                free = [
                    each
                    for each, names in self._waiting.items()
                    if names.isdisjoint(self._held_locks) and self._retry_at.get(each, now) <= now
                ]
                for first in range(0, len(free), self._most):
                    await self._try(free[first : first + self._most])
            self._drop_answered()
        self._locks_seen, self._held_locks = {}, frozenset()

    async def _find_held_locks(self) -> bool:
        """Update `_held_locks`: the names whose lock has the same holder at two look-ups, 0.05 seconds apart.

        Returns:
            Whether the database answered.
        """
        for _ in range(2):
            await asyncio.sleep(_LOCK_CHECK_SECONDS / 2)
            self._drop_answered()
            names = {name for names in self._waiting.values() for name in names}
            before = self._locks_seen
            try:
                self._locks_seen = await self._find_locks(names) if names else {}
            except LockedError:
                self._locks_seen = {}  # a whole table is locked; commands that need only other tables can go on
            except StoreUnavailableError:
                return False
            self._held_locks = frozenset(
                name for name, holder in self._locks_seen.items() if before.get(name) == holder
            )
        return True

    async def _try(self, waiting: Sequence[PendingCommand]) -> None:
        waiting = [each for each in waiting if not each.given_up]
        if not waiting:
            return
        tried = any(each in self._retry_at for each in waiting)
        try:
            await write_batch(Batch(waiting), self._write, LOCK_SECONDS_AGAIN if tried else LOCK_SECONDS)
        except LockedError:
            if len(waiting) > 1:
                half = len(waiting) // 2
                await self._try(waiting[:half])
                await self._try(waiting[half:])
            else:
                self._retry_at[waiting[0]] = asyncio.get_running_loop().time() + _RETRY_SECONDS

    def _drop_answered(self) -> None:
        for each in [each for each in self._waiting if each.reply.done()]:
            del self._waiting[each]
            self._retry_at.pop(each, None)
