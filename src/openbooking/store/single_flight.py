"""Lookups made once for all who ask for the same at the same time."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Lookups of one kind. Those who ask for the same share one that begins after they asked.

    One that has begun may have seen less than whoever asks now must see, so the next is waited for; of the same lookup
    there is never more than one under way.
    """

    def __init__(self) -> None:
        self._next: dict[Hashable, asyncio.Task[T]] = {}
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}

    async def get(self, key: Hashable, look_up: Callable[[], Awaitable[T]]) -> T:
        """What `look_up` finds; it must be the same for everybody who gives this key."""
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
    """Whoever asked has heard of a fault, or has gone."""
    if not task.cancelled():
        task.exception()
