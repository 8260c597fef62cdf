"""What a Seller does to Orders after they were booked (OB 8.3.3)."""

import msgspec

from openbooking.booking.cancel import booked, with_states
from openbooking.booking.command import Decision
from openbooking.booking.order import ItemState, OrderKey
from openbooking.booking.policy import Policy
from openbooking.booking.situation import Needs, RecordSet, Situation
from openbooking.spec.terms import OrderItemStatus


class SellerCancel(msgspec.Struct, frozen=True, kw_only=True):
    """The Seller cancels every item of an Order that is not cancelled yet, with a message to the Customer or none."""

    order: OrderKey
    message: str | None = None

    def needs(self, policy: Policy) -> Needs:
        """The record of the Order."""
        del policy
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision:
        """Cancel; the Broker then refunds in full (OB-SEL-01, OB-SEL-02)."""
        record, order = booked(situation, self.order)
        state = ItemState(status=OrderItemStatus.SELLER_CANCELLED, cancellation_message=self.message)
        open_ = [item.number for item in order.items if not record.states[item.number - 1].status.cancelled]
        changed = with_states(record, dict.fromkeys(open_, state))
        return Decision(changes=(RecordSet(self.order, changed),) if open_ else ())
