"""What becomes of Orders when a Seller revokes its authorisation of a Booking Partner, or gives it again (OB 11.7)."""

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.order import Partnership
from openbooking.booking.model.record import QuoteRecord, Record
from openbooking.booking.model.situation import Needs, RecordSet, Situation


class Withhold(ActorCommand, frozen=True, kw_only=True):
    """The partner's feeds show the Seller's Orders as deleted (OB-AUTH-07), or show them again as they stand now.

    The reply is how many records it has changed: not all at once, so to be repeated until there are none.
    """

    partnership: Partnership
    withheld: bool

    def needs(self) -> Needs:
        """Some of the records that are not yet as they should be."""
        wanted = frozenset({self.partnership})
        return Needs(shown_to=wanted) if self.withheld else Needs(withheld_from=wanted)

    def decide(self, situation: Situation) -> Decision[int]:
        """Change them; quotes end, for the partner can no longer book what they hold."""
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
