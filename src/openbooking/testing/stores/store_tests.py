"""Tests of the rules of the Store protocol, for store authors to inherit."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.delete import DeleteOrder, DeleteQuote
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.order import BookedOrder, Order, OrderKey
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.record import Record
from openbooking.booking.model.situation import Needs, Situation
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.booking.store import ORDERS, Feed
from openbooking.openactive.errors import GoneError, OpenBookingError, UnknownOrderError
from openbooking.testing.rules import rule
from openbooking.testing.samples import (
    ALICE,
    BOB,
    MANAGER,
    SELLER,
    SESSIONS,
    Clock,
    book,
    cancel,
    fresh,
    quote,
    read_feed,
    session,
    spaces_left,
)
from openbooking.testing.store_case import POLICY, UUID
from openbooking.testing.stores.booking_import_tests import BookingImportTests
from openbooking.testing.stores.court_tests import CourtTests
from openbooking.testing.stores.erasure_tests import ErasureTests
from openbooking.testing.stores.feed_page_tests import FeedPageTests
from openbooking.testing.stores.figures_tests import FiguresTests
from openbooking.testing.stores.holding_tests import HoldingTests
from openbooking.testing.stores.over_tests import OverTests
from openbooking.testing.stores.partnership_tests import PartnershipTests
from openbooking.testing.stores.proposal_tests import ProposalTests
from openbooking.testing.stores.republish_tests import RepublishTests
from openbooking.testing.stores.sale_tests import SaleTests
from openbooking.testing.stores.timetable_tests import TimetableTests


@rule("Commands")
class StoreTests(
    BookingImportTests,
    CourtTests,
    ErasureTests,
    FeedPageTests,
    FiguresTests,
    HoldingTests,
    OverTests,
    PartnershipTests,
    ProposalTests,
    RepublishTests,
    SaleTests,
    TimetableTests,
):
    """Tests of any store. Inherit from this class, and define `open_store`."""

    def test_a_booking_is_answered_kept_and_published(self, tmp_path: Path) -> None:
        """B, Order Status and the open feed agree."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5) as store:
                booked = await store.execute(book(UUID, "yoga", "yoga"))
                assert isinstance(booked, Order)
                record = await store.execute(GetOrder(caller=ALICE, uuid=UUID))
                assert isinstance(record, Record)
                assert record.order == booked
                assert await spaces_left(store, "yoga") == 3

        asyncio.run(run())

    def test_the_last_spaces_are_sold_once(self, tmp_path: Path) -> None:
        """Thirty callers race for three spaces; three callers get one."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=3) as store:
                replies = await asyncio.gather(*(store.execute(book(fresh(), "yoga")) for _ in range(30)))
                assert sum(not reply.has_errors for reply in replies) == 3
                assert await spaces_left(store, "yoga") == 0

        asyncio.run(run())

    def test_requests_with_one_uuid_at_the_same_time_are_booked_once(self, tmp_path: Path) -> None:
        """All requests get equal replies."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5) as store:
                replies = await asyncio.gather(*(store.execute(book(UUID, "yoga")) for _ in range(10)))
                assert all(reply == replies[0] for reply in replies)
                assert await spaces_left(store, "yoga") == 4

        asyncio.run(run())

    def test_partners_share_neither_uuids_nor_feeds(self, tmp_path: Path) -> None:
        """Alice and Bob use the same UUID; neither can see or change the Order of the other."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5) as store:
                await store.execute(book(UUID, "yoga", caller=ALICE))
                with pytest.raises(UnknownOrderError):
                    await store.execute(GetOrder(caller=BOB, uuid=UUID))
                await store.execute(book(UUID, "yoga", "yoga", caller=BOB))
                await store.execute(cancel(UUID, 1, caller=BOB))
                assert await read_feed(store, Feed(ORDERS, "alice")) == {}
                assert list(await read_feed(store, Feed(ORDERS, "bob"))) == [UUID]
                await store.execute(DeleteOrder(caller=BOB, uuid=UUID))
                assert isinstance(await store.execute(GetOrder(caller=ALICE, uuid=UUID)), Record)
                assert await spaces_left(store, "yoga") == 4

        asyncio.run(run())

    def test_an_ended_lease_frees_its_spaces(self, tmp_path: Path) -> None:
        """After the sweeper, the feed shows the spaces, and another partner can book them."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock, yoga=1) as store:
                await store.execute(quote(UUID, "yoga"))
                assert await spaces_left(store, "yoga") == 0
                refused = await store.execute(book(fresh(), "yoga", caller=BOB))
                assert isinstance(refused, Order)
                assert refused.has_errors
                clock.move(POLICY.lease_duration)
                await store.execute(ExpireLeases())
                assert await spaces_left(store, "yoga") == 1
                booked = await store.execute(book(fresh(), "yoga", caller=BOB))
                assert isinstance(booked, Order)
                assert not booked.has_errors

        asyncio.run(run())

    def test_an_ended_lease_holds_nothing_before_it_is_swept(self, tmp_path: Path) -> None:
        """Spaces of an ended Lease are not counted, even if the Lease is still stored."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock, yoga=1) as store:
                await store.execute(quote(UUID, "yoga"))
                clock.move(POLICY.lease_duration)
                booked = await store.execute(book(fresh(), "yoga", caller=BOB))
                assert isinstance(booked, Order)
                assert not booked.has_errors
                await store.execute(ExpireLeases())
                assert await spaces_left(store, "yoga") == 0

        asyncio.run(run())

    def test_a_released_lease_frees_its_spaces(self, tmp_path: Path) -> None:
        """A Lease is released when its quote is deleted, or replaced by a quote for other items."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=3, spin=3) as store:
                await store.execute(quote(UUID, "yoga", "yoga"))
                await store.execute(quote(UUID, "spin"))
                assert (await spaces_left(store, "yoga"), await spaces_left(store, "spin")) == (3, 2)
                await store.execute(DeleteQuote(caller=ALICE, uuid=UUID))
                assert (await spaces_left(store, "yoga"), await spaces_left(store, "spin")) == (3, 3)

        asyncio.run(run())

    def test_a_quote_without_a_lease_releases_items_it_no_longer_asks_for(self, tmp_path: Path) -> None:
        """C1, which leases nothing here, is usually decided without locks; it still frees the spaces."""

        async def run() -> None:
            async with self.opened(tmp_path, Clock(), Policy(leasing=Leasing.NAMED)) as store:
                await store.execute(PublishSeller(SELLER, actor=MANAGER))
                for key in ("yoga", "spin"):
                    await store.execute(Publish(session(key, 3), actor=MANAGER))
                await store.execute(quote(UUID, "yoga", "yoga", checkpoint=Checkpoint.C2))
                await store.execute(quote(fresh(), "yoga", checkpoint=Checkpoint.C1))
                assert (await spaces_left(store, "yoga"), await spaces_left(store, "spin")) == (1, 3)
                fewer = await store.execute(quote(UUID, "yoga", "spin", checkpoint=Checkpoint.C1))
                assert isinstance(fewer, Order)
                assert fewer.lease_expires
                assert (await spaces_left(store, "yoga"), await spaces_left(store, "spin")) == (2, 3)

        asyncio.run(run())

    def test_a_fault_in_one_command_harms_no_other(self, tmp_path: Path) -> None:
        """A refused command and a failing command run in one batch with others, and change nothing."""

        class Broken(ActorCommand, frozen=True):
            def needs(self) -> Needs:
                return Needs()

            def decide(self, situation: Situation) -> Decision[None]:
                del situation
                raise ZeroDivisionError

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5) as store:
                outcomes = await asyncio.gather(
                    store.execute(book(fresh(), "yoga")),
                    store.execute(Broken(actor=MANAGER)),
                    store.execute(cancel(fresh(), 1)),
                    store.execute(book(fresh(), "yoga")),
                    return_exceptions=True,
                )
                kinds = [type(outcome) for outcome in outcomes]
                assert kinds == [BookedOrder, ZeroDivisionError, UnknownOrderError, BookedOrder]
                assert await spaces_left(store, "yoga") == 3

        asyncio.run(run())

    def test_a_deleted_order_is_in_the_feed_only_if_it_was_there_before(self, tmp_path: Path) -> None:
        """With its UUID every command but another deletion is refused."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5) as store:
                seen, unseen = fresh(), fresh()
                await store.execute(book(seen, "yoga"))
                await store.execute(book(unseen, "yoga"))
                await store.execute(SellerCancel(order=OrderKey("alice", seen), actor=MANAGER))
                for order_uuid in (seen, unseen, seen):
                    await store.execute(DeleteOrder(caller=ALICE, uuid=order_uuid))
                assert await read_feed(store, Feed(ORDERS, "alice")) == {seen: None}
                assert await spaces_left(store, "yoga") == 5
                with pytest.raises(GoneError):
                    await store.execute(GetOrder(caller=ALICE, uuid=seen))
                with pytest.raises(OpenBookingError):
                    await store.execute(book(seen, "yoga"))

        asyncio.run(run())

    def test_a_follower_misses_nothing_while_others_write(self, tmp_path: Path) -> None:
        """Its copy, read page by page during the writes, equals a copy that is read afterwards."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=100, spin=100) as store:
                copy: dict[str, Any] = {}
                after, writing = 0, True

                async def harvest() -> None:
                    nonlocal after
                    while True:
                        was_writing = writing
                        items = await store.feed_items(SESSIONS, after, 1)
                        copy.update({item.id: item.data for item in items})
                        after = items[-1].modified if items else after
                        if not items and not was_writing:
                            return
                        await asyncio.sleep(0)

                async def write() -> None:
                    for _ in range(20):
                        order_uuid = fresh()
                        await store.execute(quote(order_uuid, "yoga", "spin"))
                        await store.execute(book(order_uuid, "yoga", "spin"))
                        await store.execute(cancel(order_uuid, 1))

                harvester = asyncio.create_task(harvest())
                await asyncio.gather(*(write() for _ in range(4)))
                writing = False
                await harvester
                at_the_end = {item.id: item.data for item in await store.feed_items(SESSIONS, 0, 100)}
                assert copy == at_the_end
                assert (await spaces_left(store, "yoga"), await spaces_left(store, "spin")) == (100, 20)

        asyncio.run(run())

    def test_an_item_with_the_same_data_is_not_published_again(self, tmp_path: Path) -> None:
        """The renewal of a Lease changes no feed item."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5) as store:
                await store.execute(quote(UUID, "yoga"))
                before = await store.feed_items(SESSIONS, 0, 10)
                await store.execute(quote(UUID, "yoga"))
                assert await store.feed_items(SESSIONS, 0, 10) == before

        asyncio.run(run())

    def test_a_new_publication_keeps_the_spaces_that_were_sold(self, tmp_path: Path) -> None:
        """The booked spaces are subtracted from the new capacity."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5) as store:
                await store.execute(book(UUID, "yoga", "yoga"))
                await store.execute(Publish(session("yoga", 8), actor=MANAGER))
                assert await spaces_left(store, "yoga") == 6
                await store.execute(Publish(session("yoga", 1), actor=MANAGER))
                assert await spaces_left(store, "yoga") == 0

        asyncio.run(run())

    def test_a_withdrawn_session_is_shown_as_deleted_and_later_forgotten(self, tmp_path: Path) -> None:
        """Only deleted items that are old enough are removed. No change number is given twice."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                await store.execute(book(UUID, "yoga"))
                await store.execute(Withdraw(sources=frozenset({"kit"}), orders=True, actor=MANAGER))
                assert await read_feed(store, SESSIONS) == {"yoga": None}
                with pytest.raises(GoneError):
                    await store.execute(GetOrder(caller=ALICE, uuid=UUID))
                last = (await store.feed_items(SESSIONS, 0, 10))[-1].modified
                await store.forget_deleted(clock() - timedelta(days=8))
                assert await read_feed(store, SESSIONS) == {"yoga": None}
                clock.move(timedelta(days=9))
                await store.forget_deleted(clock() - timedelta(days=8))
                assert await read_feed(store, SESSIONS) == {}
                await store.execute(Publish(session("yoga", 5), actor=MANAGER))
                assert (await store.feed_items(SESSIONS, 0, 10))[-1].modified > last

        asyncio.run(run())

    def test_a_session_that_returns_after_a_withdrawal_keeps_its_orders(self, tmp_path: Path) -> None:
        """The sold spaces of the session are not sold again."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=2) as store:
                await store.execute(book(UUID, "yoga"))
                await store.execute(Withdraw(sources=frozenset({"kit"}), actor=MANAGER))
                order = await store.execute(GetOrder(caller=ALICE, uuid=UUID))
                assert isinstance(order, Record)
                await store.execute(Publish(session("yoga", 2), actor=MANAGER))
                assert await spaces_left(store, "yoga") == 1
                answers = [await store.execute(book(fresh(), "yoga")) for _ in range(2)]
                assert [answer.has_errors for answer in answers] == [False, True]
                await store.execute(cancel(UUID, 1))
                assert await spaces_left(store, "yoga") == 1

        asyncio.run(run())

    def test_a_withdrawal_of_a_series_includes_its_sessions_but_not_those_to_keep(self, tmp_path: Path) -> None:
        """Sessions are withdrawn with their series. A session that has another source now stays."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), swim=5) as store:
                yoga, spin = session("yoga", 5), session("spin", 5)
                await store.execute(Publish((replace(yoga[0], source="series"), yoga[1], *spin), actor=MANAGER))
                await store.execute(Withdraw(sources=frozenset({"series"}), actor=MANAGER))
                left = await read_feed(store, SESSIONS)
                assert {key for key, data in left.items() if data} == {"swim", "spin"}
                await store.execute(
                    Withdraw(sources=frozenset({"kit"}), keep=frozenset(item.path for item in spin), actor=MANAGER)
                )
                left = await read_feed(store, SESSIONS)
                assert {key for key, data in left.items() if data} == {"spin"}

        asyncio.run(run())

    def test_the_time_noted_last_is_returned(self, tmp_path: Path) -> None:
        """The last time may be earlier than those before, because a clock may have been wrong."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock) as store:
                for days in (1, -1):
                    at = clock() + timedelta(days=days)
                    await store.note_time(at)
                    assert await store.noted_time() == at

        asyncio.run(run())
