"""Processes that follow feeds, on a machine whose clock is turned."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import httpx2

from openbooking.harvest.client import async_client
from openbooking.identity.import_records import FollowedFeed
from openbooking.importing.following.feed_follower import Means
from openbooking.importing.following.follow import follow_feeds
from openbooking.importing.following.page_import import FollowOptions
from openbooking.importing.following.progress import Pauses
from support.http_system import World
from support.parties import CENTRE

PAUSES = Pauses(at_end=0.05, first=0.01, longest=0.05)
BY_CENTRE = FollowOptions(seller=CENTRE.key)


class Machine:
    """A machine whose wall clock is turned, and whose processes are stopped."""

    def __init__(self, world: World, urls: list[str], options: FollowOptions = BY_CENTRE) -> None:
        self.wrong = timedelta()
        self.told: list[str] = []
        self._world, self._urls = world, urls
        self._options = options

    def now(self) -> datetime:
        return datetime.now(UTC) + self.wrong

    async def follow(self, seconds: float) -> None:
        """Follow the feeds for a time, then stop at once."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), async_client() as client:
                await follow_feeds(self._urls, self._means(client))

    async def follow_until(self, is_done: Callable[[], Awaitable[bool]]) -> None:
        """Follow the feeds until something is true."""
        async with async_client() as client:
            task = asyncio.create_task(follow_feeds(self._urls, self._means(client)))
            while not await is_done():
                await asyncio.sleep(0.02)
                assert not task.done()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def follow_until_first(self, **wanted: object) -> FollowedFeed:
        """Follow the feeds until the first one has these values, and return it."""

        async def is_done() -> bool:
            feeds = await self.feeds()
            return bool(feeds) and all(getattr(feeds[0], name) == value for name, value in wanted.items())

        await self.follow_until(is_done)
        return (await self.feeds())[0]

    async def follow_to_the_end(self) -> None:
        """Follow the feeds until the end of each was reached and nothing waits."""
        since = self.now()
        await self.follow_until(lambda: self._is_current(since))

    async def feeds(self) -> list[FollowedFeed]:
        return list(await self._world.identity.find(FollowedFeed))

    async def _is_current(self, since: datetime) -> bool:
        feeds = await self.feeds()
        return len(feeds) == len(self._urls) and all(
            feed.current_at and since < feed.current_at <= self.now() and not feed.waiting and not feed.rereads
            for feed in feeds
        )

    def _means(self, client: httpx2.AsyncClient) -> Means:
        async def sleep(seconds: float) -> None:
            await asyncio.sleep(min(seconds, PAUSES.longest))

        return Means(
            self._world.store, self._world.identity, client, self.now, self._options, PAUSES, self.told.append, sleep
        )
