"""Books the rows of a file of bookings in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from openbooking.booking.commands.orders.import_bookings import BookingsOutcome, ImportBookings, RefusedBooking
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.policy import Policy
from openbooking.booking.store import Store
from openbooking.moving_in.columns import RowFault, read_file
from openbooking.moving_in.occurrences import OccurrenceFinder
from openbooking.moving_in.requests import RequestMaker
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.item_errors import ItemError, ItemErrorType

_COLUMNS = {
    ItemErrorType.OPPORTUNITY_IS_FULL: "spaces",
    ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY: "spaces",
    ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE: "spaces",
    ItemErrorType.UNACCEPTABLE_OFFER: "price_paid",
}
_TEXTS = {
    ItemErrorType.OPPORTUNITY_IS_FULL: "It is full.",
    ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY: "It has too few spaces left.",
    ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE: "Customers hold its last spaces now. Try again later.",
    ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS: "It needs details of attendees that the file does not have.",
    ItemErrorType.INCOMPLETE_INTAKE_FORM: "It has questions that the file does not answer. Book it at the front desk.",
}


class MovingIn(NamedTuple):
    """The place to which bookings move.

    Attributes:
        store: The store.
        seller: The Seller.
        policy: The policy.
        ids: The identifiers.
        now: The present time.
        actor: The account that books.
    """

    store: Store
    seller: Seller
    policy: Policy
    ids: Identifiers
    now: datetime
    actor: Actor


class MovingInReport(NamedTuple):
    """The result. If there is any fault, nothing was booked.

    Attributes:
        booked: How many rows were booked, or can be.
        known: The lines of the rows that an earlier import has booked.
        faults: The faults, in the order of the lines.
    """

    booked: int
    known: tuple[int, ...]
    faults: tuple[RowFault, ...]


async def import_bookings(place: MovingIn, content: bytes, *, dry_run: bool) -> MovingInReport:
    """Book all rows of a file, or none of them.

    Args:
        place: The place to which the bookings move.
        content: The file.
        dry_run: Whether nothing is booked.

    Raises:
        BookingFileError: The file as a whole cannot be read.
    """
    rows, faults = read_file(content)
    finder = OccurrenceFinder(place.store, place.seller.key, place.policy.time_zone, place.now, place.actor)
    found, not_found = await finder.find(rows)
    bookings, not_requested = RequestMaker(place.seller, place.policy, place.ids, place.actor).bookings(found)
    unread = [*faults, *not_found, *not_requested]
    # With faults the other rows are still decided, so that one run reports all faults.
    command = ImportBookings(bookings=tuple(bookings.values()), dry_run=dry_run or bool(unread), actor=place.actor)
    outcome = await place.store.execute(command) if bookings else BookingsOutcome()
    lines = tuple(bookings)
    refused = [_row_fault(lines, each) for each in outcome.refused]
    return MovingInReport(
        outcome.booked, tuple(lines[number] for number in outcome.known), tuple(sorted([*unread, *refused]))
    )


def _row_fault(lines: Sequence[int], refused: RefusedBooking) -> RowFault:
    line, fault = lines[refused.number], refused.fault
    if isinstance(fault, ItemError):
        text = _TEXTS.get(fault.type) or fault.description or str(fault.type)
        return RowFault(line, _COLUMNS.get(fault.type, "what"), text)
    return RowFault(line, "", fault.description or fault.name)
