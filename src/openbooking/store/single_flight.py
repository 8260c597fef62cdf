"""Lets concurrent callers share one lookup."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Shares a lookup among all callers that asked for its key before the lookup began.

    A lookup that has already begun may miss the latest writes. So callers that arrive later share the next lookup.
    Lookups of one key never overlap.
    """

    def __init__(self) -> None:
        self._next: dict[Hashable, asyncio.Task[T]] = {}
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}

    async def get(self, key: Hashable, look_up: Callable[[], Awaitable[T]]) -> T:
        """Return the result of a shared call of `look_up`.

        Args:
            key: Names the lookup. Callers with the same key must pass equivalent functions.
            look_up: Looks the result up.
        """
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
    """Mark the exception of a task as retrieved, so that asyncio logs nothing if every caller was cancelled."""
    if not task.cancelled():
        task.exception()
