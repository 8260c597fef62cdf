"""A payment that the front desk took after the booking."""

from decimal import Decimal

import msgspec

from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.order import MeansOfPayment


class DeskPayment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A payment for an Order of the front desk. A payment with the booking is `Order.payment` instead.

    Attributes:
        amount: The amount, in the currency of the Order.
        means: How the Customer paid.
        reference: The reference of the payment, such as the number of the card machine's slip; empty if there is none.
        taken: Who took it, and when.
    """

    amount: Decimal
    means: MeansOfPayment
    reference: str = ""
    taken: Stamp
