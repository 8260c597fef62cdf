"""Tests of a feed that is read while several processes write, for store authors to inherit."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.order import OrderKey
from openbooking.booking.store import ORDERS, Feed, Store
from openbooking.openactive.rpde import Item
from openbooking.testing.processes import Channel, run_in_processes
from openbooking.testing.rules import rule
from openbooking.testing.samples import MANAGER, SESSIONS, Clock, book, fresh, session
from openbooking.testing.store_case import StoreTestCase

_FEEDS = (SESSIONS, Feed(ORDERS, "alice"))
_PAGE = 20
_SMALL_WRITERS = 2
_SMALL_CHANGES = 20
_LARGE_PUBLICATION = 150
_DESCRIPTION_BYTES = 10_000


@rule("Change numbers")
class FollowerTests(StoreTestCase):
    """Part of `DurableStoreTests`: change numbers."""

    def test_a_follower_of_a_feed_misses_nothing_while_several_processes_write(self, tmp_path: Path) -> None:
        """Short transactions commit while long transactions, which may have taken lower numbers, are still open."""

        async def run() -> None:
            keys = [f"small-{number}" for number in range(_SMALL_WRITERS)]
            async with self.stocked(tmp_path, Clock(), **dict.fromkeys(keys, 1_000_000)):
                pass
            works = [partial(self.book_and_cancel, tmp_path, key) for key in keys]
            writing = asyncio.create_task(
                asyncio.to_thread(run_in_processes, self, *works, partial(self.publish_much, tmp_path))
            )
            async with self.opened(tmp_path, Clock()) as store:
                copies = await asyncio.gather(*(_follow(store, feed, writing) for feed in _FEEDS))
            await writing
            async with self.opened(tmp_path, Clock()) as store:
                for feed, copy in zip(_FEEDS, copies, strict=True):
                    held = {item.id: item for item in await _to_the_end(store, feed, 0)}
                    missed = sorted(id_ for id_, item in held.items() if copy.get(id_) != item)
                    assert not missed, (
                        f"A follower of the feed {feed.name} has missed {len(missed)} of {len(held)} items, such as "
                        f"{missed[0]}: they became visible after a higher change number had been read."
                    )
                    assert copy.keys() == held.keys(), "The follower has items that the store does not hold."

        asyncio.run(run())

    async def book_and_cancel(self, folder: Path, key: str, channel: Channel) -> None:
        """Book and cancel one space at a time, while another process publishes many items."""
        async with self.opened(folder, Clock()) as store:
            for _ in range(self.rounds):
                await channel.wait_for_others()
                for _ in range(_SMALL_CHANGES):
                    uuid = fresh()
                    await store.execute(book(uuid, key))
                    await store.execute(SellerCancel(order=OrderKey("alice", uuid), actor=MANAGER))

    async def publish_much(self, folder: Path, channel: Channel) -> None:
        """Publish many large items in one command, `rounds` times."""
        async with self.opened(folder, Clock()) as store:
            for number in range(self.rounds):
                description = {"description": f"{number} " * (_DESCRIPTION_BYTES // 2)}
                items = []
                for position in range(_LARGE_PUBLICATION):
                    series, made = session(f"large-{position}", 5)
                    items += [series, replace(made, properties=description)]
                await channel.wait_for_others()
                await store.execute(Publish(tuple(items), actor=MANAGER))


async def _follow(store: Store, feed: Feed, writing: asyncio.Task[list[list[object]]]) -> dict[str, Item]:
    """Read the feed until `writing` is done, and then to its end; return the last item of each id."""
    copy: dict[str, Item] = {}
    after = 0
    while True:
        is_over = writing.done()
        for item in await _to_the_end(store, feed, after):
            copy[item.id] = item
            after = item.modified
        if is_over:
            return copy
        await asyncio.sleep(0)


async def _to_the_end(store: Store, feed: Feed, after: int) -> Sequence[Item]:
    """Read the feed page by page, from that change number to its end, and return the items."""
    found: list[Item] = []
    while items := await store.feed_items(feed, after, _PAGE):
        found += items
        after = items[-1].modified
    return found
