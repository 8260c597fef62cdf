"""Tests of proposals, and of changes that affect many Orders, for store authors to inherit."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.orders.book_proposal import BookProposal
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.proposal_decisions import AmendProposal, DecideProposal
from openbooking.booking.commands.orders.propose import Propose
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import Order, OrderKey
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.store import ORDER_PROPOSALS, ORDERS, Feed
from openbooking.openactive.errors import OrderCreationFailedError
from openbooking.openactive.terms import FlowRequirement
from openbooking.testing.rules import rule
from openbooking.testing.samples import (
    ALICE,
    BOB,
    MANAGER,
    SELLER,
    Clock,
    book,
    fresh,
    order,
    read_feed,
    session,
    spaces_left,
)
from openbooking.testing.store_case import StoreTestCase

DEFAULTS = Policy()
_FLOW = (FlowRequirement.APPROVAL, FlowRequirement.NEGOTIATION)


def approved_session(key: str, capacity: int) -> tuple[Opportunity, Opportunity]:
    """Return a series and its session. The Seller approves each booking of them, and may amend it."""
    series, made = session(key, capacity)
    return replace(series, offers=tuple(replace(offer, flow=_FLOW) for offer in series.offers)), made


def propose(uuid: str, *keys: str) -> Propose:
    """Return P of one space at each of these sessions."""
    return Propose(caller=ALICE, uuid=uuid, request=order(*keys), version=fresh())


@rule("Proposals")
class ProposalTests(StoreTestCase):
    """Part of `StoreTests`: proposals, and changes of Opportunities that have Orders (OB 5.5, 8.3.3, 8.4.9)."""

    def test_a_proposal_is_in_its_feed_from_its_first_change_until_it_is_booked(self, tmp_path: Path) -> None:
        """An amendment frees some spaces. After B, the Order is in the Orders feed from its first change on."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock()) as store:
                await store.execute(Publish(approved_session("trip", 5), actor=MANAGER))
                uuid, feed = fresh(), Feed(ORDER_PROPOSALS, "alice")
                proposed = await store.execute(propose(uuid, "trip", "trip", "trip"))
                assert isinstance(proposed, Order)
                assert (await spaces_left(store, "trip"), await read_feed(store, feed)) == (2, {})
                key = OrderKey("alice", uuid)
                amendment = AmendProposal(order=key, version=fresh(), without=frozenset({1}), actor=MANAGER)
                await store.execute(amendment)
                assert await spaces_left(store, "trip") == 3
                assert len((await read_feed(store, feed))[uuid]["orderedItem"]) == 2
                await store.execute(DecideProposal(order=key, accept=True, actor=MANAGER))
                booked = await store.execute(BookProposal(caller=ALICE, uuid=uuid, version=amendment.version))
                assert isinstance(booked, Order)
                assert [item.number for item in booked.items] == [2, 3]
                assert (await spaces_left(store, "trip"), await read_feed(store, feed)) == (3, {uuid: None})
                assert await read_feed(store, Feed(ORDERS, "alice")) == {}

        asyncio.run(run())

    def test_a_proposal_that_is_not_booked_in_time_is_rejected_and_frees_its_spaces(self, tmp_path: Path) -> None:
        """The record stays, and later sweeps do not change it."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock) as store:
                await store.execute(Publish(approved_session("trip", 5), actor=MANAGER))
                command = propose(fresh(), "trip")
                await store.execute(command)
                await store.execute(DecideProposal(order=command.key, accept=True, actor=MANAGER))
                clock.move(Policy().proposal_duration + timedelta(seconds=1))
                for _ in range(2):
                    await store.execute(ExpireLeases())
                    assert await spaces_left(store, "trip") == 5
                shown = (await read_feed(store, Feed(ORDER_PROPOSALS, "alice")))[command.uuid]
                assert shown["orderProposalStatus"].endswith("SellerRejected")
                with pytest.raises(OrderCreationFailedError):
                    await store.execute(BookProposal(caller=ALICE, uuid=command.uuid, version=command.version))

        asyncio.run(run())

    def test_a_proposal_without_a_lease_is_rejected_when_its_spaces_are_sold(self, tmp_path: Path) -> None:
        """Without a Lease other Brokers can book the spaces, by B or by B after P (OB-APP-27, AMB-75)."""

        async def run() -> None:
            async with self.opened(tmp_path, Clock(), Policy(leasing=Leasing.OFF)) as store:
                await store.execute(PublishSeller(SELLER, actor=MANAGER))
                await store.execute(Publish(approved_session("trip", 2), actor=MANAGER))
                first, second, third = (propose(fresh(), *["trip"] * count) for count in (1, 1, 2))
                for command in (first, second, third):
                    proposed = await store.execute(command)
                    assert isinstance(proposed, Order)
                    assert (proposed.lease_expires, proposed.has_errors) == (None, False)
                    await store.execute(DecideProposal(order=command.key, accept=True, actor=MANAGER))
                assert await spaces_left(store, "trip") == 2
                await store.execute(BookProposal(caller=ALICE, uuid=first.uuid, version=first.version))
                shown = await read_feed(store, Feed(ORDER_PROPOSALS, "alice"))
                statuses = [shown[command.uuid]["orderProposalStatus"] for command in (second, third)]
                assert [status.rpartition("/")[2] for status in statuses] == ["SellerAccepted", "SellerRejected"]
                await store.execute(Publish(session("trip", 2), actor=MANAGER))
                booked = await store.execute(book(fresh(), "trip", caller=BOB))
                assert isinstance(booked, Order)
                assert not booked.has_errors
                shown = await read_feed(store, Feed(ORDER_PROPOSALS, "alice"))
                assert shown[second.uuid]["orderProposalStatus"].endswith("SellerRejected")
                assert await spaces_left(store, "trip") == 0

        asyncio.run(run())

    def test_personal_data_of_a_rejected_proposal_is_erased_with_its_lease(self, tmp_path: Path) -> None:
        """A repeat of P, which contains the data again, gets the first reply."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock) as store:
                await store.execute(Publish(approved_session("trip", 5), actor=MANAGER))
                command = propose(fresh(), "trip")
                first = await store.execute(command)
                await store.execute(DecideProposal(order=command.key, accept=False, actor=MANAGER))
                kept = await store.execute(GetOrder(caller=ALICE, uuid=command.uuid))
                clock.move(Policy().lease_duration)
                await store.execute(ExpireLeases())
                left = await store.execute(GetOrder(caller=ALICE, uuid=command.uuid))
                assert [record.order.personal is None for record in (kept, left)] == [False, True]
                assert await store.execute(command) == first

        asyncio.run(run())

    def test_a_smaller_capacity_rejects_the_proposals_that_no_longer_fit(self, tmp_path: Path) -> None:
        """The rejected proposal frees its spaces at other sessions too. Orders keep their spaces."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                series, trip = approved_session("trip", 5)
                await store.execute(Publish((series, trip), actor=MANAGER))
                first, second, given = propose(fresh(), "trip", "trip"), propose(fresh(), "yoga", "trip"), fresh()
                await store.execute(book(given, "yoga", caller=BOB))
                await store.execute(_replacement(given, (series, trip)))
                await store.execute(first)
                clock.move(timedelta(minutes=1))
                await store.execute(second)
                await store.execute(Publish((replace(trip, capacity=3),), actor=MANAGER))
                assert (await spaces_left(store, "trip"), await spaces_left(store, "yoga")) == (0, 5)
                shown = await read_feed(store, Feed(ORDER_PROPOSALS, "alice"))
                assert list(shown) == [second.uuid]
                assert shown[second.uuid]["orderProposalStatus"].endswith("SellerRejected")

        asyncio.run(run())

    def test_a_cancellation_of_a_session_changes_all_orders_with_spaces_there_now(self, tmp_path: Path) -> None:
        """These are its Orders, Orders moved to it, and its proposals; Orders moved away from it do not change."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5) as store:
                trip, yoga = approved_session("trip", 5), session("yoga", 5)
                await store.execute(Publish(trip, actor=MANAGER))
                proposal, given, moved = propose(fresh(), "trip"), fresh(), fresh()
                await store.execute(proposal)
                for uuid in (given, moved):
                    await store.execute(book(uuid, "yoga", caller=BOB))
                await store.execute(_replacement(given, trip))
                await store.execute(_replacement(moved, trip))
                await store.execute(_replacement(moved, yoga))
                await store.execute(CancelOpportunity(opportunity=trip[1].path, actor=MANAGER))
                orders = await read_feed(store, Feed(ORDERS, "bob"))
                statuses = {uuid: data["orderedItem"][0]["orderItemStatus"] for uuid, data in orders.items()}
                assert statuses[given].endswith("SellerCancelled")
                assert statuses[moved].endswith("OrderItemConfirmed")
                shown = await read_feed(store, Feed(ORDER_PROPOSALS, "alice"))
                assert shown[proposal.uuid]["orderProposalStatus"].endswith("SellerRejected")

        asyncio.run(run())

    def test_a_change_of_a_series_reaches_the_orders_for_all_its_sessions(self, tmp_path: Path) -> None:
        """Orders for other series are not changed."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5, spin=5) as store:
                series, _ = session("yoga", 5)
                _, late = session("late", 5)
                await store.execute(Publish((replace(late, parent=series.path),), actor=MANAGER))
                booked = {key: fresh() for key in ("yoga", "late", "spin")}
                for key, uuid in booked.items():
                    command = book(uuid, key)
                    items = tuple(replace(item, offer=series.offers[0].ref) for item in command.request.items)
                    request = replace(command.request, items=items) if key == "late" else command.request
                    await store.execute(replace(command, request=request))
                await store.execute(ChangeLogistics(opportunity=series.path, name="Tango", actor=MANAGER))
                orders = await read_feed(store, Feed(ORDERS, "alice"))
                assert orders.keys() == {booked["yoga"], booked["late"]}
                for data in orders.values():
                    assert data["orderedItem"][0]["orderedItem"]["superEvent"]["name"] == "Tango"

        asyncio.run(run())

    def test_a_new_name_of_a_series_is_shown_in_its_orders(self, tmp_path: Path) -> None:
        """Orders of other series do not change. If the series is published unchanged, no Order changes."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock(), yoga=5, spin=5) as store:
                booked = fresh()
                await store.execute(book(booked, "yoga"))
                await store.execute(book(fresh(), "spin"))
                published = (*session("yoga", 5), *session("spin", 5))
                await store.execute(Publish(published, actor=MANAGER))
                assert not await read_feed(store, Feed(ORDERS, "alice"))
                series, *others = published
                renamed = replace(series, properties={**series.properties, "name": "Tango"})
                await store.execute(Publish((renamed, *others), actor=MANAGER))
                orders = await read_feed(store, Feed(ORDERS, "alice"))
                assert orders.keys() == {booked}
                assert orders[booked]["orderedItem"][0]["orderedItem"]["superEvent"]["name"] == "Tango"

        asyncio.run(run())


def _replacement(uuid: str, family: tuple[Opportunity, Opportunity]) -> Replace:
    """Return the command that moves the first item of Bob's Order to this session."""
    series, given = family
    return Replace(
        order=OrderKey("bob", uuid), number=1, opportunity=given.path, offer=series.offers[0].ref, actor=MANAGER
    )
