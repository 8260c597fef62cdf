"""Erase the personal data of Orders, at the end of their retention period or on request; the Orders themselves remain.

`rules.erasure` decides when the data is erased, and which data.
"""

from datetime import datetime

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, BaseCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.errors import BookingAheadError
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules import lifecycle
from openbooking.booking.rules.erasure import bookings_ahead, describe_bookings, erase_personal_data, is_erasure_due

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
    """Erase the personal data of chosen Orders: of all of them, or of none.

    The reply is the number of Orders whose data was erased. Orders without personal data do not change.

    Attributes:
        orders: The keys of the Orders.
    """

    orders: frozenset[OrderKey]

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.PERSONAL_DATA_ERASED

    def needs(self) -> Needs:
        """Return the records of the Orders."""
        return Needs(records=self.orders)

    def decide(self, situation: Situation) -> Decision[int]:
        """Erase the personal data.

        Raises:
            UnknownOrderError: No booked Order has one of the keys.
            GoneError: One of the Orders was deleted.
            BookingAheadError: One of the Orders has a booking that is neither over nor cancelled.
        """
        records = [lifecycle.booked_order(situation, key) for key in sorted(self.orders)]
        ahead = [(record, item) for record in records for item in bookings_ahead(situation, record)]
        if ahead:
            raise BookingAheadError(describe_bookings(ahead, situation.policy.time_zone))
        stamp = self.stamp(situation)
        erased = [
            replace(erase_personal_data(record, stamp), changed=stamp)
            for record in records
            if record.order.personal is not None
        ]
        return Decision(reply=len(erased), changes=tuple(RecordSet(record.key, record) for record in erased))
