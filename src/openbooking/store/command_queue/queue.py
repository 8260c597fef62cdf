"""The queue of commands to write. Each batch of commands is one transaction.

While a batch is written, new commands gather in the queue. They are the next batch.
"""

import asyncio
import contextvars

from openbooking.booking.command import Command
from openbooking.booking.store import Reply
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

# How many commands a batch has at most. A large batch shares the cost of its commit among many commands, but holds row
# locks for longer. So batches are smaller on databases where several transactions write at a time.
BATCH_SIZE_ALONE, BATCH_SIZE_SHARED = 64, 16


class CommandQueue:
    """Writes commands in batches, one after the other. A batch is not delayed until it is full.

    Args:
        write: Carries out a batch in one transaction.
        most: How many commands a batch has at most.
        blocked: Takes over the commands of a batch that waited too long for a lock. None if the database locks no rows.
    """

    def __init__(self, write: Write, most: int, blocked: BlockedCommands | None = None) -> None:
        self._write = write
        self._most = most
        self._blocked = blocked
        self._waiting: list[PendingCommand] = []
        self._writing: asyncio.Task[None] | None = None

    async def execute(self, command: Command[Reply], until: float) -> Reply:
        """Carry out a command in the next batch; return its reply once the batch is committed.

        Args:
            command: The command.
            until: The deadline, a time of the event loop.

        Raises:
            StoreUnavailableError: The command had not begun at its deadline, or did not end soon after the deadline.
            OpenBookingError: The command was refused.
        """
        waiting = PendingCommand(command, until)
        self._waiting.append(waiting)
        if self._writing is None or self._writing.done():
            # An empty context: a batch serves several requests, so its log entries carry no request id.
            self._writing = asyncio.create_task(self._write_waiting(), context=contextvars.Context())
        reply: Reply = await waiting.reply
        return reply

    async def finish(self) -> None:
        """Wait until all commands have been answered."""
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
            any_blocked = self._blocked is not None and self._blocked.is_busy
            try:
                await write_batch(Batch(batch), self._write, LOCK_SECONDS_AGAIN if any_blocked else LOCK_SECONDS)
            except LockedError:
                assert self._blocked  # noqa: S101 - without it no rows are locked
                self._blocked.add(batch)
