"""Reads the open feeds of a Booking System into the catalogue, with a blocking or an asynchronous client.

The feeds are read by `harvest.client`, as imports read theirs. The index is brought up to date between pages, so that
searches find what has been read.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import aclosing
from typing import NamedTuple, TypeVar

import httpx2

from openbooking.broker.catalogue.feeds import FeedKeeper, forget_other_feeds
from openbooking.broker.catalogue.index import Index
from openbooking.broker.store.database import Database
from openbooking.harvest.client import HarvestOptions, harvest, harvest_async
from openbooking.harvest.reader import End
from openbooking.openactive.opportunity_types import TYPE_OF_NAME

PAUSE_SECONDS = 60.0
_Result = TypeVar("_Result")


class FeedEnd(NamedTuple):
    """The end of one reading of a feed.

    Attributes:
        name: The name of the feed.
        pages: The number of pages.
        items: The number of items on these pages.
        fault: Why the reading ended before the end of the feed; empty if it reached the end.
    """

    name: str
    pages: int
    items: int
    fault: str


class FeedProgress(NamedTuple):
    """How far the reading of a feed has come.

    Attributes:
        name: The name of the feed.
        pages: The number of pages so far.
        items: The number of items on these pages.
    """

    name: str
    pages: int
    items: int


OnPage = Callable[[FeedProgress], object]


class Feeds(NamedTuple):
    """The open feeds of a Booking System, and how they are read.

    Attributes:
        system: The URL of the Booking System.
        urls: The URLs of the feeds by name, which begins with the type of their items.
        options: Headers, limits and the clock.
    """

    system: str
    urls: Mapping[str, str]
    options: HarvestOptions = HarvestOptions()

    def in_order(self) -> list[tuple[str, str]]:
        """Return name and URL of each feed, those of parents first, so that few children wait for their parents."""
        return sorted(self.urls.items(), key=lambda feed: (_depth(feed[0]), feed[0]))


def harvest_feeds(
    database: Database, feeds: Feeds, client: httpx2.Client, index: Index, on_page: OnPage | None = None
) -> list[FeedEnd]:
    """Read all feeds to their ends, one after the other, and bring the index up to date.

    Args:
        database: The database.
        feeds: The feeds.
        client: The client that sends the requests.
        index: The index.
        on_page: Called after each page.

    Raises:
        DatabaseError: The database cannot be used.
        LinkError: The URL of a feed is no valid web address.
    """
    _forget(database, feeds)
    ends = []
    for name, url in feeds.in_order():
        pages = items = 0
        for step in harvest(url, FeedKeeper(database, feeds.system, name), client, feeds.options):
            if isinstance(step, End):
                ends.append(FeedEnd(name, pages, items, step.fault))
            else:
                pages, items = pages + 1, items + len(step.page.items)
                if on_page:
                    on_page(FeedProgress(name, pages, items))
    while index.update():
        pass
    index.tidy()
    return ends


def follow_feeds(
    database: Database,
    feeds: Feeds,
    client: httpx2.Client,
    index: Index,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[list[FeedEnd]]:
    """Read all feeds again and again, with a pause between, and yield the ends of each reading."""
    while True:
        yield harvest_feeds(database, feeds, client, index)
        sleep(PAUSE_SECONDS)


class AsyncHarvest:
    """Reads all feeds of a Booking System at once.

    Args:
        database: The database.
        feeds: The feeds.
        client: The client that sends the requests.
        index: The index.
        worker: Runs what blocks, one at a time.
        sleep: Waits for a number of seconds.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - all that it depends on
        self,
        database: Database,
        feeds: Feeds,
        client: httpx2.AsyncClient,
        index: Index,
        worker: Executor,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._feeds = feeds
        self._client = client
        self._index = index
        self._worker = worker
        self._sleep = sleep

    async def read(self, on_page: OnPage | None = None) -> list[FeedEnd]:
        """Read all feeds to their ends, and bring the index up to date.

        Args:
            on_page: Called after each page.

        Raises:
            DatabaseError: The database cannot be used.
            LinkError: The URL of a feed is no valid web address.
        """
        await self._work(lambda: _forget(self._database, self._feeds))
        try:
            async with asyncio.TaskGroup() as tasks:
                read = [tasks.create_task(self._read_feed(name, url, on_page)) for name, url in self._feeds.in_order()]
        except ExceptionGroup as faults:
            # The first fault has ended the reading of all feeds.
            raise faults.exceptions[0] from None
        while await self._work(self._index.update):
            pass
        await self._work(self._index.tidy)
        return [task.result() for task in read]

    async def follow(self) -> AsyncIterator[list[FeedEnd]]:
        """Read all feeds again and again, with a pause between, and yield the ends of each reading."""
        while True:
            yield await self.read()
            await self._sleep(PAUSE_SECONDS)

    async def _read_feed(self, name: str, url: str, on_page: OnPage | None) -> FeedEnd:
        keeper = FeedKeeper(self._database, self._feeds.system, name)
        pages = items = 0
        steps = harvest_async(url, keeper, self._client, self._feeds.options._replace(worker=self._worker))
        async with aclosing(steps):
            async for step in steps:
                if isinstance(step, End):
                    return FeedEnd(name, pages, items, step.fault)
                pages, items = pages + 1, items + len(step.page.items)
                if on_page:
                    on_page(FeedProgress(name, pages, items))
        raise AssertionError("a harvest ends with its end")

    async def _work(self, function: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._worker, function)


def _forget(database: Database, feeds: Feeds) -> None:
    with database.transaction() as transaction:
        forget_other_feeds(transaction, feeds.system, feeds.urls)


def _depth(name: str) -> int:
    type_ = TYPE_OF_NAME.get(name.partition(" ")[0])
    return type_.depth if type_ else 0
