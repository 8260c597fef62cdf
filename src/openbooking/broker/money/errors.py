"""The errors that end a purchase."""

import uuid
from decimal import Decimal

from openbooking.broker.money.purchase import WORDS, State
from openbooking.openactive.errors import BrokerError


class PurchaseError(BrokerError):
    """A purchase cannot go on."""


class UnknownPurchaseError(PurchaseError):
    """The journal has no purchase with this Order UUID."""


class WrongStateError(PurchaseError):
    """The purchase is not at the step that was asked for: it was booked or proposed before, or is under way."""

    def __init__(self, order: uuid.UUID, state: State, words: str = "") -> None:
        super().__init__(f"The purchase {order} cannot do this now: {words or WORDS[state]}")
        self.order = order
        self.state = state


class LostPurchaseError(PurchaseError):
    """Another instance has taken the purchase over, because it found that this one had ended. Nothing more is done."""


class UnfinishedError(PurchaseError):
    """The outcome of a step is not known yet. A later `recover` finishes or reverses the purchase.

    Attributes:
        order: The Order UUID.
        state: The step whose outcome is not known.
    """

    def __init__(self, order: uuid.UUID, state: State, reason: str) -> None:
        super().__init__(f"The purchase {order} is not finished: {WORDS[state]} {reason}".rstrip())
        self.order = order
        self.state = state


class PriceChangedError(PurchaseError):
    """The total differs from the one that the Customer agreed to. Nothing is booked or paid.

    Attributes:
        agreed: The total that the Customer agreed to.
        found: The total that the Booking System states now.
    """

    def __init__(self, agreed: Decimal, found: Decimal) -> None:
        super().__init__(f"The total is {found}, and the Customer agreed to {agreed}.")
        self.agreed = agreed
        self.found = found


class NoQuoteError(PurchaseError):
    """No quote was received since the last change of the basket, so that its price is not known. Nothing is booked.

    Attributes:
        order: The Order UUID.
    """

    def __init__(self, order: uuid.UUID) -> None:
        super().__init__(f"The basket {order} has no quote of its present contents. Call `quote` before it is booked.")
        self.order = order


class NotApprovedError(PurchaseError):
    """The Seller has not accepted the version of the OrderProposal that the Customer agreed to (OB-BRK-08)."""


class NoPaymentsError(PurchaseError):
    """The Order costs something, and no hooks of payment were given."""
