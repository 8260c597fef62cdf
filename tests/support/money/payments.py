"""A simulated payment provider, with faults as it is told."""

from collections import defaultdict
from decimal import Decimal
from enum import StrEnum

from openbooking.broker.money.payments import Charge, DeclinedError, TemporaryPaymentError


class PaymentFault(StrEnum):
    """What goes wrong with the call of a hook."""

    DECLINED = "declined"
    TEMPORARY = "temporary, and nothing done"
    LOST = "done, and then a temporary error"
    BROKEN = "done, and then an unexpected error"


class Provider:
    """The provider. `faults` are those of the next calls of a hook; `always` those of all further calls."""

    def __init__(self) -> None:
        self.state = dict[str, str]()
        self.refunds = dict[str, Decimal]()
        self.calls = list[tuple[str, Charge]]()
        self.faults = defaultdict[str, list[PaymentFault]](list)
        self.always = dict[str, PaymentFault]()
        self.violations = list[str]()

    def having(self, state: str) -> list[str]:
        """Return the keys of the payments in a state."""
        return [key for key, found in self.state.items() if found == state]

    def authorise(self, charge: Charge) -> str:
        self._call("authorise", charge, self._authorise)
        return f"payment-{charge.key}"

    def capture(self, charge: Charge) -> None:
        self._call("capture", charge, self._capture)

    def void(self, charge: Charge) -> None:
        self._call("void", charge, self._void)

    def refund(self, charge: Charge) -> None:
        self._call("refund", charge, self._refund)

    def _call(self, name: str, charge: Charge, effect: object) -> None:
        assert callable(effect)
        self._compare(name, charge)
        self.calls.append((name, charge))
        fault = self.faults[name].pop(0) if self.faults[name] else self.always.get(name)
        taken = name == "capture" and self.state.get(charge.payment) == "captured"
        if fault is PaymentFault.DECLINED and not taken and charge.key not in self.refunds:
            raise DeclinedError(f"{name} is declined")
        if fault is PaymentFault.TEMPORARY:
            raise TemporaryPaymentError(f"{name} is not possible now")
        effect(charge)
        if fault is PaymentFault.LOST:
            raise TemporaryPaymentError(f"the answer to {name} was lost")
        if fault is PaymentFault.BROKEN:
            raise ZeroDivisionError(name)

    def _compare(self, name: str, charge: Charge) -> None:
        for earlier, other in self.calls:
            if charge.key == other.key and (name, charge.amount, charge.payment) != (
                earlier,
                other.amount,
                other.payment,
            ):
                self.violations.append(f"the key {charge.key} was used for {earlier} and {name}")

    def _authorise(self, charge: Charge) -> None:
        if self.state.setdefault(charge.payment, "authorised") == "voided":
            self.violations.append(f"{charge.payment} was authorised after it was voided")

    def _capture(self, charge: Charge) -> None:
        if self.state.get(charge.payment) not in ("authorised", "captured"):
            self.violations.append(f"{charge.payment} was captured without an authorisation")
        self.state[charge.payment] = "captured"

    def _void(self, charge: Charge) -> None:
        if self.state.get(charge.payment) == "captured":
            self.violations.append(f"{charge.payment} was voided after it was captured")
        self.state[charge.payment] = "voided"

    def _refund(self, charge: Charge) -> None:
        if self.state.get(charge.payment) != "captured":
            self.violations.append(f"{charge.payment} was refunded without a capture")
        self.refunds[charge.key] = charge.amount
