"""Tests of `figures` and `check` of a store, for store authors to inherit."""

import asyncio
from datetime import timedelta
from pathlib import Path

from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.store import ORDERS, Feed, Figures
from openbooking.testing.rules import rule
from openbooking.testing.samples import ALICE, BOB, Clock, book, cancel, fresh, quote
from openbooking.testing.store_case import StoreTestCase


@rule("Figures")
class FiguresTests(StoreTestCase):
    """Part of `StoreTests`: `check` and `figures`."""

    def test_check_raises_nothing_while_the_store_works(self, tmp_path: Path) -> None:
        """`check` returns without an error."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock()) as store:
                await store.check()

        asyncio.run(run())

    def test_figures_count_leases_and_ended_leases(self, tmp_path: Path) -> None:
        """A Lease of several spaces counts once. Orders do not count as Leases."""

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

    def test_figures_give_the_time_of_the_oldest_unread_change(self, tmp_path: Path) -> None:
        """The times of two Booking Partners are independent."""

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
