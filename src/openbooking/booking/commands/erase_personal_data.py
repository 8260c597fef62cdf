"""Erase the personal data of Orders at the end of their retention period; the Orders themselves remain.

`rules.erasure` decides when the data is erased, and which data.
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
