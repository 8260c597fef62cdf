"""Tells the code of an embedder of order events after their commit, each at least once (`on_committed`).

One process tells events at a time. It makes several calls at once, each for another Order, so a call that hangs holds
up its own Order only. An event is removed from the queue of the store after `on_committed` has returned. So events are
told again after a crash, and none is lost. If `on_committed` raises an exception, the event is told again later, and
the later events of its Order wait.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from secrets import token_hex
from time import monotonic
from typing import NamedTuple

import structlog

from openbooking.booking.event_queue import EventQueue, WaitingEvent
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.order_event import AnyOrderEvent
from openbooking.booking.store import StoreUnavailableError
from openbooking.clock import Clock

Tell = Callable[[AnyOrderEvent], Awaitable[None]]

# How long `on_committed` may take for one event.
CALL_SECONDS = 30.0
# How long calls may take to end after they were cancelled.
STOP_SECONDS = 5.0
# How long events are kept while no process tells them.
KEPT_FOR = timedelta(days=30)
# If the process that tells events is killed, another process tells them after this time.
_HELD_FOR = timedelta(seconds=60)
_RENEW_SECONDS = 20.0
_KEEP_SECONDS = 3600.0
_LOOK_SECONDS = 0.25
_LOOK_AGAIN_SECONDS = 2.0
_PAGE = 50
# After this time the told events of a page are removed, so that few events are told again after a crash.
_PAGE_SECONDS = 1.0
# The largest number of calls at a time.
_MOST_CALLS = 16
# The largest number of these calls for events with which `on_committed` has failed before. So new events of other
# Orders are told at once, however many calls hang again and again.
_MOST_REPEATS = 8
_LONGEST_PAUSE_SECONDS = 600
_log = structlog.get_logger()


def pause_after(attempts: int) -> timedelta:
    """Return the pause after a failed attempt: a second, doubled with each attempt, and ten minutes at most."""
    return timedelta(seconds=min(2 ** min(attempts - 1, 16), _LONGEST_PAUSE_SECONDS))


class _Call(NamedTuple):
    """A call of `on_committed` for an event, which runs or has ended."""

    waiting: WaitingEvent
    task: asyncio.Task[None]


class EventDelivery:
    """Tells events of a queue, by one process at a time.

    Args:
        queue: The queue of the store.
        tell: The code of the embedder.
        clock: Returns the current time.
        call_seconds: How long one call may take. Afterwards it has failed.
    """

    def __init__(self, queue: EventQueue, tell: Tell, clock: Clock, call_seconds: float = CALL_SECONDS) -> None:
        self._queue = queue
        self._tell = tell
        self._clock = clock
        self._call_seconds = call_seconds
        self._holder = token_hex(8)
        self._held = self._kept = -_KEEP_SECONDS
        # An Order stays here until the queue knows how its call has ended, so that no event is told by two calls.
        self._calls: dict[OrderKey, _Call] = {}

    async def begin(self) -> None:
        """Let the store keep events from now on.

        Raises:
            StoreUnavailableError: The database does not answer.
        """
        await self._queue.keep_until(self._clock() + KEPT_FOR)
        self._kept = monotonic()

    async def run(self) -> None:
        """Tell events until the task is cancelled. A call that is cancelled is made again by the next process."""
        try:
            while True:
                pause = await self._step()
                if running := self._running():
                    await asyncio.wait(running, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await asyncio.sleep(pause)
        finally:
            with suppress(StoreUnavailableError):
                await self._stop()
                await self._queue.release(self._holder)

    async def tell_due(self) -> int:
        """Make calls for the events that are due, at most one page; return the number of calls that were begun.

        Calls that take longer than a second go on, and are looked at again by the next `tell_due`.
        """
        await self._settle()
        until, begun = monotonic() + _PAGE_SECONDS, set[asyncio.Task[None]]()
        page = await self._queue.due(self._clock(), _PAGE + len(self._calls))
        left = [waiting for waiting in page if waiting.event.order not in self._calls]
        while monotonic() < until:
            left = [waiting for waiting in left if not self._begin(waiting, begun)]
            running = self._running()
            if not begun & running:
                break
            await asyncio.wait(running, timeout=until - monotonic(), return_when=asyncio.FIRST_COMPLETED)
        await self._settle()
        return len(begun)

    async def _step(self) -> float:
        """Tell the next page, if this process has the right to; return the seconds until the next step."""
        try:
            if monotonic() - self._kept >= _KEEP_SECONDS:
                await self.begin()
            if not await self._holds():
                return _LOOK_AGAIN_SECONDS
            return 0 if await self.tell_due() else _LOOK_SECONDS
        except StoreUnavailableError as fault:
            _log.warning("on_committed.postponed", reason=str(fault))
        except Exception:  # noqa: BLE001 - delivery must continue after any fault
            _log.exception("on_committed.not_delivered")
        return _LOOK_AGAIN_SECONDS

    async def _holds(self) -> bool:
        if monotonic() - self._held < _RENEW_SECONDS:
            return True
        began, now = monotonic(), self._clock()
        if await self._queue.take_over(self._holder, now, now + _HELD_FOR):
            self._held = began
            return True
        return False

    def _running(self) -> set[asyncio.Task[None]]:
        return {call.task for call in self._calls.values() if not call.task.done()}

    def _begin(self, waiting: WaitingEvent, begun: set[asyncio.Task[None]]) -> bool:
        """Begin the call for an event and add it to `begun`; return False if as many calls run as may run."""
        running = self._running()
        repeats = sum(call.waiting.attempts > 0 for call in self._calls.values() if call.task in running)
        if len(running) >= _MOST_CALLS or (waiting.attempts and repeats >= _MOST_REPEATS):
            return False
        task = asyncio.create_task(self._call(waiting.event))
        self._calls[waiting.event.order] = _Call(waiting, task)
        begun.add(task)
        return True

    async def _call(self, event: AnyOrderEvent) -> None:
        try:
            async with asyncio.timeout(self._call_seconds):
                await self._tell(event)
        except SystemExit as fault:
            raise RuntimeError("on_committed has called sys.exit.") from fault

    async def _settle(self) -> None:
        """Remove the events whose calls have ended from the queue, or postpone them if `on_committed` has failed."""
        ended = [call for call in self._calls.values() if call.task.done()]
        if told := [call.waiting for call in ended if _failure_of(call.task) is None]:
            await self._queue.remove(told)
        for call in ended:
            # An exception may be false, for example because it has a length of 0.
            if (failure := _failure_of(call.task)) is not None:
                await self._postpone(call.waiting, failure)
            del self._calls[call.waiting.event.order]

    async def _postpone(self, waiting: WaitingEvent, failure: BaseException) -> None:
        attempts = waiting.attempts + 1
        pause = pause_after(attempts)
        await self._queue.postpone(waiting, self._clock() + pause)
        _log.error(
            "on_committed.failed",
            event_id=waiting.event.id,
            event_type=type(waiting.event).__name__,
            order=waiting.event.order.uuid,
            attempts=attempts,
            again_in_seconds=int(pause.total_seconds()),
            exc_info=failure,
        )

    async def _stop(self) -> None:
        """Cancel the calls that run, and note how the others have ended.

        A call that ignores its cancellation is not waited for. The next process tells its event again.
        """
        running = self._running()
        for task in running:
            task.cancel()
        if running:
            _, ignoring = await asyncio.wait(running, timeout=STOP_SECONDS)
            if ignoring:
                _log.warning("on_committed.not_stopped", calls=len(ignoring))
        self._calls = {
            order: call
            for order, call in self._calls.items()
            if call.task.done() and not (call.task in running and call.task.cancelled())
        }
        await self._settle()


def _failure_of(task: asyncio.Task[None]) -> BaseException | None:
    """Return the exception with which a call has ended; None if the event was told."""
    return asyncio.CancelledError() if task.cancelled() else task.exception()


@asynccontextmanager
async def deliver_events(queue: EventQueue, tell: Tell, clock: Clock) -> AsyncIterator[None]:
    """Tell events for the duration of the context.

    Raises:
        StoreUnavailableError: The database does not answer.
    """
    delivery = EventDelivery(queue, tell, clock)
    await delivery.begin()
    task = asyncio.create_task(delivery.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
