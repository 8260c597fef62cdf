"""A pretended payment provider. No money moves: replace it by hooks that call a real provider.

The client keeps what was paid. A real provider gets the idempotency key of each call.
"""

from openbooking.broker import Charge, DeclinedError, PaymentError

CARDS = {
    "works": "Test card that works",
    "declined": "Test card that is declined",
    "unreachable": "Test card whose bank cannot be reached",
    "slow": "Test card whose payment is known a minute later",
}


class PretendedPayments:
    """The hooks of payment."""

    def __init__(self) -> None:
        self._captures = set[str]()

    def authorise(self, charge: Charge) -> str:
        """Reserve an amount."""
        if charge.reference == "declined":
            raise DeclinedError("The card was declined.")
        if charge.reference == "unreachable":
            raise PaymentError("The bank of the card cannot be reached.")
        return f"pretended-{charge.payment}"

    def capture(self, charge: Charge) -> None:
        """Take an amount that was reserved. The slow card answers the second call only."""
        if charge.reference == "slow" and charge.key not in self._captures:
            self._captures.add(charge.key)
            raise PaymentError("The bank has not answered yet.")

    def void(self, charge: Charge) -> None:
        """Release an amount that was reserved."""

    def refund(self, charge: Charge) -> None:
        """Pay a part back."""
