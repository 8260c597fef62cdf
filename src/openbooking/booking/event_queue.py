"""The queue in which a store keeps order events until `on_committed` has been told of them.

A store adds `ChangeSet.events` to its queue in the transaction that writes the changes. `openbooking.event_delivery`
takes them out.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

from openbooking.booking.model.order_event import AnyOrderEvent


class WaitingEvent(NamedTuple):
    """An event that waits to be told.

    Attributes:
        number: The place of the event in the queue.
        event: The event.
        attempts: How often `on_committed` has failed with this event.
    """

    number: int
    event: AnyOrderEvent
    attempts: int


class QueueFigures(NamedTuple):
    """Figures for the monitoring of the queue.

    Attributes:
        waiting: The number of events that wait to be told.
        failing: The number of those with which `on_committed` has failed.
        oldest: The time of the oldest event that waits; None if there is none.
    """

    waiting: int
    failing: int
    oldest: datetime | None


class EventQueue(Protocol):
    """The order events of a store that have not been told. Several processes may use the queue."""

    async def keep_until(self, until: datetime) -> None:
        """Keep the events of all changes up to that time, in every process. Before the first call none are kept."""
        ...

    async def take_over(self, holder: str, now: datetime, until: datetime) -> bool:
        """Take or renew the right to tell events; return False if another holder has the right.

        A right that lasts for days was taken before a clock was turned back, and has ended.

        Args:
            holder: The name of the caller. A holder that calls again keeps the right.
            now: The current time.
            until: When the right ends, unless it is renewed.
        """
        ...

    async def release(self, holder: str) -> None:
        """Give up the right to tell events, if this holder has it."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[WaitingEvent]:
        """Return the next events to tell: new ones by age, and then those that were postponed and are due again.

        They are committed, and survive a failover. At most one event of each Order is returned: its oldest one, unless
        that is postponed.
        """
        ...

    async def remove(self, told: Sequence[WaitingEvent]) -> None:
        """Remove events that have been told."""
        ...

    async def postpone(self, failed: WaitingEvent, until: datetime) -> None:
        """Count a failed attempt to tell an event. Until then `due` returns no event of its Order."""
        ...

    async def figures(self) -> QueueFigures:
        """Return the figures for the monitoring."""
        ...


@runtime_checkable
class StoreWithEvents(Protocol):
    """A store that keeps order events; `openbooking.testing.EventTests` shows whether it does so correctly."""

    @property
    def events(self) -> EventQueue:
        """The queue of events."""
        ...
