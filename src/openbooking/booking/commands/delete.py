"""Order Deletion and OrderQuote Deletion (OB 9.2.3, 9.2.7)."""

from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.model.record import RecordKind
from openbooking.booking.model.situation import RecordSet, Situation
from openbooking.booking.rules import lifecycle
from openbooking.booking.rules.holding import is_spent
from openbooking.booking.rules.order_changes import stub


class DeleteOrder(OrderCommand, frozen=True, kw_only=True):
    """The booking is reversed as if it had not been; only a stub remains, without personal data."""

    def decide(self, situation: Situation) -> Decision:
        """Delete, whatever the state of the items (OB-DEL-11); deleting again succeeds (OB-DEL-07)."""
        record = lifecycle.existing(situation.records.get(self.key), lifecycle.Event.DELETE)
        self.caller.check_may_act_for(record.seller)
        if record.kind is RecordKind.DELETED:
            return Decision()
        return Decision(changes=(RecordSet(self.key, stub(record, self.stamp(situation))),))


class DeleteQuote(OrderCommand, frozen=True, kw_only=True):
    """The quote and its Lease end; succeeds in every case in which the caller may ask (OB-OQD-01)."""

    def decide(self, situation: Situation) -> Decision:
        """Remove the quote if there is one; an Order behind the UUID is not touched.

        That a UUID has used up the time for which it may hold is remembered all the same.
        """
        record = situation.records.get(self.key)
        if record is None or record.kind is not RecordKind.QUOTE or record.lease is None or is_spent(situation, record):
            return Decision()
        self.caller.check_may_act_for(record.seller)
        return Decision(changes=(RecordSet(self.key, None),))
