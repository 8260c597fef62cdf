"""The limit on the memory that feed pages take in one process: 256 MB for open feeds, and 256 MB for Orders feeds."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from openbooking.openactive.errors import TemporarilyUnavailableError
from openbooking.web.api.feed_pages import Page
from openbooking.web.errors import RETRY_AFTER_SECONDS

MOST_BYTES = 256 * 2**20
# About the memory that the largest usual page takes while it is made: for rows, JSON and compressed JSON.
MAKING_BYTES = 12 * 2**20
_SECONDS = 10.0


class PageMemory:
    """A budget of memory. A page takes a part of the budget while it is made and while it is sent.

    A page that is sent to several clients at once is counted once.

    Args:
        most: The most bytes that all pages together may take.
        seconds: How long a request waits for memory before it is refused.
    """

    def __init__(self, most: int = MOST_BYTES, seconds: float = _SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._taken = 0
        self._sent = Counter[int]()
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def reserve(self) -> AsyncIterator[None]:
        """Reserve the memory to make a page, for the duration of the context. Requests are served in order of arrival.

        Raises:
            TemporarilyUnavailableError: No memory became free within the time limit.
        """
        try:
            async with asyncio.timeout(self._seconds):
                await self._take()
        except TimeoutError as fault:
            raise TemporarilyUnavailableError(
                "Too many pages are being read.", retry_after=RETRY_AFTER_SECONDS
            ) from fault
        try:
            yield
        finally:
            self._free(MAKING_BYTES)

    @contextmanager
    def count_while_sent(self, page: Page) -> Iterator[None]:
        """Count the memory of a finished page, for the duration of the context. Never waits."""
        key, size = id(page.body), len(page.body)
        if not self._sent[key]:
            self._taken += size
        self._sent[key] += 1
        try:
            yield
        finally:
            self._sent[key] -= 1
            if not self._sent[key]:
                del self._sent[key]
                self._free(size)

    async def _take(self) -> None:
        """Wait until memory to make a page is free and no earlier request waits, then take the memory."""
        wakeup = asyncio.get_running_loop().create_future()
        self._waiting.append(wakeup)
        try:
            if len(self._waiting) > 1:
                await wakeup
            while self._taken + MAKING_BYTES > self._most:
                wakeup = self._waiting[0] = asyncio.get_running_loop().create_future()
                await wakeup
            self._taken += MAKING_BYTES
        finally:
            self._waiting.remove(wakeup)
            self._wake_next()

    def _free(self, size: int) -> None:
        self._taken -= size
        self._wake_next()

    def _wake_next(self) -> None:
        """Wake the request that has waited longest, to check for free memory."""
        if self._waiting and not self._waiting[0].done():
            self._waiting[0].set_result(None)
