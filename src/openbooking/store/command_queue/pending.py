"""Commands that wait for their reply, each with one deadline for queueing, waiting for locks, and retries together.

A command that has not begun by its deadline is given up: it is never carried out, and its error says that nothing was
done. A command that has begun by its deadline may still be carried out, so its error does not say so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from openbooking.booking.command import Command
from openbooking.booking.store import Outcome, StoreUnavailableError
from openbooking.store.database import LockedError

# How long after its deadline a command that has begun by then may still be answered.
_GRACE_SECONDS = 2.0
# How many seconds a transaction waits for locks of other transactions, which usually end within milliseconds. The first
# number is for a first try. The second number is for commands that have waited before, and for every batch while any
# command is blocked: otherwise a lock that is held for long would delay all batches.
LOCK_SECONDS, LOCK_SECONDS_AGAIN = 0.5, 0.05


class PendingCommand:
    """A command and the future of its reply.

    Args:
        command: The command.
        until: The deadline, a time of the event loop.
    """

    def __init__(self, command: Command[Any], until: float) -> None:
        self.command = command
        self.until = until
        loop = asyncio.get_running_loop()
        self.reply: asyncio.Future[Any] = loop.create_future()
        self.given_up = False
        self._begun = False
        self._timer = loop.call_at(until, self._on_deadline)
        self.reply.add_done_callback(lambda _: self._timer.cancel())

    def begin(self) -> bool:
        """Mark the command as begun unless it was given up; return whether it has begun."""
        self._begun = not self.given_up
        return self._begun

    def undo(self) -> None:
        """Mark the command as not begun, because its transaction was rolled back; give it up after its deadline."""
        self._begun = False
        if asyncio.get_running_loop().time() >= self.until:
            self._on_deadline()

    def settle(self, outcome: Outcome) -> None:
        """Answer the caller of `CommandQueue.execute` with a reply or an exception, unless it has an answer already."""
        if self.reply.done():
            return
        if isinstance(outcome, Exception):
            self.reply.set_exception(outcome)
        else:
            self.reply.set_result(outcome)

    def _on_deadline(self) -> None:
        loop = asyncio.get_running_loop()
        if not self._begun:
            self.given_up = True
            self.settle(StoreUnavailableError("The command did not begin before its deadline; nothing was done."))
        elif loop.time() < self.until + _GRACE_SECONDS:
            self._timer = loop.call_at(self.until + _GRACE_SECONDS, self._on_deadline)
        else:
            self.settle(StoreUnavailableError("The database did not answer before the deadline of the command."))


class Batch:
    """Pending commands to carry out in one transaction."""

    def __init__(self, waiting: Sequence[PendingCommand]) -> None:
        self.waiting = waiting
        self._begun: list[PendingCommand] = []

    @property
    def until(self) -> float:
        """The latest deadline of the commands, a time of the event loop."""
        return max(each.until for each in self.waiting)

    def begin(self) -> list[Command[Any]]:
        """Mark the commands that were not given up as begun, and return them. Called at each try of the transaction."""
        self._begun = [each for each in self.waiting if each.begin()]
        return [each.command for each in self._begun]

    def undo(self) -> None:
        """Mark all commands as not begun."""
        for each in self.waiting:
            each.undo()

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Answer the commands that the last call of `begin` returned; the outcomes are in the same order."""
        for each, outcome in zip(self._begun, outcomes, strict=True):
            each.settle(outcome)

    def fail(self, fault: Exception) -> None:
        """Answer all commands with the same exception."""
        for each in self.waiting:
            each.settle(fault)


# Carries out a batch. The number is `lock_seconds` of `Database.write`. May raise LockedError.
Write: TypeAlias = Callable[[Batch, float], Awaitable[Sequence[Outcome]]]


async def write_batch(batch: Batch, write: Write, lock_seconds: float) -> None:
    """Carry out a batch and answer its commands.

    Raises:
        LockedError: A lock was not free within `lock_seconds`. The commands have no answer yet.
    """
    try:
        outcomes = await write(batch, lock_seconds)
    except LockedError:
        batch.undo()
        raise
    except Exception as fault:  # noqa: BLE001 - every caller of the batch receives the fault
        batch.fail(fault)
    else:
        batch.settle(outcomes)
