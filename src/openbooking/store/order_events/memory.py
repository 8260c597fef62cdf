"""The queue of order events in memory, which ends with the process."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from openbooking.booking.event_queue import QueueFigures, WaitingEvent
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.order_event import AnyOrderEvent


class MemoryEventQueue:
    """The queue of a MemoryStore. One process has it, so the right to tell events is always free."""

    def __init__(self) -> None:
        self._waiting: dict[int, WaitingEvent] = {}
        self._due: dict[int, datetime] = {}
        self._kept_until: datetime | None = None
        self._last = 0

    def add(self, events: Iterable[AnyOrderEvent]) -> None:
        """Add events, unless they are not kept."""
        for event in events:
            if self._kept_until and event.at < self._kept_until:
                self._last += 1
                self._waiting[self._last] = WaitingEvent(self._last, event, attempts=0)

    async def keep_until(self, until: datetime) -> None:
        """Keep the events of all changes up to that time."""
        self._kept_until = until

    async def take_over(self, holder: str, now: datetime, until: datetime) -> bool:
        """Return True."""
        del holder, now, until
        return True

    async def release(self, holder: str) -> None:
        """Do nothing."""

    async def due(self, now: datetime, limit: int) -> Sequence[WaitingEvent]:
        """Return the oldest event of each Order, if it is due."""
        found: dict[OrderKey, WaitingEvent] = {}
        for waiting in self._waiting.values():
            found.setdefault(waiting.event.order, waiting)
        due = [waiting for waiting in found.values() if self._due.get(waiting.number, now) <= now]
        return sorted(due, key=lambda waiting: waiting.number in self._due)[:limit]

    async def remove(self, told: Sequence[WaitingEvent]) -> None:
        """Remove events that have been told."""
        for waiting in told:
            self._waiting.pop(waiting.number, None)
            self._due.pop(waiting.number, None)

    async def postpone(self, failed: WaitingEvent, until: datetime) -> None:
        """Count a failed attempt to tell an event, and postpone the next attempt."""
        self._waiting[failed.number] = failed._replace(attempts=failed.attempts + 1)
        self._due[failed.number] = until

    async def figures(self) -> QueueFigures:
        """Return the figures for the monitoring."""
        waiting = self._waiting.values()
        failing = sum(each.attempts > 0 for each in waiting)
        return QueueFigures(len(waiting), failing, min((each.event.at for each in waiting), default=None))
