"""Order Deletion and OrderQuote Deletion (OB 9.2.3, 9.2.7)."""

from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.model.activity import Action
from openbooking.booking.model.record import OrderRecord, QuoteRecord
from openbooking.booking.model.situation import RecordSet, Situation
from openbooking.booking.rules.orders import lifecycle
from openbooking.booking.rules.orders.holding import is_spent


class DeleteOrder(OrderCommand, frozen=True, kw_only=True):
    """Delete an Order. A record without items and personal data remains (`DeletedRecord`)."""

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.ORDER_DELETED

    def decide(self, situation: Situation) -> Decision[None]:
        """Delete the Order, even if its items are cancelled (OB-DEL-11). A repeat succeeds (OB-DEL-07).

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
    """Delete a quote with its Lease. The command succeeds even if there is no quote (OB-OQD-01)."""

    def decide(self, situation: Situation) -> Decision[None]:
        """Remove the quote with the UUID, if there is one. An Order with the UUID is not removed.

        A quote that has used up its hold time is not removed either, because its UUID gets no new Lease for a day.
        """
        record = situation.records.get(self.key)
        if not isinstance(record, QuoteRecord) or record.lease is None or is_spent(situation, record):
            return Decision(reply=None)
        self.caller.check_may_act_for(record.seller)
        return Decision(reply=None, changes=(RecordSet(self.key, None),))
