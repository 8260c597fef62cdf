"""Commands that wait for what somebody else keeps locked, while the others go on.

Whoever has locked a row for long may be a session in which somebody has forgotten to commit, or a process that has
stopped. The rows are looked at now and then (`locks.py`), so that no connection waits, however many want them. What
needs none of them is tried again: a batch that still has to wait for something, as for a whole table, is halved until
the commands that wait are alone.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import structlog

from openbooking.booking.command import Command
from openbooking.booking.model.order import OrderKey
from openbooking.booking.store import StoreUnavailableError
from openbooking.store.exchange import LockedError
from openbooking.store.waiting import Batch, Waiting, Write, carry_out

# What may be locked: an Opportunity, by its path, or a record.
Name: TypeAlias = str | OrderKey
# The holder of the lock of each of those names that cannot be locked now.
Look: TypeAlias = Callable[[Iterable[Name]], Awaitable[Mapping[Name, str]]]
NamesOf: TypeAlias = Callable[[Command[Any]], frozenset[Name]]

_SECONDS_BETWEEN_LOOKS = 0.1
# How long one may wait for a lock that has not been tried aside yet, and that has.
_LOCK_SECONDS, _LOCK_SECONDS_AGAIN = 0.5, 0.05
_SECONDS_UNTIL_AGAIN = 0.5
_log = structlog.get_logger()


class Aside:
    """The commands set aside, tried in batches of `most` at most."""

    def __init__(self, write: Write, look: Look, names_of: NamesOf, most: int) -> None:
        self._write = write
        self._look = look
        self._names_of = names_of
        self._most = most
        self._waiting: dict[Waiting, frozenset[Name]] = {}
        # Those that had to wait alone, for something that is not known, and when they are tried again.
        self._again: dict[Waiting, float] = {}
        self._seen: Mapping[Name, str] = {}
        self._kept: frozenset[Name] = frozenset()
        self._trying: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether anything waits here."""
        return bool(self._waiting)

    def add(self, waiting: Iterable[Waiting]) -> None:
        """Set these aside."""
        self._waiting |= {each: self._names_of(each.command) for each in waiting}
        if self._trying is None or self._trying.done():
            self._trying = asyncio.create_task(self._try_waiting(), context=contextvars.Context())

    def keep_blocked(self, waiting: list[Waiting]) -> list[Waiting]:
        """Set aside those that need what is known to be kept locked; return the others."""
        if not self._kept and not self._again:
            return waiting
        unknown = {name for each in self._again for name in self._waiting[each] if isinstance(name, OrderKey)}
        blocked = [each for each in waiting if not self._names_of(each.command).isdisjoint(self._kept | unknown)]
        if blocked:
            self.add(blocked)
        return [each for each in waiting if each not in self._waiting]

    async def finish(self) -> None:
        """Return once nothing waits here."""
        if self._trying:
            await self._trying

    async def _try_waiting(self) -> None:
        _log.warning("store.locked", reason="Somebody keeps locked what commands need; others go on meanwhile.")
        while self._waiting:
            if await self._look_twice():
                now = asyncio.get_running_loop().time()
                free = [
                    each
                    for each, names in self._waiting.items()
                    if names.isdisjoint(self._kept) and self._again.get(each, now) <= now
                ]
                for first in range(0, len(free), self._most):
                    await self._try(free[first : first + self._most])
            self._forget_answered()
        self._seen, self._kept = {}, frozenset()

    async def _look_twice(self) -> bool:
        """Find out what one and the same holder keeps locked for a while; return whether the database answers."""
        for _ in range(2):
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS / 2)
            self._forget_answered()
            names = {name for names in self._waiting.values() for name in names}
            before = self._seen
            try:
                self._seen = await self._look(names) if names else {}
            except LockedError:
                self._seen = {}  # a whole table is locked, and what needs another can go on
            except StoreUnavailableError:
                return False
            self._kept = frozenset(name for name, holder in self._seen.items() if before.get(name) == holder)
        return True

    async def _try(self, waiting: Sequence[Waiting]) -> None:
        waiting = [each for each in waiting if not each.given_up]
        if not waiting:
            return
        tried = any(each in self._again for each in waiting)
        try:
            await carry_out(Batch(waiting), self._write, _LOCK_SECONDS_AGAIN if tried else _LOCK_SECONDS)
        except LockedError:
            if len(waiting) > 1:
                half = len(waiting) // 2
                await self._try(waiting[:half])
                await self._try(waiting[half:])
            else:
                self._again[waiting[0]] = asyncio.get_running_loop().time() + _SECONDS_UNTIL_AGAIN

    def _forget_answered(self) -> None:
        for each in [each for each in self._waiting if each.reply.done()]:
            del self._waiting[each]
            self._again.pop(each, None)
