"""The bookings of a former system become Orders of the front desk, all of them or none."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.order import FORMER_SYSTEM, Payment
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.model.timetable import Event, OnDemandItem
from openbooking.booking.views import Occurrence, OrderQuery
from openbooking.moving_in.run import MovingIn, MovingInReport, import_bookings
from openbooking.openactive.terms import TaxMode
from support.centre import COURTS, EVENING, FIRST, IDS, POLICY, PublishedCentre
from support.parties import CENTRE, MANAGER
from support.timetables import ADULT, HALL, YOGA

pytestmark = pytest.mark.anyio

ACTOR = Actor(ActorKind.ADMINISTRATOR, "import-bookings")
HEADING = "what,start,given_name,family_name,email,spaces,price_paid,paid_by,reference,note,minutes"
GEOFF = "spin,2027-03-01 18:15,Geoff,Capes,geoff@example.com,2,15.00,card,R-1,Wheelchair"
FETE = Event(
    name="Fete", url="https://example.com/fete", venue="riverside", start=datetime(2027, 3, 6, 14), minutes=120,  # noqa: DTZ001
    capacity=50, prices=(ADULT,), concepts=(YOGA,),
)  # fmt: skip
VIDEO = OnDemandItem(name="Video", url="https://example.com/video", prices=(ADULT,), concepts=(YOGA,))


@dataclass
class Desk:
    """The centre to which bookings move."""

    centre: PublishedCentre
    seller: Seller = CENTRE

    async def take(self, *rows: str, dry_run: bool = False) -> MovingInReport:
        """Import a file with these rows."""
        place = MovingIn(self.centre.store, self.seller, POLICY, IDS, self.centre.clock(), ACTOR)
        return await import_bookings(place, "\n".join((HEADING, *rows)).encode(), dry_run=dry_run)

    async def faults(self, *rows: str) -> list[tuple[int, str]]:
        """Return lines and columns of the faults of a file, of which nothing is booked."""
        before = await self.orders()
        report = await self.take(*rows)
        assert await self.orders() == before
        return [(fault.line, fault.column) for fault in report.faults]

    async def orders(self, text: str = "") -> list[OrderRecord]:
        """Return the Orders of the front desk."""
        views = self.centre.store.views.of(CENTRE.key)
        return list((await views.orders(OrderQuery(text=text, partner=DESK))).rows)

    async def occurrences(self) -> list[Occurrence]:
        """Return the occurrences of the first day that have bookings."""
        views = self.centre.store.views.of(CENTRE.key)
        found = await views.occurrences(FIRST, FIRST + timedelta(days=1), limit=500)
        return [each for each in found.rows if each.booked]


@pytest.fixture
async def desk() -> Desk:
    return Desk(await PublishedCentre().open(spin=EVENING, squash=COURTS, fete=FETE, video=VIDEO))


async def test_a_booking_appears_in_search_and_at_its_session(desk: Desk) -> None:
    assert await desk.take(GEOFF) == MovingInReport(1, (), ())
    (order,) = await desk.orders("capes")
    assert order.order.personal is not None
    assert order.order.personal.customer == {
        "@type": "Person", "givenName": "Geoff", "familyName": "Capes", "email": "geoff@example.com",
    }  # fmt: skip
    assert order.order.personal.customer_note == "Wheelchair"
    assert order.payment == Payment(name=FORMER_SYSTEM, identifier="card, R-1")
    assert order.booked is not None
    assert (order.booked.actor, order.order.totals.price) == (ACTOR, Decimal("15.00"))
    (session,) = await desk.occurrences()
    assert session.booked == 2


async def test_every_kind_of_entry_and_a_path_can_be_booked(desk: Desk) -> None:
    path = "events/centre.fete"
    rows = ("squash/2,2027-03-02 10:00", "fete,2027-03-06 14:00", "video,", f"{path},,Ann", "spin,03/03/2027 18:15")
    assert await desk.take(*rows) == MovingInReport(5, (), ())
    booked = [record.order.items[0].opportunity.path for record in await desk.orders()]
    assert sorted(booked) == sorted(
        [
            "slots/centre.squash.2.20270302T1000Z.60",
            path,
            "on-demand-events/centre.video",
            path,
            "scheduled-sessions/centre.spin.20270303T1815Z.45",
        ]
    )


async def test_a_second_run_books_nothing_twice(desk: Desk) -> None:
    rows = (GEOFF, "spin,2027-03-01 18:15,Ann", "spin,2027-03-01 18:15,Ann")
    assert await desk.take(*rows) == MovingInReport(3, (), ())
    assert await desk.take(*rows) == MovingInReport(0, (2, 3, 4), ())
    assert await desk.take(*rows, "spin,2027-03-01 18:15,Ann") == MovingInReport(1, (2, 3, 4), ())
    (session,) = await desk.occurrences()
    assert session.booked == 5


async def test_a_cancelled_booking_is_not_booked_again(desk: Desk) -> None:
    await desk.take(GEOFF)
    (session,) = await desk.occurrences()
    await desk.centre.execute(CancelOpportunity(opportunity=session.path, message=None, actor=MANAGER))
    assert await desk.take(GEOFF) == MovingInReport(0, (2,), ())


async def test_a_dry_run_books_nothing(desk: Desk) -> None:
    assert await desk.take(GEOFF, dry_run=True) == MovingInReport(1, (), ())
    assert await desk.orders() == []


async def test_one_wrong_row_keeps_back_the_whole_file(desk: Desk) -> None:
    assert await desk.faults(GEOFF, "spin,2027-03-01 18:15,Bob,,,x") == [(3, "spaces")]


async def test_capacity_counts_all_rows_together(desk: Desk) -> None:
    row = "spin,2027-03-01 18:15,Bob,,,9"
    assert await desk.faults(row, row, row) == [(4, "spaces")]
    assert await desk.take(row, row) == MovingInReport(2, (), ())


async def test_slots_that_overlap_are_not_sold_twice(desk: Desk) -> None:
    await desk.centre.save("hall", replace(HALL, uses=1, first=EVENING.first))
    hour, longer = "hall,2027-03-02 09:00,,,,,,,,,60", "hall,2027-03-02 09:30,,,,,,,,,90"
    assert await desk.faults(hour, longer) == [(3, "spaces")]
    assert await desk.take(hour) == MovingInReport(1, (), ())


async def test_a_slot_needs_its_length_if_several_start_then(desk: Desk) -> None:
    await desk.centre.save("hall", replace(HALL, first=EVENING.first))
    assert await desk.faults("hall,2027-03-02 09:00", "hall,2027-03-02 09:00,,,,,,,,,45") == [
        (2, "minutes"), (3, "minutes"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("zumba,2027-03-01 18:15", "what"),
        ("riverside,2027-03-01 18:15", "what"),
        ("spin/1,2027-03-01 18:15", "what"),
        ("squash,2027-03-02 10:00", "what"),
        ("squash/3,2027-03-02 10:00", "what"),
        ("events/other,2027-03-02 10:00", "what"),
        ("spin,", "start"),
        ("spin,2027-03-01 18:00", "start"),
        ("spin,2027-12-01 18:15", "start"),
        ("fete,2027-03-06 15:00", "start"),
        ("spin,2027-03-01 18:15,,,,2,15.01", "price_paid"),
    ],
)
async def test_a_row_that_names_nothing_to_book_is_reported(desk: Desk, row: str, column: str) -> None:
    assert await desk.faults(GEOFF, row) == [(3, column)]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("spin,2027-03-01 18:00", "Nothing starts then. The nearest starts of the day: 18:15."),
        ("squash/2,2027-03-02 10:05", "Nothing starts then. The nearest starts of the day: 10:00 and 11:00."),
        ("spin,2027-03-02 18:15", "Nothing that is published takes place on this day."),
        ("spin,2027-02-24 18:15", "It is in the past. Past dates cannot be booked."),
        ("spi,2027-03-01 18:15", "The timetable has no such key. Did you mean spin?"),
        ("zumba,2027-03-01 18:15", "It is no key in `openbooking timetable list`"),
        ("riverside,2027-03-01 18:15", "riverside is a venue, which cannot be booked."),
    ],
)
async def test_the_fault_of_a_row_says_what_to_correct(desk: Desk, row: str, text: str) -> None:
    (fault,) = (await desk.take(row)).faults
    assert fault.text.startswith(text)


async def test_a_date_in_the_past_cannot_be_booked(desk: Desk) -> None:
    desk.centre.clock.move(timedelta(days=1))
    (fault,) = (await desk.take(GEOFF)).faults
    assert (fault.line, fault.column, fault.text) == (2, "what", "The Opportunity has ended.")


async def test_one_reference_books_an_occurrence_once(desk: Desk) -> None:
    assert await desk.faults(GEOFF, GEOFF) == [(3, "reference")]
    other_day = GEOFF.replace("03-01", "03-03")
    assert await desk.take(GEOFF, other_day) == MovingInReport(2, (), ())


async def test_a_price_of_the_former_system_is_kept(desk: Desk) -> None:
    await desk.take("spin,2027-03-01 18:15,Ann,,,2,9.00,cash", "spin,2027-03-03 18:15,Bob,,,1,0")
    ann, bob = [(await desk.orders(name))[0] for name in ("ann", "bob")]
    assert (ann.order.totals.price, ann.order.items[0].offer.price) == (Decimal("9.00"), Decimal("4.50"))
    assert (bob.order.totals.price, bob.payment) == (Decimal("0.00"), None)


async def test_a_booking_without_a_payment_is_due_at_the_first_price(desk: Desk) -> None:
    await desk.take("spin,2027-03-01 18:15,Ann,,,2")
    (order,) = await desk.orders()
    assert (order.order.totals.price, order.payment) == (Decimal("15.00"), None)


async def test_prices_without_tax_must_be_those_of_the_timetable(desk: Desk) -> None:
    desk.seller = replace(CENTRE, tax_mode=TaxMode.NET)
    assert await desk.faults("spin,2027-03-01 18:15,,,,1,5.00") == [(2, "price_paid")]
