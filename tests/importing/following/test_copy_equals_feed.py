"""Feeds are followed under faults and stops, and at the end the system publishes exactly what they show.

`make follow` runs this test with 200,000 items.
"""

import asyncio
import json
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from openbooking.booking.store import Feed
from openbooking.harvest.client import async_client
from openbooking.identity.import_records import FollowedFeed
from openbooking.importing.following.feed_follower import Means
from openbooking.importing.following.follow import follow_feeds
from openbooking.importing.following.page_import import FollowOptions
from openbooking.importing.following.progress import Pauses
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.store.sql import SqlStore
from support.feeds.server import serving
from support.http_system import World, open_world
from support.importing.live_provider import SERIES_FEED, SESSION_FEED, LiveProvider
from support.parties import CENTRE

pytestmark = pytest.mark.anyio
_log = logging.getLogger(__name__)

PAUSES = Pauses(at_end=0.05, first=0.01, longest=0.05)


class Machine:
    """A machine whose wall clock is turned, and whose processes are stopped."""

    def __init__(self, world: World, urls: list[str]) -> None:
        self.wrong = timedelta()
        self.told: list[str] = []
        self._world, self._urls = world, urls

    def now(self) -> datetime:
        return datetime.now(UTC) + self.wrong

    async def follow(self, seconds: float) -> None:
        """Follow the feeds for a time, then stop at once."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), async_client() as client:
                await follow_feeds(self._urls, self._means(client))

    async def follow_to_the_end(self) -> None:
        """Follow the feeds until the end of each was reached and nothing waits."""
        since = self.now()
        async with async_client() as client:
            task = asyncio.create_task(follow_feeds(self._urls, self._means(client)))
            while not await self._is_current(since):
                await asyncio.sleep(0.1)
                assert not task.done()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

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

        options = FollowOptions(seller=CENTRE.key)
        return Means(
            self._world.store, self._world.identity, client, self.now, options, PAUSES, self.told.append, sleep
        )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world("sqlite", tmp_path) as opened:
        opened.judged = False
        yield opened


async def read_open_feed(world: World, type_: OpportunityType) -> list[dict[str, Any]]:
    """Return the data of the items in an open feed that an import has published."""
    found: list[dict[str, Any]] = []
    after = 0
    while items := await world.store.feed_items(Feed(type_.feed), after, 500):
        after = items[-1].modified
        found += (json.loads(item.data) for item in items if item.data)
    return [data for data in found if str(data.get("name")).startswith(("Session ", "Series "))]


async def published(world: World) -> dict[str, tuple[str, int]]:
    """Return the series and the spaces of the imported sessions in the open feed, by name."""
    series = {data["@id"]: data["url"] for data in await read_open_feed(world, OpportunityType.SESSION_SERIES)}
    sessions = await read_open_feed(world, OpportunityType.SCHEDULED_SESSION)
    return {data["name"]: (series[data["superEvent"]], data["remainingAttendeeCapacity"]) for data in sessions}


async def test_a_followed_copy_equals_its_feeds_after_faults_and_stops(
    request: pytest.FixtureRequest, world: World
) -> None:
    number = request.config.getoption("--followed")
    provider, chance = LiveProvider(number, 1), random.Random(1)  # noqa: S311 - the same stops again
    began = time.monotonic()
    with serving(provider.answer) as site:
        machine = Machine(world, [site.url + SESSION_FEED, site.url + SERIES_FEED])
        for _ in range(5):
            await machine.follow(chance.uniform(0.2, 2) * max(1, number / 20_000))
            provider.change(number // 100)
            provider.add_series_late()
        await machine.follow_to_the_end()
        read = time.monotonic() - began
        assert await published(world) == provider.sessions()

        provider.change(number // 50)
        provider.drop_deletions()
        machine.wrong = timedelta(days=30)
        await machine.follow(0.5)
        await machine.follow_to_the_end()
        assert await published(world) == provider.sessions()

        machine.wrong = timedelta(days=-30)
        await machine.follow(0.5)
        provider.change(number // 50)
        machine.wrong = timedelta()
        await machine.follow_to_the_end()
        assert await published(world) == provider.sessions()
    assert isinstance(world.store, SqlStore)
    assert await world.store.check_integrity() == []
    assert not [line for line in machine.told if "Error" in line]
    faults = sum(provider.served.values())
    items = sum(feed.items for feed in await machine.feeds())
    _log.warning(
        "%s items: %s sessions equal the feed after %s faults, 5 stops and a clock turned by 30 days; "
        "first end after %.0f s, all %.0f s; %s items imported",
        f"{number:,}",
        f"{len(provider.sessions()):,}",
        faults,
        read,
        time.monotonic() - began,
        f"{items:,}",
    )
