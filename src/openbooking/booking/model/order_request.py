"""Orders and their items, as Brokers request them at C1, C2, P and B (OB 10.1)."""

import hashlib
from decimal import Decimal
from typing import Any

import msgspec

from openbooking.booking.model.order import Payment, Reflected
from openbooking.openactive.ids import FormFieldRef, OfferRef
from openbooking.openactive.terms import BrokerRole


class OfferOverride(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A price that the Broker sets, as agreed with the Seller elsewhere (OB 7.7)."""

    price: Decimal
    currency: str | None = None
    name: str | None = None
    properties: Reflected = {}


class IntakeAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a field of an intake form.

    Attributes:
        field: The field; None if the `@id` in the answer is not a field of this system.
        sent: The answer as it was sent.
    """

    field: FormFieldRef | None = None
    sent: Reflected

    @property
    def value(self) -> Any:
        """The `value` of the answer."""
        return self.sent.get("value")


class ItemRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A requested OrderItem.

    Attributes:
        position: The `position` that the Broker sent.
        opportunity_id: The `@id` of the Opportunity as it was sent.
        opportunity: The path in that `@id`; None if it is not an Opportunity of this system.
        offer_id: The `@id` of the Offer as it was sent.
        offer: The reference in that `@id`; None if it is not an Offer of this system.
        override: The Offer that the Broker sets in place of a published one.
        attendee: The attendee as it was sent.
        intake_answers: The answers to the intake form.
        access_passes: The access passes that the Broker sent.
    """

    position: int
    opportunity_id: str | None = None
    opportunity: str | None = None
    offer_id: str | None = None
    offer: OfferRef | None = None
    override: OfferOverride | None = None
    attendee: Reflected | None = None
    intake_answers: tuple[IntakeAnswer, ...] = ()
    access_passes: tuple[Reflected, ...] = ()


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of C1, C2, P or B. `total_currency` is the currency of its `totalPaymentDue`."""

    seller_id: str
    seller: str | None = None
    broker_role: BrokerRole
    broker: Reflected | None = None
    customer: Reflected | None = None
    customer_note: str | None = None
    items: tuple[ItemRequest, ...]
    total_payment_due: Decimal | None = None
    total_currency: str | None = None
    payment: Payment | None = None

    def fingerprint(self) -> str:
        """Return a digest that is equal for equal requests, in any order of their JSON keys (OB-B-10, OB-B-11)."""
        return fingerprint_of(self)


def fingerprint_of(request: Any) -> str:
    """Return a digest that is equal for equal requests, in this version and in later versions of this system.

    Records do not store this digest, because its readers could test guesses at the personal data in the request. They
    store a keyed digest (`openbooking.booking.rules.orders.fingerprint`).
    """
    return hashlib.sha256(msgspec.json.encode(request, order="deterministic")).hexdigest()
