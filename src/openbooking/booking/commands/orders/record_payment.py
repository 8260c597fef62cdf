"""The front desk takes a payment for an Order that it booked before."""

from decimal import Decimal
from typing import ClassVar

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.desk_payment import DeskPayment
from openbooking.booking.model.errors import DueChangedError, UnacceptablePaymentError
from openbooking.booking.model.order import MeansOfPayment, OrderKey
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules.orders import lifecycle
from openbooking.booking.rules.orders.desk_account import due_at_desk
from openbooking.booking.rules.size_limits import check_record
from openbooking.openactive.money import is_price, round_money


class RecordPayment(ActorCommand, frozen=True, kw_only=True):
    """Record a payment that the Customer made at the front desk after the booking.

    Attributes:
        order: The key of the Order.
        amount: The amount, at most what is due.
        means: How the Customer paid.
        reference: The reference of the payment; empty if there is none.
        due: The amount that was due when the payment was taken. A form that is sent twice records one payment.
    """

    stores_more: ClassVar[bool] = True

    order: OrderKey
    amount: Decimal
    means: MeansOfPayment
    reference: str = ""
    due: Decimal

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.PAYMENT_RECORDED

    def needs(self) -> Needs:
        """Return the record of the Order."""
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision[None]:
        """Record the payment.

        Raises:
            UnknownOrderError: No booked Order has the key.
            GoneError: The Order was deleted.
            UnacceptablePaymentError: The Order was not booked at the front desk, or the amount is 0, no amount of
                money, or more than is due.
            DueChangedError: Another amount is due now than when the payment was taken.
            RequestTooLargeError: The Order would take too many bytes.
        """
        record = lifecycle.booked_order(situation, self.order)
        if not record.is_of_desk:
            raise UnacceptablePaymentError("Only bookings of the front desk are paid there.")
        due = due_at_desk(record)
        if due != self.due:
            raise DueChangedError
        if not is_price(self.amount) or not self.amount:
            raise UnacceptablePaymentError("The amount must be more than 0, with at most two decimals.")
        if self.amount > due:
            raise UnacceptablePaymentError(f"Only {due:f} is due.")
        stamp = self.stamp(situation)
        payment = DeskPayment(amount=round_money(self.amount), means=self.means, reference=self.reference, taken=stamp)
        paid = replace(record, payments=(*record.payments, payment), changed=stamp)
        check_record(record, paid, situation.policy)
        return Decision(reply=None, changes=(RecordSet(self.order, paid),))
