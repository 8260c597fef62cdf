"""Tests of the import of a former system's bookings, for store authors to inherit."""

import asyncio
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.book_at_desk import BookAtDesk
from openbooking.booking.commands.orders.import_bookings import BookingsOutcome, ImportBookings
from openbooking.booking.model.order import desk_caller
from openbooking.booking.store import Store
from openbooking.openactive.ids import OfferRef
from openbooking.openactive.item_errors import ItemError
from openbooking.openactive.terms import BrokerRole
from openbooking.testing.rules import rule
from openbooking.testing.samples import MANAGER, PRICE, SELLER, Clock, fresh, order, session, spaces_left
from openbooking.testing.store_case import StoreTestCase
from openbooking.testing.stores.court_tests import slot_path, slots


def booking(key: str, slot: str = "") -> BookAtDesk:
    """Return the booking of one space at a session, or of a Slot, by the front desk."""
    request = replace(order(key), broker_role=BrokerRole.NO_BROKER, broker=None, payment=None)
    if slot:
        path = slot_path(slot)
        item = replace(request.items[0], opportunity=path, opportunity_id=path, offer=OfferRef(path, "adult"))
        request = replace(request, items=(item,), total_payment_due=PRICE)
    return BookAtDesk(caller=desk_caller(SELLER.key), uuid=fresh(), request=request, actor=MANAGER)


async def take_over(store: Store, *bookings: BookAtDesk) -> BookingsOutcome:
    """Import bookings."""
    return await store.execute(ImportBookings(bookings=bookings, actor=MANAGER))


@rule("Commands")
class BookingImportTests(StoreTestCase):
    """Part of `StoreTests`: bookings of a former system are all booked, or none of them."""

    def test_bookings_are_imported_whole_or_not_at_all(self, tmp_path: Path) -> None:
        """The last booking finds no space, because those before it have taken the spaces."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock()) as store:
                await store.execute(Publish(session("pair", 2), actor=MANAGER))
                three = [booking("pair") for _ in range(3)]
                outcome = await take_over(store, *three)
                assert [refused.number for refused in outcome.refused] == [2]
                assert await spaces_left(store, "pair") == 2
                assert (await take_over(store, *three[:2])).booked == 2
                assert await spaces_left(store, "pair") == 0

        asyncio.run(run())

    def test_a_repeated_import_books_nothing_twice(self, tmp_path: Path) -> None:
        """Bookings that are there already are left as they are, and the others are booked."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock()) as store:
                await store.execute(Publish(session("pair", 2), actor=MANAGER))
                first, second = booking("pair"), booking("pair")
                assert await take_over(store, first) == BookingsOutcome(booked=1)
                assert await take_over(store, first, second) == BookingsOutcome(booked=1, known=(0,))
                assert await take_over(store, first, second) == BookingsOutcome(known=(0, 1))
                assert await spaces_left(store, "pair") == 0

        asyncio.run(run())

    def test_imported_slots_share_their_court(self, tmp_path: Path) -> None:
        """Of two Slots that overlap on one court, the second is refused."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock()) as store:
                await store.execute(Publish(slots("court"), actor=MANAGER))
                outcome = await take_over(store, booking("", "court-0-60"), booking("", "court-30-90"))
                assert [refused.number for refused in outcome.refused] == [1]
                assert isinstance(outcome.refused[0].fault, ItemError)
                apart = await take_over(store, booking("", "court-0-60"), booking("", "court-60-90"))
                assert apart == BookingsOutcome(booked=2)

        asyncio.run(run())

    def test_two_imports_at_once_book_each_booking_once(self, tmp_path: Path) -> None:
        """The same file is imported several times at once."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock) as store:
                await store.execute(Publish(session("large", 50), actor=MANAGER))
                clock.move(timedelta(minutes=1))
                bookings = [booking("large") for _ in range(10)]
                outcomes = await asyncio.gather(*(take_over(store, *bookings) for _ in range(4)))
                assert sorted(outcome.booked for outcome in outcomes) == [0, 0, 0, 10]
                assert await spaces_left(store, "large") == 40

        asyncio.run(run())
