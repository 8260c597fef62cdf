"""Order Deletion and OrderQuote Deletion (OB 9.2.3, 9.2.7)."""

from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.model.record import OrderRecord, QuoteRecord
from openbooking.booking.model.situation import RecordSet, Situation
from openbooking.booking.rules import lifecycle
from openbooking.booking.rules.holding import is_spent


class DeleteOrder(OrderCommand, frozen=True, kw_only=True):
    """Delete an Order, of which a stub without personal data remains."""

    def decide(self, situation: Situation) -> Decision[None]:
        """Delete the Order, whatever the states of its items (OB-DEL-11); a repeat succeeds (OB-DEL-07).

        Raises:
            UnknownOrderError: No booked Order has the UUID.
        """
        record = situation.records.get(self.key)
        lifecycle.check_event(record, lifecycle.Event.DELETE)
        if record:
            self.caller.check_may_act_for(record.seller)
        if not isinstance(record, OrderRecord):
            return Decision(reply=None)
        deleted = lifecycle.deleted_record(record, self.stamp(situation))
        return Decision(reply=None, changes=(RecordSet(self.key, deleted),))


class DeleteQuote(OrderCommand, frozen=True, kw_only=True):
    """Delete a quote with its Lease; the command succeeds even if there is none (OB-OQD-01)."""

    def decide(self, situation: Situation) -> Decision[None]:
        """Remove the quote, if the UUID has one; an Order with the UUID stays.

        A record that marks the UUID as spent stays, too.
        """
        record = situation.records.get(self.key)
        if not isinstance(record, QuoteRecord) or record.lease is None or is_spent(situation, record):
            return Decision(reply=None)
        self.caller.check_may_act_for(record.seller)
        return Decision(reply=None, changes=(RecordSet(self.key, None),))
