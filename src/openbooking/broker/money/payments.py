"""The hooks by which a Broker's application takes payments, and the errors that its hooks raise."""

import uuid
from collections.abc import Awaitable
from decimal import Decimal
from typing import NamedTuple, Protocol

from openbooking.openactive.errors import BrokerError, Retry


class Charge(NamedTuple):
    """What a hook is asked to do.

    Attributes:
        key: The idempotency key of this call. It is the same if the call is repeated, and differs for any other call.
        payment: The key under which the payment was authorised.
        amount: The amount, in the major unit of the currency.
        currency: The currency as an ISO 4217 code.
        order: The Order UUID.
        reference: The text that the application passed to `book`, such as the id of a payment method.
        payment_id: The id that `authorise` returned; empty if the outcome of the authorisation is not known.
    """

    key: str
    payment: str
    amount: Decimal
    currency: str
    order: uuid.UUID
    reference: str
    payment_id: str


class Payments(Protocol):
    """The payment provider of an application. The hooks may be functions or, for `AsyncBroker`, coroutine functions.

    A hook that raises `DeclinedError` has changed nothing, nor has an earlier call with the same key. After
    `TemporaryPaymentError`, or any other error, the call may have been carried out or not; it is repeated with the same
    key.
    """

    def authorise(self, charge: Charge) -> str | Awaitable[str]:
        """Reserve an amount, and return the provider's id of the payment, by which the Seller reconciles it."""
        ...

    def capture(self, charge: Charge) -> Awaitable[None] | None:
        """Take the amount that was authorised as `charge.payment`."""
        ...

    def void(self, charge: Charge) -> Awaitable[None] | None:
        """Release the amount that was authorised as `charge.payment`.

        If nothing was authorised under that key, or it was released before, do nothing. An authorisation that is still
        under way must not succeed afterwards.
        """
        ...

    def refund(self, charge: Charge) -> Awaitable[None] | None:
        """Pay a part of a captured payment back. `charge.amount` is this part."""
        ...


class PaymentError(BrokerError):
    """A hook could not do what it was asked to do."""


class DeclinedError(PaymentError):
    """The provider refuses finally. Nothing has changed, and a repeat would be refused too."""


class TemporaryPaymentError(PaymentError):
    """The provider cannot be reached, or cannot do it now. The call may have been carried out or not."""

    retry = Retry.SAME_UUID
