"""Tests of the pages of feeds, for store authors to inherit."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.store import ORDERS, Feed, Store
from openbooking.openactive.rpde import Item, is_full
from openbooking.testing.rules import rule
from openbooking.testing.samples import ALICE, BOB, MANAGER, SESSIONS, Clock, book, cancel, fresh, session
from openbooking.testing.store_case import StoreTestCase

_SIZES = (10, 10, 5_000, 10, 150_000, 30_000, 10, 10, 3_000, 90_000, 10, 10)


@rule("Feed pages")
class FeedPageTests(StoreTestCase):
    """Part of `StoreTests`: the bounds of feed pages, and the change numbers of items."""

    def test_pages_end_at_their_bounds_and_leave_nothing_out(self, tmp_path: Path) -> None:
        """For any bounds, the pages together contain all items, and a page ends with the item that reaches a bound."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock()) as store:
                for number, size in enumerate(_SIZES):
                    series, made = session(f"item-{number}", 5)
                    described = replace(made, properties={"description": "x" * size})
                    await store.execute(Publish((series, described), actor=MANAGER))
                whole = await store.feed_items(SESSIONS, 0, 1_000, 10**9)
                assert len(whole) == len(_SIZES)
                for limit in (1, 5, 500):
                    for most_bytes in (1, 4_000, 50_000, 300_000):
                        pages = await _pages(store, limit, most_bytes)
                        assert [item for page in pages for item in page] == list(whole)
                        for page in pages:
                            assert not is_full(page[:-1], limit, most_bytes)
                            assert page is pages[-1] or is_full(page, limit, most_bytes)

        asyncio.run(run())

    def test_change_numbers_are_those_of_the_items_in_the_feed(self, tmp_path: Path) -> None:
        """An unknown item has no number, and neither has an item of another Booking Partner."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=9) as store:
                first, second, bobs = fresh(), fresh(), fresh()
                for uuid, caller in ((first, ALICE), (second, ALICE), (bobs, BOB)):
                    await store.execute(book(uuid, "yoga", caller=caller))
                    await store.execute(cancel(uuid, 1, caller=caller))
                feed = Feed(ORDERS, "alice")
                items = {item.id: item.modified for item in await store.feed_items(feed, 0, 9)}
                assert items.keys() == {first, second}
                assert await store.change_numbers(feed, {first, second, bobs, fresh()}) == items
                assert await store.change_numbers(feed, [second]) == {second: items[second]}
                assert await store.change_numbers(feed, ()) == {}

        asyncio.run(run())


async def _pages(store: Store, limit: int, most_bytes: int) -> list[list[Item]]:
    pages: list[list[Item]] = []
    after = 0
    while page := list(await store.feed_items(SESSIONS, after, limit, most_bytes)):
        pages.append(page)
        after = page[-1].modified
    return pages
