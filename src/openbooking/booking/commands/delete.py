"""Order Deletion and OrderQuote Deletion (OB 9.2.3, 9.2.7)."""

from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.model.record import OrderRecord, QuoteRecord
from openbooking.booking.model.situation import RecordSet, Situation
from openbooking.booking.rules import lifecycle
from openbooking.booking.rules.holding import is_spent


class DeleteOrder(OrderCommand, frozen=True, kw_only=True):
    """The booking is reversed as if it had not been; only a stub remains, without personal data."""

    def decide(self, situation: Situation) -> Decision[None]:
        """Delete, whatever the state of the items (OB-DEL-11); deleting again succeeds (OB-DEL-07)."""
        record = situation.records.get(self.key)
        lifecycle.check_event(record, lifecycle.Event.DELETE)
        if record:
            self.caller.check_may_act_for(record.seller)
        if not isinstance(record, OrderRecord):
            return Decision(reply=None)
        return Decision(reply=None, changes=(RecordSet(self.key, lifecycle.deleted(record, self.stamp(situation))),))


class DeleteQuote(OrderCommand, frozen=True, kw_only=True):
    """The quote and its Lease end; succeeds in every case in which the caller may ask (OB-OQD-01)."""

    def decide(self, situation: Situation) -> Decision[None]:
        """Remove the quote if there is one; an Order behind the UUID is not touched.

        That a UUID has used up the time for which it may hold is remembered all the same.
        """
        record = situation.records.get(self.key)
        if not isinstance(record, QuoteRecord) or record.lease is None or is_spent(situation, record):
            return Decision(reply=None)
        self.caller.check_may_act_for(record.seller)
        return Decision(reply=None, changes=(RecordSet(self.key, None),))
