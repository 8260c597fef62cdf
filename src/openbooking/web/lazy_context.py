"""An asynchronous context manager that several tasks share. The first task that needs it enters it."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from contextvars import Context


class LazyContext:
    """Enters a context manager once, for all tasks that need it.

    Tasks that call `enter` at the same time wait for the same entry. If the entry fails, the next call of `enter` tries
    again.

    Args:
        make: Makes the context manager. It is entered in one task and may be left in another.
    """

    def __init__(self, make: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        self._make = make
        self._entered: AbstractAsyncContextManager[None] | None = None
        self._entry: asyncio.Task[None] | None = None

    async def enter(self) -> None:
        """Enter the context manager unless it is entered; raise what its entry raises."""
        if self._entered is not None:
            return
        if self._entry is None:
            # An empty context: log lines of later work must not have the id of the first request.
            self._entry = asyncio.create_task(self._enter(), context=Context())
        entry = self._entry
        try:
            # If this caller is cancelled, the entry continues for the other callers.
            await asyncio.shield(entry)
        finally:
            if entry.done() and self._entry is entry:
                self._entry = None

    async def exit(self) -> None:
        """Exit the context manager if it was entered. Wait for an entry in progress first."""
        if self._entry is not None:
            await asyncio.wait([self._entry])
            self._entry = None
        entered, self._entered = self._entered, None
        if entered is not None:
            await entered.__aexit__(None, None, None)

    async def _enter(self) -> None:
        context = self._make()
        await context.__aenter__()
        self._entered = context
