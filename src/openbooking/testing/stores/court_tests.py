"""Tests of Slots that overlap on one court, for store authors to inherit."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.quote import Quote
from openbooking.booking.model.opportunity import Offer, Opportunity
from openbooking.booking.model.order_request import ItemRequest
from openbooking.booking.model.policy import Policy
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.booking.store import Feed, Store
from openbooking.openactive.ids import OfferRef, opportunity_path
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.testing.processes import Channel, run_in_processes
from openbooking.testing.rules import rule
from openbooking.testing.samples import ALICE, MANAGER, PRICE, SELLER, START, Clock, cancel, fresh, order, read_feed
from openbooking.testing.store_case import StoreTestCase

SLOTS = Feed("slots")
OPENS = START + timedelta(days=10)
_HALF_HOURS = 8


def slot_path(key: str) -> str:
    """Return the path of the Slot with this key."""
    return opportunity_path(OpportunityType.SLOT, key)


def slots(court: str, lengths: Sequence[int] = (60, 90)) -> tuple[Opportunity, ...]:
    """Return a facility with one court, and Slots of these lengths, in minutes, that begin every 30 minutes.

    The key of a Slot is the key of the court, the minutes after the opening, and the length.
    """
    facility = opportunity_path(OpportunityType.FACILITY_USE, court)
    individual = opportunity_path(OpportunityType.INDIVIDUAL_FACILITY_USE, court)
    made = []
    for number in range(_HALF_HOURS):
        for length in lengths:
            path = slot_path(f"{court}-{number * 30}-{length}")
            start = OPENS + timedelta(minutes=30 * number)
            offer = Offer(key="adult", owner=path, price=PRICE, currency="GBP", full_refund_on_cancellation=True)
            made.append(
                Opportunity(
                    path=path,
                    type=OpportunityType.SLOT,
                    seller=SELLER.key,
                    parent=individual,
                    start=start,
                    end=start + timedelta(minutes=length),
                    capacity=1,
                    offers=(offer,),
                    source=court,
                )
            )
    return (
        Opportunity(path=facility, type=OpportunityType.FACILITY_USE, seller=SELLER.key, source=court),
        Opportunity(
            path=individual,
            type=OpportunityType.INDIVIDUAL_FACILITY_USE,
            seller=SELLER.key,
            parent=facility,
            source=court,
        ),
        *made,
    )


def book_slots(uuid: str, *keys: str) -> Book:
    """Return B of these Slots."""
    items = tuple(
        ItemRequest(
            position=position,
            opportunity_id=key,
            opportunity=slot_path(key),
            offer_id=key,
            offer=OfferRef(slot_path(key), "adult"),
        )
        for position, key in enumerate(keys)
    )
    return Book(caller=ALICE, uuid=uuid, request=replace(order(*keys), items=items))


def quote_slots(uuid: str, *keys: str) -> Quote:
    """Return C2 of these Slots."""
    return Quote(checkpoint=Checkpoint.C2, caller=ALICE, uuid=uuid, request=book_slots(uuid, *keys).request)


async def free_slots(store: Store) -> set[str]:
    """Return the keys of the Slots that have a use left according to the open feed."""
    return {key for key, data in (await read_feed(store, SLOTS)).items() if data and data["remainingUses"]}


@rule("Courts")
class CourtTests(StoreTestCase):
    """Part of `StoreTests`: Slots that overlap on one court share its spaces."""

    async def publish_court(self, store: Store, *courts: str) -> None:
        """Publish the Seller, and the Slots of these courts."""
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        for court in courts:
            await store.execute(Publish(slots(court), actor=MANAGER))

    def test_a_booked_slot_takes_the_court_from_all_slots_that_overlap_it(self, tmp_path: Path) -> None:
        """The open feed shows it, a cancellation gives the court back, and other courts are not affected."""

        async def run() -> None:
            async with self.opened(tmp_path, Clock()) as store:
                await self.publish_court(store, "court", "other")
                everything = await free_slots(store)
                uuid = fresh()
                await store.execute(book_slots(uuid, "court-60-60"))
                taken = {"court-0-90", "court-30-60", "court-30-90", "court-60-60", "court-60-90", "court-90-60"}
                taken.add("court-90-90")
                assert await free_slots(store) == everything - taken
                refused = [await store.execute(book_slots(fresh(), key)) for key in sorted(taken)]
                assert all(reply.has_errors for reply in refused)
                assert not (await store.execute(book_slots(fresh(), "court-0-60", "court-120-90"))).has_errors
                await store.execute(cancel(uuid, 1))
                assert "court-60-60" in await free_slots(store)

        asyncio.run(run())

    def test_a_lease_of_a_slot_holds_the_court_until_it_ends(self, tmp_path: Path) -> None:
        """The Booking Partner itself can exchange its leased Slot for one that overlaps it."""

        async def run() -> None:
            clock = Clock()
            async with self.opened(tmp_path, clock) as store:
                await self.publish_court(store, "court")
                everything, uuid = await free_slots(store), fresh()
                await store.execute(quote_slots(uuid, "court-0-60"))
                assert (await store.execute(book_slots(fresh(), "court-30-60"))).has_errors
                assert not (await store.execute(quote_slots(uuid, "court-30-60"))).has_errors
                assert "court-90-60" in await free_slots(store)
                clock.move(Policy().lease_duration)
                while await store.execute(ExpireLeases()):
                    pass
                assert await free_slots(store) == everything

        asyncio.run(run())

    def test_a_request_cannot_have_two_slots_that_overlap(self, tmp_path: Path) -> None:
        """The second item has an error, and nothing is booked."""

        async def run() -> None:
            async with self.opened(tmp_path, Clock()) as store:
                await self.publish_court(store, "court")
                everything = await free_slots(store)
                reply = await store.execute(book_slots(fresh(), "court-0-90", "court-60-60"))
                assert [bool(item.errors) for item in reply.items] == [False, True]
                assert await free_slots(store) == everything

        asyncio.run(run())

    def test_a_slot_that_is_published_later_shares_the_court_with_booked_ones(self, tmp_path: Path) -> None:
        """A booked Slot that is withdrawn still takes the court."""

        async def run() -> None:
            async with self.opened(tmp_path, Clock()) as store:
                await store.execute(PublishSeller(SELLER, actor=MANAGER))
                await store.execute(Publish(slots("court", (60,)), actor=MANAGER))
                await store.execute(book_slots(fresh(), "court-60-60"))
                await store.execute(Publish(slots("court", (90,))[2:], actor=MANAGER))
                assert "court-30-90" not in await free_slots(store)
                await store.execute(Withdraw(sources=frozenset({"court"}), actor=MANAGER))
                await store.execute(Publish(slots("court", (90,)), actor=MANAGER))
                free = await free_slots(store)
                assert free >= {"court-120-90"}
                assert free.isdisjoint({"court-0-90", "court-30-90", "court-60-90", "court-90-90"})

        asyncio.run(run())

    def test_a_slot_that_moves_takes_the_court_at_its_new_time(self, tmp_path: Path) -> None:
        """The Slots that overlapped its old time are free again."""

        async def run() -> None:
            async with self.opened(tmp_path, Clock()) as store:
                await self.publish_court(store, "court")
                await store.execute(book_slots(fresh(), "court-0-60"))
                moved = next(slot for slot in slots("court") if slot.path == slot_path("court-0-60"))
                later = replace(moved, start=OPENS + timedelta(hours=2), end=OPENS + timedelta(hours=3))
                await store.execute(Publish((later,), actor=MANAGER))
                free = await free_slots(store)
                assert free >= {"court-0-90", "court-30-90"}
                assert free.isdisjoint({"court-60-90", "court-120-60", "court-150-90"})

        asyncio.run(run())


@rule("Several processes")
class CourtRaceTests(StoreTestCase):
    """Part of `DurableStoreTests`: several processes that book one court."""

    def test_a_court_is_never_sold_twice_by_processes_that_race(self, tmp_path: Path) -> None:
        """Three processes book overlapping Slots of many courts at the same moment."""
        courts = [f"court-{number}" for number in range(4 * self.rounds)]

        async def stock() -> None:
            async with self.opened(tmp_path, Clock()) as store:
                await store.execute(PublishSeller(SELLER, actor=MANAGER))
                for court in courts:
                    await store.execute(Publish(slots(court), actor=MANAGER))

        asyncio.run(stock())
        racing = partial(self.book_courts, tmp_path, courts)
        booked = [key for sent in run_in_processes(self, *[racing] * 3) for key in sent]
        times: dict[str, list[tuple[int, int]]] = {court: [] for court in courts}
        for key in booked:
            court, start, length = key.rsplit("-", 2)
            times[court].append((int(start), int(start) + int(length)))
        for court, sold in times.items():
            assert sold, f"Nobody could book {court}."
            assert all(one[1] <= next_[0] for one, next_ in pairwise(sorted(sold))), f"{court} was sold twice: {sold}"

    async def book_courts(self, folder: Path, courts: Sequence[str], channel: Channel) -> None:
        """Book Slots of each court at the same moment as the other processes; send the keys of the booked ones."""
        async with self.opened(folder, Clock()) as store:
            await store.feed_items(SLOTS, 0, 1)
            for court in courts:
                await channel.wait_for_others()
                keys = [f"{court}-{start}-{length}" for start in (0, 30, 60, 90) for length in (60, 90)]
                replies = await asyncio.gather(*(store.execute(book_slots(fresh(), key)) for key in keys))
                for key, reply in zip(keys, replies, strict=True):
                    if not reply.has_errors:
                        channel.send(key)
