"""Tests of the views of an Opportunity that another Seller sells now, for store authors to inherit."""

import asyncio
from pathlib import Path

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.testing.rules import rule
from openbooking.testing.samples import MANAGER, SELLER, Clock, fresh, session, session_path
from openbooking.testing.stores.views.view_case import DAY, OTHER, ViewTestCase, book_for, of_other, read_all, views_of


@rule("Views")
class HandOverViewTests(ViewTestCase):
    """Part of `ViewTests`: both Sellers see their own Orders."""

    def test_a_former_seller_sees_the_occurrence_that_another_seller_sells_now(self, tmp_path: Path) -> None:
        """Orders stay with the Seller from whom they were booked."""

        async def run() -> None:
            clock = Clock()
            async with self.with_two_sellers(tmp_path, clock, yoga=5) as store:
                uuid, path, today = fresh(), session_path("yoga"), clock()
                await store.execute(book_for({}, "yoga", uuid=uuid))
                await store.execute(Withdraw(sources=frozenset({"kit"}), actor=MANAGER))
                await store.execute(Publish(of_other(session("yoga", 5)), actor=MANAGER))
                for seller, is_stored in ((SELLER.key, False), (OTHER.key, True)):
                    views = views_of(store, seller)
                    found = await read_all(views.occurrences, today, today + 20 * DAY)
                    assert [row.is_stored for row in found if row.path == path] == [is_stored]
                    occurrence = await views.occurrence(path)
                    assert occurrence is not None
                    assert (occurrence.is_stored, occurrence.booked) == (is_stored, 1)
                    uuids = [record.uuid for record in await read_all(views.bookings, path)]
                    assert uuids == ([] if is_stored else [uuid])

        asyncio.run(run())
