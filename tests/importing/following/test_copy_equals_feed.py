"""Feeds are followed under faults and stops, and at the end the system publishes exactly what they show.

`make follow` runs this test with 200,000 items.
"""

import json
import logging
import random
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from openbooking.booking.store import Feed
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.store.sql import SqlStore
from support.feeds.server import serving
from support.http_system import World, open_world
from support.importing.followers import Machine
from support.importing.live_provider import SERIES_FEED, SESSION_FEED, LiveProvider

pytestmark = pytest.mark.anyio
_log = logging.getLogger(__name__)


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
