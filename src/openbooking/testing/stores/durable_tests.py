"""Tests of a store on disk, for store authors to inherit."""

import asyncio
import itertools
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.model.errors import SellerChangedError
from openbooking.openactive.errors import OrderAlreadyExistsError
from openbooking.testing.rules import rule
from openbooking.testing.samples import MANAGER, Clock, book, cancel, fresh, spaces_left
from openbooking.testing.store_case import UUID
from openbooking.testing.stores.court_tests import CourtRaceTests
from openbooking.testing.stores.crash_tests import CrashTests
from openbooking.testing.stores.erased_files_tests import ErasedFilesTests
from openbooking.testing.stores.follower_tests import FollowerTests
from openbooking.testing.stores.race_tests import RaceTests
from openbooking.testing.stores.store_tests import StoreTests

# How often stores race to change one Seller.
_TURNS = 5


@rule("Several processes")
class DurableStoreTests(CourtRaceTests, CrashTests, ErasedFilesTests, FollowerTests, RaceTests, StoreTests):
    """Tests of a store on disk that several processes can open at the same time.

    Inherit from this class, and define `open_store`.
    """

    def test_several_open_stores_sell_no_space_twice(self, tmp_path: Path) -> None:
        """Two stores over the same database race within one process."""

        async def run() -> None:
            clock = Clock()
            async with (
                self.stocked(tmp_path, clock, yoga=5) as one,
                self.opened(tmp_path, clock) as other,
            ):
                orders = [book(fresh(), "yoga") for _ in range(20)]
                racing = [store.execute(order) for order, store in zip(orders, itertools.cycle((one, other)))]
                replies = await asyncio.gather(*racing)
                assert sum(not reply.has_errors for reply in replies) == 5
                assert await spaces_left(other, "yoga") == 0

        asyncio.run(run())

    def test_one_uuid_sent_to_several_open_stores_is_booked_once(self, tmp_path: Path) -> None:
        """Repeats get the same reply from both stores."""

        async def run() -> None:
            clock = Clock()
            async with (
                self.stocked(tmp_path, clock, yoga=5) as one,
                self.opened(tmp_path, clock) as other,
            ):
                replies = await asyncio.gather(*(store.execute(book(UUID, "yoga")) for store in (one, other) * 10))
                assert all(reply == replies[0] for reply in replies)
                assert await spaces_left(one, "yoga") == 4

        asyncio.run(run())

    def test_of_several_changes_of_a_seller_that_was_seen_one_is_made(self, tmp_path: Path) -> None:
        """Each change expects the Seller as it was before, also in another store over the same database."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock) as one, self.opened(tmp_path, clock) as other:
                for turn in range(_TURNS):
                    (seen,) = await one.sellers()
                    changes = [
                        PublishSeller(replace(seen, name=f"Name {turn} {number}"), expected=seen, actor=MANAGER)
                        for number in range(6)
                    ]
                    racing = [store.execute(change) for change, store in zip(changes, itertools.cycle((one, other)))]
                    outcomes = await asyncio.gather(*racing, return_exceptions=True)
                    assert sum(outcome is None for outcome in outcomes) == 1
                    assert sum(isinstance(outcome, SellerChangedError) for outcome in outcomes) == 5

        asyncio.run(run())

    def test_a_repeat_after_a_restart_gets_the_same_answer(self, tmp_path: Path) -> None:
        """A store that is opened a day later recognises the request."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                first = await store.execute(book(UUID, "yoga"))
                await store.execute(cancel(UUID, 1))
            clock.move(timedelta(days=1))
            async with self.opened(tmp_path, clock) as store:
                assert await store.execute(book(UUID, "yoga")) == first
                with pytest.raises(OrderAlreadyExistsError):
                    await store.execute(book(UUID, "yoga", "yoga"))
                assert await spaces_left(store, "yoga") == 5

        asyncio.run(run())
