"""Tells the code of an embedder of order events after their commit, each at least once (`on_committed`).

One process tells events at a time, one event after the other. An event is removed from the queue of the store after
`on_committed` has returned. So events are told again after a crash, and none is lost. If `on_committed` raises an
exception, the event is told again later, and the later events of its Order wait. Events of other Orders go on.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from secrets import token_hex
from time import monotonic

import structlog

from openbooking.booking.event_queue import EventQueue, WaitingEvent
from openbooking.booking.model.order_event import AnyOrderEvent
from openbooking.booking.store import StoreUnavailableError
from openbooking.clock import Clock

Tell = Callable[[AnyOrderEvent], Awaitable[None]]

# How long `on_committed` may take for one event.
CALL_SECONDS = 30.0
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
_LONGEST_PAUSE_SECONDS = 600
_log = structlog.get_logger()


def pause_after(attempts: int) -> timedelta:
    """Return the pause after a failed attempt: a second, doubled with each attempt, and ten minutes at most."""
    return timedelta(seconds=min(2 ** min(attempts - 1, 16), _LONGEST_PAUSE_SECONDS))


class EventDelivery:
    """Tells events of a queue, in one task of a process.

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
                await asyncio.sleep(pause)
        finally:
            with suppress(StoreUnavailableError):
                await self._queue.release(self._holder)

    async def tell_due(self) -> int:
        """Tell the events that are due, at most one page; return how many calls were made."""
        began, calls, told = monotonic(), 0, list[WaitingEvent]()
        page = await self._queue.due(self._clock(), _PAGE)
        try:
            for waiting in page:
                calls += 1
                if await self._call(waiting):
                    told.append(waiting)
                if monotonic() - began > _PAGE_SECONDS:
                    break
        finally:
            if told:
                await self._queue.remove(told)
        return calls

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

    async def _call(self, waiting: WaitingEvent) -> bool:
        """Tell one event; return whether it was told. A failure is logged, and the event is told again later."""
        try:
            async with asyncio.timeout(self._call_seconds):
                await self._tell(waiting.event)
        except (Exception, asyncio.CancelledError):  # a fault of the embedder must not affect other events
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            attempts = waiting.attempts + 1
            pause = pause_after(attempts)
            _log.exception(
                "on_committed.failed",
                event_id=waiting.event.id,
                event_type=type(waiting.event).__name__,
                order=waiting.event.order.uuid,
                attempts=attempts,
                again_in_seconds=int(pause.total_seconds()),
            )
            await self._queue.postpone(waiting, self._clock() + pause)
            return False
        return True


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
