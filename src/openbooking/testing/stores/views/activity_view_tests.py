"""Tests of the views of one occurrence and of the activity log, to inherit."""

import asyncio
from datetime import timedelta
from pathlib import Path

from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.seller_decisions import Notify, SellerCancel
from openbooking.booking.model.activity import Action
from openbooking.booking.model.order import OrderKey
from openbooking.openactive.errors import OpenBookingError
from openbooking.testing.rules import rule
from openbooking.testing.samples import MANAGER, SELLER, Clock, book, cancel, fresh, session_path
from openbooking.testing.stores.views.view_case import OTHER, ViewTestCase, read_all, views_of


@rule("Views")
class ActivityViewTests(ViewTestCase):
    """Part of `ViewTests`: `occurrence`, `history` and `activity`."""

    def test_an_occurrence_is_found_by_its_path(self, tmp_path: Path) -> None:
        """An Opportunity that is stored no more is shown as it was booked. The other Seller has neither."""

        async def run() -> None:
            async with self.with_two_sellers(tmp_path, Clock(), yoga=9) as store:
                await store.execute(book(fresh(), "yoga", "yoga"))
                path = session_path("yoga")
                for is_stored in (True, False):
                    occurrence = await views_of(store).occurrence(path)
                    assert occurrence is not None
                    assert (occurrence.path, occurrence.booked, occurrence.is_stored) == (path, 2, is_stored)
                    assert await views_of(store, OTHER.key).occurrence(path) is None
                    await store.execute(Withdraw(sources=frozenset({"kit"}), actor=MANAGER))
                assert await views_of(store).occurrence(session_path("none")) is None

        asyncio.run(run())

    def test_the_log_has_an_entry_for_each_decision_and_none_for_bookings(self, tmp_path: Path) -> None:
        """The newest entry comes first. A history has the entries of one Order, the oldest first."""

        async def run() -> None:
            clock = Clock()
            async with self.with_two_sellers(tmp_path, clock, yoga=9) as store:
                first, second = fresh(), fresh()
                key = OrderKey("alice", first)
                for command in (
                    book(first, "yoga", "yoga"),
                    book(second, "yoga"),
                    cancel(first, 1),
                    Notify(order=key, notice="Bring a mat.", actor=MANAGER),
                    CancelOpportunity(opportunity=session_path("yoga"), actor=MANAGER),
                ):
                    clock.move(timedelta(seconds=1))
                    await store.execute(command)
                log = await read_all(views_of(store).activity)
                assert {entry.action for entry in log[:3]} == {Action.OPPORTUNITY_CANCELLED}
                assert {entry.order for entry in log[:3]} == {None, key, OrderKey("alice", second)}
                assert [entry.action for entry in log[3:]] == [Action.CUSTOMER_NOTIFIED, Action.CUSTOMER_CANCELLED]
                history = await views_of(store).history(key)
                assert [(entry.action, entry.items) for entry in history] == [
                    (Action.CUSTOMER_CANCELLED, (1,)),
                    (Action.CUSTOMER_NOTIFIED, (2,)),
                    (Action.OPPORTUNITY_CANCELLED, (2,)),
                ]
                assert [entry.at for entry in history] == sorted(entry.at for entry in history)
                assert history[1].actor == MANAGER
                assert {entry.seller for entry in log} == {SELLER.key}

        asyncio.run(run())

    def test_the_log_of_another_seller_is_empty(self, tmp_path: Path) -> None:
        """A history of an Order of another Seller is empty too."""

        async def run() -> None:
            async with self.with_two_sellers(tmp_path, Clock(), yoga=9) as store:
                uuid = fresh()
                await store.execute(book(uuid, "yoga"))
                await store.execute(SellerCancel(order=OrderKey("alice", uuid), actor=MANAGER))
                assert await read_all(views_of(store, OTHER.key).activity) == []
                assert await views_of(store, OTHER.key).history(OrderKey("alice", uuid)) == ()

        asyncio.run(run())

    def test_a_refused_decision_has_no_entry(self, tmp_path: Path) -> None:
        """The store is as it was before."""

        async def run() -> None:
            async with self.with_two_sellers(tmp_path, Clock(), yoga=9) as store:
                try:
                    await store.execute(SellerCancel(order=OrderKey("alice", fresh()), actor=MANAGER))
                except OpenBookingError:
                    assert await read_all(views_of(store).activity) == []
                else:
                    raise AssertionError("The decision was not refused.")

        asyncio.run(run())

    def test_the_log_is_read_from_a_time_backwards(self, tmp_path: Path) -> None:
        """Entries of that time and later are left out, on every page."""

        async def run() -> None:
            clock, uuid, times = Clock(), fresh(), []
            async with self.with_two_sellers(tmp_path, clock, yoga=9) as store:
                await store.execute(book(uuid, "yoga"))
                for number in range(5):
                    times.append(clock())
                    notice = f"Notice {number}"
                    await store.execute(Notify(order=OrderKey("alice", uuid), notice=notice, actor=MANAGER))
                    clock.move(timedelta(minutes=1))
                for number in range(5):
                    found, after = [], ""
                    while True:
                        page = await views_of(store).activity(after, 2, times[number])
                        found += [entry.at for entry in page.rows]
                        if page.next is None:
                            break
                        after = page.next
                    assert found == times[:number][::-1]

        asyncio.run(run())
