"""Lookups that concurrent callers share."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Shares each lookup among the callers that asked for its key before the lookup began.

    A lookup that has already begun may miss the latest writes, so later callers share the next one. Lookups of one key
    never overlap.
    """

    def __init__(self) -> None:
        self._next: dict[Hashable, asyncio.Task[T]] = {}
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}

    async def get(self, key: Hashable, look_up: Callable[[], Awaitable[T]]) -> T:
        """Return the result of `look_up`, which must find the same for every caller with this key."""
        task = self._next.get(key)
        if task is None:
            task = asyncio.create_task(self._look_up(key, look_up), context=contextvars.Context())
            task.add_done_callback(_retrieve_exception)
            self._next[key] = task
        return await asyncio.shield(task)

    async def _look_up(self, key: Hashable, look_up: Callable[[], Awaitable[T]]) -> T:
        if before := self._under_way.get(key):
            await asyncio.wait([before])
        self._under_way[key] = self._next.pop(key)
        try:
            return await look_up()
        finally:
            del self._under_way[key]


def _retrieve_exception(task: asyncio.Task[T]) -> None:
    """Mark the exception as retrieved, also if every caller was cancelled."""
    if not task.cancelled():
        task.exception()
