"""A centre with courts for the benchmarks of timetables, and bookings of its Slots."""

import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from decimal import Decimal

from openbooking.booking.commands.opportunities.timetable import SaveTimetableEntry
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import Caller
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.timetable import (
    Concept,
    Court,
    EntryKey,
    Facility,
    OpeningHours,
    Price,
    PriceBand,
    TimetableEntry,
    Venue,
)
from openbooking.booking.store import Store
from openbooking.jsonld.read_order import OrderReader
from openbooking.openactive.ids import Identifiers, OfferRef
from openbooking.openactive.terms import OrderType
from openbooking.timetable.occurrences import occurrences
from openbooking.timetable.surroundings import surroundings_of
from openbooking.timetable.wall_clock import DateRange
from stock import BENCHMARK, PARTNER, SELLER, request_body

COURTS = 10
_EVERY_DAY = tuple(range(7))
_VENUE = Venue(name="Riverside Centre", street="1 High Street", town="Testford", postcode="BB5 7AB")
_SQUASH = Concept(id="https://openactive.io/facility-types#a1f82b7a-1258-4d9a-8dc5-bfc2ae961651", label="Squash Court")
_ADULT = Price(name="Adult", amount=Decimal("12.00"), cancel_before=timedelta(hours=4))


def hall(courts: int, first: date) -> Facility:
    """Return a facility with Slots of 60 and 90 minutes every 30 minutes: 57 a day on each court."""
    return Facility(
        name="Squash courts",
        description="Glass-backed courts on the ground floor, with balls and rackets for hire at reception.",
        url="https://riverside.example.com/squash",
        venue="riverside",
        concepts=(_SQUASH,),
        hours=(OpeningHours(_EVERY_DAY, time(7), time(22)),),
        lengths=(60, 90),
        step=30,
        prices=(PriceBand((_ADULT,)),),
        courts=tuple(Court(key=str(number), name=f"Court {number}") for number in range(1, courts + 1)),
        first=first,
    )


def halls(courts: int, first: date) -> list[TimetableEntry]:
    """Return facilities that have this many courts in all."""
    return [
        TimetableEntry(
            seller=SELLER.key,
            key=f"squash-{number}",
            rule=hall(min(COURTS, courts - start), first),
            changed_by=BENCHMARK,
        )
        for number, start in enumerate(range(0, courts, COURTS))
    ]


async def save(store: Store, entries: Sequence[TimetableEntry]) -> None:
    """Store the Venue, and these entries of the timetable."""
    await store.execute(SaveTimetableEntry(key=EntryKey(SELLER.key, "riverside"), rule=_VENUE, actor=BENCHMARK))
    for entry in entries:
        await store.execute(SaveTimetableEntry(key=entry.entry_key, rule=entry.rule, actor=BENCHMARK))


def random_slots(
    entries: Sequence[TimetableEntry], policy: Policy, days: DateRange, seed: int
) -> Iterator[Opportunity]:
    """Yield Slots on these days in an order of chance."""
    around = surroundings_of(entries, policy, "")
    found = [slot for entry in entries for slot in occurrences(entry, around, days)]
    random.Random(seed).shuffle(found)  # noqa: S311 - the same each time
    yield from found


def booking(ids: Identifiers, slot: Opportunity) -> Book:
    """Return the command that books a Slot, with a new UUID."""
    (offer,) = slot.offers
    body = request_body(ids, SELLER.key, [(slot.path, OfferRef(offer.owner, offer.key))])
    request = OrderReader(ids, 1).order(body, OrderType.ORDER)
    return Book(caller=Caller(PARTNER), uuid=str(uuid.uuid4()), request=request)
