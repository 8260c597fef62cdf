"""Erasure of the personal data of an Order, while the Order itself remains (retention).

`rules.erasure` says which data is erased.
"""

from datetime import datetime

from msgspec.structs import replace

from openbooking.booking.command import BaseCommand, Decision
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules.erasure import erase_personal_data, is_erasure_due

RETENTION = Actor(ActorKind.SYSTEM, "retention")


class ErasePersonalData(BaseCommand, frozen=True, kw_only=True):
    """Erase the personal data of Orders whose last session ended before `over_before`.

    A store loads a few hundred of these Orders at once. The reply is the number of Orders whose data was erased. The
    caller repeats the command until the reply is 0.
    """

    over_before: datetime

    @property
    def actor(self) -> Actor:
        """The part of the system that erases."""
        return RETENTION

    def needs(self) -> Needs:
        """Return some of the Orders that ended before then."""
        return Needs(over_before=self.over_before)

    def decide(self, situation: Situation) -> Decision[int]:
        """Erase the data of all loaded Orders that are due."""
        due = [
            record
            for record in situation.records.values()
            if isinstance(record, OrderRecord) and is_erasure_due(record, self.over_before)
        ]
        stamp = self.stamp(situation)
        erased = (replace(erase_personal_data(record, stamp), changed=stamp) for record in due)
        return Decision(reply=len(due), changes=tuple(RecordSet(record.key, record) for record in erased))
