"""Tests of feed items after a change of their Seller, for store authors to inherit."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from openbooking.booking.commands.opportunities.republish import Republish, publish_seller
from openbooking.booking.store import Feed
from openbooking.testing.rules import rule
from openbooking.testing.samples import MANAGER, SELLER, SESSIONS, Clock, read_feed
from openbooking.testing.store_case import StoreTestCase

_SERIES = Feed("session-series")


@rule("Sale")
class RepublishTests(StoreTestCase):
    """Part of `StoreTests`: changes of a Seller."""

    def test_a_changed_seller_is_shown_by_all_its_feed_items(self, tmp_path: Path) -> None:
        """Only items that show the Seller get a new change number."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5, spin=5) as store:
                sessions = await store.feed_items(SESSIONS, 0, 10)
                assert await publish_seller(store, replace(SELLER, name="Riverside Arena"), MANAGER) == 2
                shown = await read_feed(store, _SERIES)
                assert [data["organizer"]["name"] for data in shown.values()] == ["Riverside Arena"] * 2
                assert await store.feed_items(SESSIONS, 0, 10) == sessions

        asyncio.run(run())

    def test_an_unchanged_item_keeps_its_change_number_when_republished(self, tmp_path: Path) -> None:
        """So harvesters do not read the item again."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5) as store:
                before = await store.feed_items(_SERIES, 0, 10)
                paths = frozenset({"session-series/yoga", "session-series/nothing"})
                assert await store.execute(Republish(paths, actor=MANAGER)) == 1
                assert await store.feed_items(_SERIES, 0, 10) == before

        asyncio.run(run())

    def test_paths_of_a_seller_are_returned_page_by_page(self, tmp_path: Path) -> None:
        """The paths are sorted as text."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5, spin=5) as store:
                first = await store.paths_of_seller(SELLER.key, "", 3)
                assert list(first) == [
                    "scheduled-sessions/spin",
                    "scheduled-sessions/yoga",
                    "session-series/spin",
                ]
                assert list(await store.paths_of_seller(SELLER.key, first[-1], 3)) == ["session-series/yoga"]
                assert list(await store.paths_of_seller("nobody", "", 3)) == []

        asyncio.run(run())
