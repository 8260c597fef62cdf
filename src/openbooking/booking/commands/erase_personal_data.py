"""Erasure of the personal data of an Order, while the Order itself remains (retention).

Items, capacity, totals and tax stay. Personal data is erased, with barcodes of the Broker's own and the fingerprint of
the request.
"""

from datetime import datetime

from msgspec.structs import replace

from openbooking.booking.command import BaseCommand, Decision
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules.erasure import is_due, without_personal_data

RETENTION = Actor(ActorKind.SYSTEM, "retention")


class ErasePersonalData(BaseCommand, frozen=True, kw_only=True):
    """The personal data of Orders whose last session was over by `over_before` is erased.

    A store loads a few hundred of these Orders at once. The reply is how many were erased: it is asked again until
    there are none.
    """

    over_before: datetime

    @property
    def actor(self) -> Actor:
        """The system itself."""
        return RETENTION

    def needs(self) -> Needs:
        """Some of the Orders that were over by then."""
        return Needs(over_before=self.over_before)

    def decide(self, situation: Situation) -> Decision[int]:
        """Erase it; Orders that other commands of the batch have loaded are judged by the same rule."""
        due = [
            record
            for record in situation.records.values()
            if isinstance(record, OrderRecord) and is_due(record, self.over_before)
        ]
        stamp = self.stamp(situation)
        erased = (replace(without_personal_data(record, stamp), changed=stamp) for record in due)
        return Decision(reply=len(due), changes=tuple(RecordSet(record.key, record) for record in erased))
