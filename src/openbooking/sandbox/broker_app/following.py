"""What happens in the background: harvest, the Orders feeds at least once a minute (OB-BRK-07), and recovery."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from openbooking.broker import AsyncBroker

from .news import write_news

HARVEST_SECONDS, FOLLOW_SECONDS = 60.0, 10.0
_LOG = logging.getLogger(__name__)


class Follower:
    """Harvests, follows changes and recovers in the background.

    Args:
        broker: The client.
    """

    def __init__(self, broker: AsyncBroker) -> None:
        self._broker = broker
        self._lock = asyncio.Lock()

    async def run(self) -> None:
        """Work until the task is cancelled. Recovery comes first, because a process may have ended in the middle."""
        await asyncio.gather(_repeat(self.follow, FOLLOW_SECONDS), _repeat(self._harvest, HARVEST_SECONDS))

    async def follow(self) -> None:
        """Finish or reverse what is unfinished, and tell Customers what has changed."""
        async with self._lock:
            await self._broker.recover()
            await self._broker.apply_changes(write_news)

    async def _harvest(self) -> None:
        for end in await self._broker.harvest():
            if end.fault:
                _LOG.warning("The feed %s was not read to its end: %s", end.name, end.fault)


async def _repeat(work: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Do something again and again. An error is logged, and does not end the repetition."""
    while True:
        try:
            await work()
        except Exception as fault:  # noqa: BLE001 - the work must go on
            _LOG.warning("The work in the background failed, and is tried again: %r", fault)
        await asyncio.sleep(seconds)
