"""The positions up to which Booking Partners have read their feeds, written in the background."""

import asyncio
import contextvars

from openbooking.booking.store import Feed, Store, StoreUnavailableError
from openbooking.clock import Clock
from openbooking.identity.records import FeedPosition
from openbooking.identity.store import IdentityStore


class FeedPositionRecorder:
    """Records how far Booking Partners have read their Orders and OrderProposals feeds.

    A partner that asks for the items after a change number has read all items up to that number. The highest number is
    kept, because a partner may read its feed again from the beginning. Several processes may record positions of one
    feed at the same time.

    Args:
        store: Keeps the positions.
        bookings: The store with the feeds.
        clock: The clock.
    """

    def __init__(self, store: IdentityStore, bookings: Store, clock: Clock) -> None:
        self._store = store
        self._bookings = bookings
        self._clock = clock
        self._recorded: dict[Feed, int] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def record(self, feed: Feed, position: int) -> None:
        """Record in the background that a partner has read its feed up to a change number."""
        if position <= self._recorded.get(feed, 0):
            return
        self._recorded[feed] = position
        # An empty context keeps the details of this request out of the logs of the background task.
        task = asyncio.create_task(self._save(feed, position), context=contextvars.Context())
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def position(self, feed: Feed) -> int:
        """Return the change number up to which the partner has read the feed; 0 if it has read nothing."""
        found = await self._find(feed)
        return found.position if found else 0

    async def wait_until_written(self) -> None:
        """Wait until all recorded positions have been written."""
        while self._writing:
            await asyncio.wait(self._writing)

    async def _save(self, feed: Feed, position: int) -> None:
        try:
            # A number above all numbers of the feed would hide that later changes have not been read.
            if not await self._bookings.feed_items(feed, position - 1, 1):
                self._recorded.pop(feed, None)
                return
            while not await self._try_to_save(feed, position):
                pass
        except StoreUnavailableError:
            # The next request of the partner records the position.
            self._recorded.pop(feed, None)

    async def _try_to_save(self, feed: Feed, position: int) -> bool:
        """Save the position unless a higher one is stored; return False if another process has changed it meanwhile."""
        found = await self._find(feed)
        if found and found.position >= position:
            return True
        return await self._store.save(
            FeedPosition(
                partner=feed.partner,
                feed=feed.name,
                position=position,
                read=self._clock(),
                revision=found.revision if found else 0,
            )
        )

    async def _find(self, feed: Feed) -> FeedPosition | None:
        found = await self._store.find(FeedPosition, partner=feed.partner, feed=feed.name)
        return found[0] if found else None
