"""The task that follows one feed: reads it to its end, imports each page, and tries again later."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
from typing import NamedTuple

import httpx2
import msgspec
import structlog
from msgspec.structs import replace

from openbooking.booking.store import Store, StoreUnavailableError
from openbooking.harvest.client import HarvestOptions, harvest_async
from openbooking.harvest.documents import Page
from openbooking.harvest.reader import End, Limits, Received
from openbooking.identity.import_records import FollowedFeed
from openbooking.identity.store import IdentityStore
from openbooking.importing.errors import ImportRefusedError
from openbooking.importing.following.missing import withdraw_missing
from openbooking.importing.following.page_import import FollowOptions, import_part, parts_of
from openbooking.importing.following.progress import (
    Pauses,
    after_fault,
    after_page,
    at_end,
    must_read_again,
    read_again,
    seconds_to_wait,
    with_report,
)
from openbooking.importing.following.waiting_room import WaitingRoom, name_of
from openbooking.importing.reading.source import Source
from openbooking.user_error import UserError

# Each fault ends a reading: the follower chooses the pauses, and stores when it will try again.
_LIMITS = Limits(attempts=1)
# Items that wait are tried after so many pages, and at the end of the feed.
_PAGES_BETWEEN = 20
_log = structlog.get_logger()

Tell = Callable[[str], None]


class FollowedElsewhereError(UserError):
    """Another process follows the feed, too."""


class Means(NamedTuple):
    """The means that all followers of a process share.

    Attributes:
        store: The store to publish in.
        records: The store of the progress.
        client: The client that sends the requests.
        clock: Returns the time, with its zone.
        options: The options of the import.
        pauses: The pauses between attempts.
        tell: Receives a line about each page and each fault.
        sleep: Waits for a number of seconds.
    """

    store: Store
    records: IdentityStore
    client: httpx2.AsyncClient
    clock: Callable[[], datetime]
    options: FollowOptions
    pauses: Pauses
    tell: Tell
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep


class _Cursor:
    """Tells the reader where to resume. The follower stores the cursor itself, after the import of each page."""

    def __init__(self, url: str) -> None:
        self._url = url

    def start(self, url: str, now: datetime) -> str:
        """Return the URL at which the reading resumes."""
        del url, now
        return self._url

    def add(self, url: str, page: Page, cursor: str, *, current_at: datetime | None = None) -> None:
        """Do nothing."""


class FeedFollower:
    """Follows one feed.

    Args:
        url: The URL of the feed.
        source: The source of the feed.
        means: The means of all followers.
    """

    def __init__(self, url: str, source: Source, means: Means) -> None:
        self._url = url
        self._source = source
        self._means = means
        self._feed = FollowedFeed(source=source.name, since=means.clock(), seller=means.options.seller)
        self._room = WaitingRoom(means.records, source)
        # During a second reading of the feed: the names of its items, and the paths of what was published.
        self._items: set[str] = set()
        self._paths: set[str] = set()

    async def run(self) -> None:
        """Follow the feed until the task is cancelled.

        Raises:
            FollowedElsewhereError: Another process follows the feed, too.
            ImportRefusedError: The Seller does not exist.
        """
        await self._open()
        while True:
            await self._means.sleep(seconds_to_wait(self._feed, self._means.clock()))
            try:
                await self._read()
            except (FollowedElsewhereError, ImportRefusedError):
                raise
            except StoreUnavailableError as fault:
                self._means.tell(f"{self._source.name}: {fault}")
                await self._means.sleep(self._means.pauses.first)
            except UserError as fault:
                await self._note_fault(str(fault))
            except Exception as fault:  # noqa: BLE001 - a fault of one feed must not stop the others
                _log.exception("import.failed", feed=self._source.name)
                await self._note_fault(f"{type(fault).__name__} {fault}")

    async def _open(self) -> None:
        """Find how far the feed was read by an earlier run. A second reading that was interrupted begins again."""
        stored = await self._means.records.find(FollowedFeed, source=self._source.name)
        if stored:
            self._feed = replace(stored[0], seller=self._means.options.seller)
            if self._feed.rereads or self._means.options.again:
                self._feed = read_again(self._feed, self._means.clock())
        await self._save()
        await self._room.open()

    async def _save(self) -> None:
        """Store the progress. Raise FollowedElsewhereError if another process has stored it meanwhile."""
        self._feed = replace(self._feed, waiting=len(self._room))
        if not await self._means.records.save(self._feed):
            raise FollowedElsewhereError(f"Another process follows {self._source.name}, too. This one has stopped.")
        self._feed = replace(self._feed, revision=self._feed.revision + 1)

    async def _read(self) -> None:
        """Read the feed from the cursor to its end, or to a fault."""
        now = self._means.clock()
        if must_read_again(self._feed, now):
            self._items, self._paths = set(), set()
            self._feed = read_again(self._feed, now)
        await self._import_waiting()
        if self._room.is_full:
            await self._note_fault(f"{len(self._room):,} items wait for their parents; the feed is not read on")
            return
        harvest_options = HarvestOptions(limits=_LIMITS, clock=self._means.clock)
        cursor = _Cursor(self._feed.cursor)
        async with aclosing(harvest_async(self._url, cursor, self._means.client, harvest_options)) as steps:
            async for step in steps:
                if isinstance(step, End):
                    await self._end(step)
                elif not await self._import_page(step):
                    return

    async def _end(self, step: End) -> None:
        if step.fault:
            await self._note_fault(step.fault, step.retry_after)
            return
        if self._feed.rereads:
            gone = await withdraw_missing(self._means.store, self._source, self._items, self._paths)
            self._means.tell(f"{self._source.name}: read again to its end; {gone:,} Opportunities are no longer in it.")
            self._items, self._paths = set(), set()
        await self._import_waiting()
        self._feed = at_end(self._feed, self._means.clock(), self._means.pauses)
        await self._save()

    async def _import_page(self, step: Received) -> bool:
        """Import a page, and store the cursor after it. Return whether the feed may be read on."""
        await self._room.drop(step.page.items)
        for page in parts_of(step.page):
            await self._import_part(step.found_at, page)
        self._feed = after_page(self._feed, step.url, step.cursor, len(step.page.items), self._means.clock())
        if self._feed.pages % _PAGES_BETWEEN == 0:
            await self._import_waiting()
        await self._save()
        return not self._room.is_full

    async def _import_part(self, url: str, page: Page) -> None:
        """Import a part of a page, and let the items without a parent wait."""
        now = self._means.clock()
        part = await import_part(self._means.store, self._source, url, page, self._means.options, now)
        await self._room.put(part.waiting, page.items, now)
        self._feed = with_report(self._feed, part.report)
        self._means.tell(f"{self._source.name}: {part.report.summary()}")
        if self._feed.rereads:
            names = (name_of(item, self._source) for item in page.items)
            self._items |= {self._source.item(name.kind, name.id) for name in names if name}
            self._paths |= part.report.paths

    async def _import_waiting(self) -> None:
        """Import the items whose parents are stored now, and give up those that have waited for too long."""
        for record in await self._room.take(self._means.store):
            page = Page([msgspec.Raw(item.encode()) for item in record.items], is_rpde=True)
            await self._import_part(self._source.name, page)
            await self._room.remove(record.batch)
        late = await self._room.expire(self._means.clock())
        if late:
            self._feed = replace(self._feed, not_imported=self._feed.not_imported + late)
            self._means.tell(f"{self._source.name}: {late:,} items have waited for their parents for too long.")

    async def _note_fault(self, fault: str, asked: float | None = None) -> None:
        """Store a fault and the time of the next attempt."""
        now = self._means.clock()
        self._feed = after_fault(self._feed, fault, now, self._means.pauses, asked)
        seconds = seconds_to_wait(self._feed, now)
        self._means.tell(f"{self._source.name}: {fault}. The next attempt is in {seconds:,.0f} seconds.")
        await self._save()
