"""The queue before every writer: commands that wait are written as one batch, while the next ones gather."""

import asyncio
import contextvars

from openbooking.booking.command import Command, Reply
from openbooking.store.command_queue.blocked import BlockedCommands
from openbooking.store.command_queue.pending import (
    LOCK_SECONDS,
    LOCK_SECONDS_AGAIN,
    Batch,
    PendingCommand,
    Write,
    write_batch,
)
from openbooking.store.database import LockedError

# How many commands a batch has at most. Where nobody else writes, the more share a commit the better. Among others
# each batch holds up all who want a row of it, and large ones would follow one another.
BATCH_SIZE_ALONE, BATCH_SIZE_SHARED = 64, 16


class CommandQueue:
    """Commands waiting for `write`, which is called with one batch after the other, and never waits for one to fill.

    A batch has `most` commands at most. Those of a batch that waits too long for a lock are set `blocked`, if that may
    happen.
    """

    def __init__(self, write: Write, most: int, blocked: BlockedCommands | None = None) -> None:
        self._write = write
        self._most = most
        self._blocked = blocked
        self._waiting: list[PendingCommand] = []
        self._writing: asyncio.Task[None] | None = None

    async def execute(self, command: Command, until: float) -> Reply:
        """The outcome of a command, once the batch with it has been written.

        StoreUnavailableError if it cannot be begun until that time of the event loop, or is not finished soon after.
        """
        waiting = PendingCommand(command, until)
        self._waiting.append(waiting)
        if self._writing is None or self._writing.done():
            # A batch belongs to no request, and what is logged of it has the id of none.
            self._writing = asyncio.create_task(self._write_waiting(), context=contextvars.Context())
        return await waiting.reply

    async def finish(self) -> None:
        """Write what is waiting."""
        if self._writing:
            await self._writing
        if self._blocked:
            await self._blocked.finish()

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            if self._blocked:
                batch = self._blocked.take_blocked(batch)
            if not (batch := [each for each in batch if not each.given_up]):
                continue
            in_trouble = self._blocked is not None and self._blocked.is_busy
            try:
                await write_batch(Batch(batch), self._write, LOCK_SECONDS_AGAIN if in_trouble else LOCK_SECONDS)
            except LockedError:
                assert self._blocked  # noqa: S101 - nobody else has rows that are locked
                self._blocked.add(batch)
