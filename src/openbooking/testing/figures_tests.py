"""The promises of the Store protocol to whoever runs the system, as tests to inherit."""

import asyncio
from datetime import timedelta
from pathlib import Path

from openbooking.booking.commands.expire_leases import ExpireLeases
from openbooking.booking.store import ORDERS, Feed, Figures
from openbooking.testing.rules import rule
from openbooking.testing.samples import ALICE, BOB, Clock, book, cancel, fresh, quote
from openbooking.testing.store_case import StoreTestCase


@rule("Figures")
class FiguresTests(StoreTestCase):
    """What is looked at from time to time."""

    def test_a_store_that_is_well_says_so(self, tmp_path: Path) -> None:
        """By saying nothing."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock()) as store:
                await store.check()

        asyncio.run(run())

    def test_leases_are_counted_once_whatever_they_hold_and_by_whether_they_have_ended(self, tmp_path: Path) -> None:
        """What is sold is no Lease."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock, yoga=9, swim=9) as store:
                await store.execute(quote(fresh(), "yoga", "swim", "swim"))
                await store.execute(book(fresh(), "yoga"))
                clock.move(timedelta(minutes=14))
                await store.execute(quote(fresh(), "yoga", caller=BOB))
                assert await store.figures({}) == Figures(2, 0, {})
                clock.move(timedelta(minutes=2))
                assert await store.figures({}) == Figures(1, 1, {})
                await store.execute(ExpireLeases())
                assert await store.figures({}) == Figures(1, 0, {})

        asyncio.run(run())

    def test_what_a_partner_has_not_read_yet_is_told_since_when(self, tmp_path: Path) -> None:
        """By its oldest change; other partners have feeds of their own."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock, yoga=9) as store:
                changed = []
                for caller in (ALICE, ALICE, BOB):
                    clock.move(timedelta(minutes=1))
                    uuid = fresh()
                    await store.execute(book(uuid, "yoga", caller=caller))
                    await store.execute(cancel(uuid, 1, caller=caller))
                    changed.append(clock())
                alices, bobs = Feed(ORDERS, "alice"), Feed(ORDERS, "bob")
                first, second = await store.feed_items(alices, 0, 9)
                for read, oldest in ((0, changed[0]), (first.modified, changed[1]), (second.modified, None)):
                    figures = await store.figures({alices: read, bobs: 0})
                    assert figures.oldest_unread == {alices: oldest, bobs: changed[2]}

        asyncio.run(run())
