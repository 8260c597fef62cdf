"""Commands that wait to be carried out, each with one deadline for everything: the queue, locks, tries.

A command that is not being carried out by its deadline is given up, and is not carried out afterwards: nothing is done
whose caller has been told that it was not. Of one that is being carried out by then nobody knows what becomes of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from openbooking.booking.command import Command
from openbooking.booking.store import Outcome, StoreUnavailableError
from openbooking.store.exchange import LockedError

# For how long after its deadline a command that is being carried out may still be answered.
_GRACE_SECONDS = 2.0


class Waiting:
    """A command and whoever waits for its reply, `until` that time of the event loop at the longest."""

    def __init__(self, command: Command[Any], until: float) -> None:
        self.command = command
        self.until = until
        loop = asyncio.get_running_loop()
        self.reply: asyncio.Future[Any] = loop.create_future()
        self.given_up = False
        self._begun = False
        self._timer = loop.call_at(until, self._end)
        self.reply.add_done_callback(lambda _: self._timer.cancel())

    def begin(self) -> bool:
        """Whether it is to be carried out now."""
        self._begun = not self.given_up
        return self._begun

    def undo(self) -> None:
        """Nothing was done, so that it waits again."""
        self._begun = False
        if asyncio.get_running_loop().time() >= self.until:
            self._end()

    def settle(self, outcome: Outcome) -> None:
        """Answer it, if anybody waits for that."""
        if self.reply.done():
            return
        if isinstance(outcome, Exception):
            self.reply.set_exception(outcome)
        else:
            self.reply.set_result(outcome)

    def _end(self) -> None:
        loop = asyncio.get_running_loop()
        if not self._begun:
            self.given_up = True
            self.settle(StoreUnavailableError("It could not be begun before its deadline: nothing was done."))
        elif loop.time() < self.until + _GRACE_SECONDS:
            self._timer = loop.call_at(self.until + _GRACE_SECONDS, self._end)
        else:
            self.settle(StoreUnavailableError("It was begun, and the database has not answered by its deadline."))


class Batch:
    """Commands to carry out in one transaction; which they are is settled when it begins."""

    def __init__(self, waiting: Sequence[Waiting]) -> None:
        self.waiting = waiting
        self._begun: list[Waiting] = []

    @property
    def until(self) -> float:
        """When the last of them is given up."""
        return max(each.until for each in self.waiting)

    def begin(self) -> list[Command[Any]]:
        """The commands to carry out now: those that were not given up; to be called at each try."""
        self._begun = [each for each in self.waiting if each.begin()]
        return [each.command for each in self._begun]

    def undo(self) -> None:
        """Nothing was done, so that all wait again."""
        for each in self.waiting:
            each.undo()

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Answer those that `begin` has named last."""
        for each, outcome in zip(self._begun, outcomes, strict=True):
            each.settle(outcome)

    def fail(self, fault: Exception) -> None:
        """Answer all with that fault."""
        for each in self.waiting:
            each.settle(fault)


# Carries out a batch, and waits so many seconds for a lock; raises LockedError if that was too short.
Write: TypeAlias = Callable[[Batch, float], Awaitable[Sequence[Outcome]]]


async def carry_out(batch: Batch, write: Write, lock_seconds: float) -> None:
    """Answer the commands of a batch, whatever becomes of them, or raise LockedError."""
    try:
        outcomes = await write(batch, lock_seconds)
    except LockedError:
        batch.undo()
        raise
    except Exception as fault:  # noqa: BLE001 - whatever went wrong, every caller of the batch is told
        batch.fail(fault)
    else:
        batch.settle(outcomes)
