"""The queue before every writer: commands that wait are written as one batch, while the next ones gather."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence

from openbooking.booking.command import Command, Reply
from openbooking.booking.store import Outcome

# How many commands a batch has at most. Where nobody else writes, the more share a commit the better. Among others
# each batch holds up all who want a row of it, and large ones would follow one another.
ALONE, AMONG_OTHERS = 64, 16


class Batches:
    """Commands waiting for `write`, which is called with one batch after the other, and never waits for one to fill.

    A batch has `most` commands at most.
    """

    def __init__(self, write: Callable[[Sequence[Command]], Awaitable[Sequence[Outcome]]], most: int) -> None:
        self._write = write
        self._most = most
        self._waiting: list[tuple[Command, asyncio.Future[Reply]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def execute(self, command: Command) -> Reply:
        """The outcome of a command, once the batch with it has been written."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, future))
        if self._writing is None or self._writing.done():
            # A batch belongs to no request, and what is logged of it has the id of none.
            self._writing = asyncio.create_task(self._write_waiting(), context=contextvars.Context())
        return await future

    async def finish(self) -> None:
        """Write what is waiting."""
        if self._writing:
            await self._writing

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            outcomes: Sequence[Outcome]
            try:
                outcomes = await self._write([command for command, _ in batch])
            except Exception as fault:  # noqa: BLE001 - whatever went wrong, every caller of the batch is told
                outcomes = [fault] * len(batch)
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.done():
                    continue
                if isinstance(outcome, Exception):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)
