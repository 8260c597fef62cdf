"""The bookings of a former system, which become Orders of the front desk in one transaction."""

from itertools import chain
from typing import ClassVar

import msgspec

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.commands.orders.book_at_desk import BookAtDesk
from openbooking.booking.model.order import Order
from openbooking.booking.model.situation import Change, Needs, Situation, evolve_all
from openbooking.booking.store import join_needs
from openbooking.openactive.errors import OpenBookingError
from openbooking.openactive.item_errors import ItemError

# All bookings of one command are decided and written while other bookings of the same Opportunities wait.
MOST_BOOKINGS = 1000


class RefusedBooking(msgspec.Struct, frozen=True):
    """A booking that is refused.

    Attributes:
        number: The index of the booking in the command.
        fault: The error of the request, or the first error of an item.
    """

    number: int
    fault: OpenBookingError | ItemError


class BookingsOutcome(msgspec.Struct, frozen=True):
    """The outcome of an import of bookings. If any booking is refused, nothing is booked.

    Attributes:
        booked: How many bookings were booked, or can be.
        known: The indexes of the bookings that an earlier import has booked.
        refused: The refused bookings.
    """

    booked: int = 0
    known: tuple[int, ...] = ()
    refused: tuple[RefusedBooking, ...] = ()


class ImportBookings(ActorCommand, frozen=True, kw_only=True):
    """Book all these bookings, or none of them.

    Each booking is decided on the situation after the one before, as if it were booked alone. A booking whose UUID has
    an Order already, also one that was cancelled, erased or deleted meanwhile, is left as it is.

    Attributes:
        bookings: The bookings, at most MOST_BOOKINGS.
        dry_run: Whether nothing is booked, and the outcome says what would be.
    """

    stores_more: ClassVar[bool] = True

    bookings: tuple[BookAtDesk, ...]
    dry_run: bool = False

    def needs(self) -> Needs:
        """Return the needs of all bookings."""
        return join_needs([booking.needs() for booking in self.bookings])

    def decide(self, situation: Situation) -> Decision[BookingsOutcome]:
        """Book the bookings in their order, unless any of them is refused."""
        known: list[int] = []
        refused: list[RefusedBooking] = []
        changes: list[tuple[Change, ...]] = []
        after = situation
        for number, booking in enumerate(self.bookings):
            if booking.key in situation.records:
                known.append(number)
                continue
            decided = _decide(after, booking)
            if isinstance(decided, Decision):
                changes.append(decided.changes)
                after = evolve_all(after, decided.changes)
            else:
                refused.append(RefusedBooking(number, decided))
        outcome = BookingsOutcome(len(changes), tuple(known), tuple(refused))
        is_done = not (refused or self.dry_run)
        return Decision(reply=outcome, changes=tuple(chain.from_iterable(changes)) if is_done else ())


def _decide(situation: Situation, booking: BookAtDesk) -> Decision[Order] | OpenBookingError | ItemError:
    """Return the decision about a booking, or the first error if the booking is refused."""
    try:
        decision = booking.decide(situation)
    except OpenBookingError as fault:
        return fault
    errors = [error for item in decision.reply.items for error in item.errors]
    return errors[0] if errors else decision
