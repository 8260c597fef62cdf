"""Withhold the Orders of a Booking Partner whose authorisation the Seller has revoked (OB 11.7)."""

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.order import Partnership
from openbooking.booking.model.record import QuoteRecord, Record
from openbooking.booking.model.situation import Needs, RecordSet, Situation


class Withhold(ActorCommand, frozen=True, kw_only=True):
    """Show the Orders of a partnership as deleted in the partner's feeds (OB-AUTH-07), or show them again.

    A store loads some of the records at once. The reply is the number of changed records. The caller repeats the
    command until the reply is 0.

    Attributes:
        partnership: The Booking Partner and the Seller.
        withheld: True to withhold the Orders, False to show them again.
    """

    partnership: Partnership
    withheld: bool

    def needs(self) -> Needs:
        """Return some of the records that the command has not changed yet."""
        wanted = frozenset({self.partnership})
        return Needs(shown_to=wanted) if self.withheld else Needs(withheld_from=wanted)

    def decide(self, situation: Situation) -> Decision[int]:
        """Change the loaded records. Quotes are removed, because the partner can no longer book."""
        stamp = self.stamp(situation)
        changes = tuple(
            RecordSet(record.key, self._after(record, stamp))
            for record in situation.records.values()
            if record.partnership == self.partnership and record.withheld is not self.withheld
        )
        return Decision(reply=len(changes), changes=changes)

    def _after(self, record: Record, stamp: Stamp) -> Record | None:
        if isinstance(record, QuoteRecord):
            return None
        return replace(record, withheld=self.withheld, changed=stamp)
