"""Tests of Opportunities that are over, for store authors to inherit."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.find_opportunities import GetOpportunities
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.remove_over import RemoveOver
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.model.errors import ProposalExpiredError
from openbooking.booking.model.opportunity import SHOWN_AFTER_END, SaleState
from openbooking.booking.model.order import Order, OrderKey
from openbooking.booking.store import Store
from openbooking.testing.rules import rule
from openbooking.testing.samples import (
    ALICE,
    MANAGER,
    SESSIONS,
    Clock,
    book,
    fresh,
    read_feed,
    session,
    session_path,
)
from openbooking.testing.store_case import StoreTestCase
from openbooking.testing.stores.proposal_tests import approved_session, propose

# Sessions of the kit begin ten days after the start of the clock, and last an hour.
ENDS_AFTER = timedelta(days=10, hours=1)


async def remove_over(store: Store) -> int:
    """Take everything that is over out of the feeds; return the number of Opportunities."""
    total = 0
    while removed := await store.execute(RemoveOver()):
        total += removed
    return total


async def stored_paths(store: Store, *keys: str) -> set[str]:
    """Return the paths of those of these sessions that are stored."""
    return {*await store.execute(GetOpportunities(frozenset(map(session_path, keys)), actor=MANAGER))}


@rule("What is over")
class OverTests(StoreTestCase):
    """Part of `StoreTests`: Opportunities leave the open feeds an hour after their end."""

    def test_a_session_leaves_the_feed_an_hour_after_its_end(self, tmp_path: Path) -> None:
        """A session without bookings is removed. A booked one stays stored, and its Order stays as it was."""

        async def run() -> None:
            clock, uuid = Clock(), fresh()
            async with self.stocked(tmp_path, clock, yoga=5, spin=3) as store:
                await store.execute(book(uuid, "yoga"))
                order = await store.execute(GetOrder(caller=ALICE, uuid=uuid))
                clock.move(ENDS_AFTER + SHOWN_AFTER_END - timedelta(seconds=1))
                assert await remove_over(store) == 0
                clock.move(timedelta(seconds=1))
                assert await remove_over(store) == 2
                assert await remove_over(store) == 0
                assert await read_feed(store, SESSIONS) == {"yoga": None, "spin": None}
                assert await stored_paths(store, "yoga", "spin") == {session_path("yoga")}
                assert await store.execute(GetOrder(caller=ALICE, uuid=uuid)) == order

        asyncio.run(run())

    def test_a_past_session_that_is_published_is_shown_for_an_hour(self, tmp_path: Path) -> None:
        """A publication that changes nothing does not bring a session back that has left the feed."""

        async def run() -> None:
            clock, uuid = Clock(), fresh()
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                await store.execute(book(uuid, "yoga"))
                clock.move(timedelta(days=20))
                await store.execute(Publish(session("spin", 3), actor=MANAGER))
                assert await remove_over(store) == 1
                clock.move(SHOWN_AFTER_END - timedelta(seconds=1))
                assert await remove_over(store) == 0
                assert (await read_feed(store, SESSIONS)).keys() - {"yoga"} == {"spin"}
                clock.move(timedelta(seconds=1))
                assert await remove_over(store) == 1
                await store.execute(Publish(session("yoga", 5), actor=MANAGER))
                assert await read_feed(store, SESSIONS) == {"yoga": None, "spin": None}

        asyncio.run(run())

    def test_a_session_that_is_moved_after_it_was_over_is_on_sale_again(self, tmp_path: Path) -> None:
        """Its booking still has its space."""

        async def run() -> None:
            clock, uuid = Clock(), fresh()
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                await store.execute(book(uuid, "yoga"))
                clock.move(timedelta(days=20))
                await remove_over(store)
                series, made = session("yoga", 5)
                assert made.start is not None
                assert made.end is not None
                later = replace(made, start=made.start + timedelta(days=30), end=made.end + timedelta(days=30))
                await store.execute(Publish((series, later), actor=MANAGER))
                assert (await read_feed(store, SESSIONS))["yoga"]["remainingAttendeeCapacity"] == 4

        asyncio.run(run())

    def test_an_unpublished_session_stays_unpublished_after_its_end(self, tmp_path: Path) -> None:
        """It is stored, so that a publication with a later date does not put it on sale."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                unpublish = SetSaleState(opportunity=session_path("yoga"), sale=SaleState.UNPUBLISHED, actor=MANAGER)
                await store.execute(unpublish)
                clock.move(timedelta(days=20))
                assert await remove_over(store) == 0
                assert await stored_paths(store, "yoga") == {session_path("yoga")}

        asyncio.run(run())

    def test_a_session_with_a_proposal_leaves_the_feed_and_is_removed_with_it(self, tmp_path: Path) -> None:
        """The proposal cannot be accepted any more. When it has ended, nothing is left of the session."""

        async def run() -> None:
            clock, uuid = Clock(), fresh()
            async with self.stocked(tmp_path, clock) as store:
                await store.execute(Publish(approved_session("trip", 5), actor=MANAGER))
                clock.move(ENDS_AFTER - timedelta(hours=2))
                assert isinstance(await store.execute(propose(uuid, "trip")), Order)
                clock.move(SHOWN_AFTER_END + timedelta(hours=2))
                assert await remove_over(store) == 1
                assert await read_feed(store, SESSIONS) == {"trip": None}
                with pytest.raises(ProposalExpiredError):
                    await store.execute(DecideProposal(order=OrderKey("alice", uuid), accept=True, actor=MANAGER))
                for _ in range(4):
                    clock.move(timedelta(days=2))
                    while await store.execute(ExpireLeases()):
                        pass
                await remove_over(store)
                assert await stored_paths(store, "trip") == set()

        asyncio.run(run())

    def test_many_sessions_that_are_over_leave_in_several_steps(self, tmp_path: Path) -> None:
        """`RemoveOver` returns the number of Opportunities, and 0 when none is left."""

        async def run() -> None:
            clock, keys = Clock(), [f"s{number}" for number in range(250)]
            async with self.stocked(tmp_path, clock) as store:
                sessions = [member for key in keys for member in session(key, 1)]
                await store.execute(Publish(tuple(sessions), actor=MANAGER))
                clock.move(timedelta(days=20))
                steps = [await store.execute(RemoveOver()) for _ in range(6)]
                assert sum(steps) == 250
                assert (steps[0] > 0, steps[-1]) == (True, 0)
                assert set((await read_feed(store, SESSIONS)).values()) == {None}

        asyncio.run(run())
