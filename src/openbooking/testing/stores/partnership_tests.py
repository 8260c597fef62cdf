"""Tests of Orders that a Seller withholds from a Booking Partner, for store authors to inherit."""

import asyncio
from pathlib import Path

import pytest

from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.commands.orders.withhold import Withhold
from openbooking.booking.model.order import OrderKey, Partnership
from openbooking.booking.model.record import Record
from openbooking.booking.store import ORDERS, Feed, Store
from openbooking.openactive.errors import UnknownOrderError
from openbooking.testing.rules import rule
from openbooking.testing.samples import ALICE, BOB, MANAGER, SELLER, Clock, book, fresh, quote, read_feed
from openbooking.testing.store_case import StoreTestCase

ALICES, BOBS = Partnership("alice", SELLER.key), Partnership("bob", SELLER.key)


@rule("Booking Partners")
class PartnershipTests(StoreTestCase):
    """Part of `StoreTests`: the Orders of a Booking Partner after a revocation by a Seller (OB-AUTH-07)."""

    async def withhold(self, store: Store, partnership: Partnership, *, withheld: bool) -> int:
        """Withhold all Orders of the partnership, or show them again; return the number of changed records."""
        total, command = 0, Withhold(partnership=partnership, withheld=withheld, actor=MANAGER)
        while changed := await store.execute(command):
            assert isinstance(changed, int)
            total += changed
        return total

    def test_withheld_orders_leave_the_feed_and_return_as_they_are_then(self, tmp_path: Path) -> None:
        """Only the Orders of one Booking Partner are withheld. Changes in the meantime are shown afterwards."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=9) as store:
                seen, unseen, bobs = fresh(), fresh(), fresh()
                for uuid, caller in ((seen, ALICE), (unseen, ALICE), (bobs, BOB)):
                    await store.execute(book(uuid, "yoga", "yoga", caller=caller))
                await store.execute(SellerCancel(order=OrderKey("alice", seen), numbers=frozenset({1}), actor=MANAGER))
                await store.execute(SellerCancel(order=OrderKey("bob", bobs), actor=MANAGER))
                shown = await read_feed(store, Feed(ORDERS, "alice"))
                assert await self.withhold(store, ALICES, withheld=True) == 2
                assert await read_feed(store, Feed(ORDERS, "alice")) == {seen: None}
                assert (await read_feed(store, Feed(ORDERS, "bob")))[bobs] is not None
                await store.execute(SellerCancel(order=OrderKey("alice", unseen), actor=MANAGER))
                assert await read_feed(store, Feed(ORDERS, "alice")) == {seen: None}
                assert await self.withhold(store, ALICES, withheld=False) == 2
                again = await read_feed(store, Feed(ORDERS, "alice"))
                assert again[seen] == shown[seen]
                assert again[unseen]["orderedItem"][0]["orderItemStatus"].endswith("SellerCancelled")

        asyncio.run(run())

    def test_withholding_keeps_orders_and_ends_quotes(self, tmp_path: Path) -> None:
        """Customers keep their spaces; leased spaces return to the open feed. A second `Withhold` changes nothing."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5) as store:
                booked, quoted = fresh(), fresh()
                await store.execute(book(booked, "yoga"))
                await store.execute(quote(quoted, "yoga", "yoga"))
                assert await self.withhold(store, ALICES, withheld=True) == 2
                assert await self.withhold(store, ALICES, withheld=True) == 0
                feed = await read_feed(store, Feed("scheduled-sessions"))
                assert feed["yoga"]["remainingAttendeeCapacity"] == 4
                assert isinstance(await store.execute(GetOrder(caller=ALICE, uuid=booked)), Record)
                with pytest.raises(UnknownOrderError):
                    await store.execute(GetOrder(caller=ALICE, uuid=quoted))

        asyncio.run(run())

    def test_orders_are_counted_by_partner_and_seller(self, tmp_path: Path) -> None:
        """Quotes and deleted Orders are not counted."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=9) as store:
                assert await store.order_counts() == {}
                deleted = fresh()
                for uuid in (fresh(), fresh(), deleted):
                    await store.execute(book(uuid, "yoga"))
                await store.execute(book(fresh(), "yoga", caller=BOB))
                await store.execute(quote(fresh(), "yoga", caller=BOB))
                await store.execute(DeleteOrder(caller=ALICE, uuid=deleted))
                assert await store.order_counts() == {ALICES: 2, BOBS: 1}

        asyncio.run(run())
