"""How much memory the pages of feeds may take in one process, all that are being made or sent together."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from openbooking.openactive.errors import TemporarilyUnavailableError
from openbooking.web.api.feed_pages import Page
from openbooking.web.errors import RETRY_AFTER_SECONDS

MOST_BYTES = 256 * 2**20
# About what the largest usual page takes while it is made: what was read, its JSON, and that compressed.
MAKING_BYTES = 12 * 2**20
_SECONDS = 10.0


class PageMemory:
    """Pages are made only while there is memory for one more; those that are being sent take up memory until they are.

    A page that several are sent at once counts once. Whoever waits longer than `seconds` for memory is refused.
    """

    def __init__(self, most: int = MOST_BYTES, seconds: float = _SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._taken = 0
        self._sent = Counter[int]()
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def for_making(self) -> AsyncIterator[None]:
        """While a page is made; raises TemporarilyUnavailableError if there is no memory for it in time."""
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
    def for_sending(self, page: Page) -> Iterator[None]:
        """While a page that there is already is sent."""
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
        """Take memory for a page that is made, after those that have waited longer."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            if len(self._waiting) > 1:
                await turn
            while self._taken + MAKING_BYTES > self._most:
                turn = self._waiting[0] = asyncio.get_running_loop().create_future()
                await turn
            self._taken += MAKING_BYTES
        finally:
            self._waiting.remove(turn)
            self._call_next()

    def _free(self, size: int) -> None:
        self._taken -= size
        self._call_next()

    def _call_next(self) -> None:
        """Let the one that waits longest look whether there is memory now."""
        if self._waiting and not self._waiting[0].done():
            self._waiting[0].set_result(None)
