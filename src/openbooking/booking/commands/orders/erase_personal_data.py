"""Erase the personal data of Orders at the end of their retention period, or of one person on request.

The Orders themselves remain.

`rules.erasure` decides when the data is erased, and which data.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, BaseCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.actor import Actor, ActorKind, Stamp
from openbooking.booking.model.errors import BookingAheadError
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import OrderRecord, ProposalRecord
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules.orders import lifecycle
from openbooking.booking.rules.orders.erasure import (
    bookings_ahead,
    describe_bookings,
    describe_proposals,
    erase_attendees,
    erase_personal_data,
    is_erasure_due,
)
from openbooking.booking.rules.orders.search_terms import CUSTOMER, numbers_of

# A record, and the numbers of the items that a person attends in it, or CUSTOMER.
_Found = tuple[OrderRecord | ProposalRecord, frozenset[int]]

RETENTION = Actor(ActorKind.SYSTEM, "retention")


class ErasePersonalData(BaseCommand, frozen=True, kw_only=True):
    """Erase the personal data of Orders whose retention period began by `over_before` (`erasure.retention_start`).

    A store loads a few hundred of these Orders at once. The reply is the number of Orders whose data was erased. The
    caller repeats the command until the reply is 0.
    """

    over_before: datetime

    @property
    def actor(self) -> Actor:
        """The retention, a part of the system."""
        return RETENTION

    def needs(self) -> Needs:
        """Return some of the Orders with personal data whose retention period began by `over_before`."""
        return Needs(over_before=self.over_before)

    def decide(self, situation: Situation) -> Decision[int]:
        """Erase the personal data of the loaded Orders that are due."""
        due = [
            record
            for record in situation.records.values()
            if isinstance(record, OrderRecord) and is_erasure_due(record, self.over_before)
        ]
        stamp = self.stamp(situation)
        erased = (replace(erase_personal_data(record, stamp), changed=stamp) for record in due)
        return Decision(reply=len(due), changes=tuple(RecordSet(record.key, record) for record in erased))


class EraseOrderData(ActorCommand, frozen=True, kw_only=True):
    """Erase the data of one person in chosen Orders and OrderProposals: in all of them, or in none.

    If the person is the Customer, all personal data of the Order is erased, also that of attendees. If the person is an
    attendee whom another Customer has booked, only the data of the items that the person attends is erased.

    The reply is the number of records whose data was erased. Records without data of the person do not change.

    Attributes:
        orders: The keys of the Orders and OrderProposals.
        contact: The whole e-mail address or telephone number of the person.
    """

    orders: frozenset[OrderKey]
    contact: str

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.PERSONAL_DATA_ERASED

    def needs(self) -> Needs:
        """Return the records of the Orders and OrderProposals."""
        return Needs(records=self.orders)

    def decide(self, situation: Situation) -> Decision[int]:
        """Erase the data of the person.

        Raises:
            UnknownOrderError: No Order or OrderProposal has one of the keys.
            GoneError: One of the Orders was deleted.
            BookingAheadError: The person has a booking that is neither over nor cancelled, or an open OrderProposal.
        """
        records = [_record(situation, key) for key in sorted(self.orders)]
        people = [(record, numbers_of(record.order.personal, self.contact)) for record in records]
        found = [(record, numbers) for record, numbers in people if numbers]
        _check_nothing_is_ahead(situation, found)
        stamp = self.stamp(situation)
        erased = [replace(_erase_person(record, numbers, stamp), changed=stamp) for record, numbers in found]
        return Decision(reply=len(erased), changes=tuple(RecordSet(record.key, record) for record in erased))


def _record(situation: Situation, key: OrderKey) -> OrderRecord | ProposalRecord:
    record = situation.records.get(key)
    return record if isinstance(record, ProposalRecord) else lifecycle.booked_order(situation, key)


def _check_nothing_is_ahead(situation: Situation, found: Sequence[_Found]) -> None:
    """Raise BookingAheadError if a person has bookings that are neither over nor cancelled, or open OrderProposals."""
    zone = situation.policy.time_zone
    orders = [(record, numbers) for record, numbers in found if isinstance(record, OrderRecord)]
    ahead = [(record, item) for record, numbers in orders for item in bookings_ahead(situation, record, numbers)]
    proposals = [record for record, _ in found if isinstance(record, ProposalRecord)]
    open_ = [record for record in proposals if lifecycle.is_open(record.proposal)]
    sentences = [describe_bookings(ahead, zone)] if ahead else []
    sentences += [describe_proposals(open_, zone)] if open_ else []
    if sentences:
        raise BookingAheadError(" ".join(sentences))


def _erase_person(
    record: OrderRecord | ProposalRecord, numbers: frozenset[int], stamp: Stamp
) -> OrderRecord | ProposalRecord:
    """Return the record without the data of a person: without all personal data of a Customer or a closed proposal."""
    if isinstance(record, ProposalRecord):
        return erase_personal_data(record, stamp)
    return erase_personal_data(record, stamp) if CUSTOMER in numbers else erase_attendees(record, numbers)
