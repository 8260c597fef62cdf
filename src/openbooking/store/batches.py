"""The queue before every writer: commands that wait are written as one batch, while the next ones gather."""

import asyncio
import contextvars

from openbooking.booking.command import Command
from openbooking.booking.store import Reply
from openbooking.store.aside import Aside
from openbooking.store.exchange import LockedError
from openbooking.store.waiting import Batch, Waiting, Write, carry_out

# How many commands a batch has at most. Where nobody else writes, the more share a commit the better. Among others
# each batch holds up all who want a row of it, and large ones would follow one another.
ALONE, AMONG_OTHERS = 64, 16
# How long a batch waits for rows of others, who have written theirs in some milliseconds; and how long while it is
# known that somebody keeps rows locked, so that those which want them do not hold up all others again and again.
_LOCK_SECONDS, _LOCK_SECONDS_IN_TROUBLE = 0.5, 0.05


class Batches:
    """Commands waiting for `write`, which is called with one batch after the other, and never waits for one to fill.

    A batch has `most` commands at most. Those of a batch that waits too long for a lock are set `aside`, if that may
    happen.
    """

    def __init__(self, write: Write, most: int, aside: Aside | None = None) -> None:
        self._write = write
        self._most = most
        self._aside = aside
        self._waiting: list[Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    async def execute(self, command: Command[Reply], until: float) -> Reply:
        """The outcome of a command, once the batch with it has been written.

        StoreUnavailableError if it cannot be begun until that time of the event loop, or is not finished soon after.
        """
        waiting = Waiting(command, until)
        self._waiting.append(waiting)
        if self._writing is None or self._writing.done():
            # A batch belongs to no request, and what is logged of it has the id of none.
            self._writing = asyncio.create_task(self._write_waiting(), context=contextvars.Context())
        reply: Reply = await waiting.reply
        return reply

    async def finish(self) -> None:
        """Write what is waiting."""
        if self._writing:
            await self._writing
        if self._aside:
            await self._aside.finish()

    async def _write_waiting(self) -> None:
        while self._waiting:
            first, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            if self._aside:
                first = self._aside.keep_blocked(first)
            if not (batch := [each for each in first if not each.given_up]):
                continue
            in_trouble = self._aside is not None and self._aside.is_busy
            try:
                await carry_out(Batch(batch), self._write, _LOCK_SECONDS_IN_TROUBLE if in_trouble else _LOCK_SECONDS)
            except LockedError:
                assert self._aside  # noqa: S101 - nobody else has rows that are locked
                self._aside.add(batch)
