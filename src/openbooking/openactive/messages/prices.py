"""Offers, prices, taxes and payments (OB 8.1, 10.1.8, 10.1.13 to 10.1.15).

Tables P-08, P-09 and P-11 of the requirements. Prices are in the major unit of their currency. `price_currency` is
an ISO 4217 code, and is absent only if the price is 0.
"""

from typing import Literal

from msgspec import field

from openbooking.openactive.messages.base import Duration, Instant, JsonObject, Message, Price, TypedMessage, Uri
from openbooking.openactive.terms import Availability


class QuantitativeValue(TypedMessage, frozen=True, kw_only=True):
    """A range. Without `minValue` or `maxValue` the range has no limit on that side."""

    min_value: int | float | None = None
    max_value: int | float | None = None


class Offer(TypedMessage, frozen=True, kw_only=True):
    """The properties that the specification defines for a published Offer."""

    id: str = field(name="@id")
    name: str | None = None
    description: str | None = None
    url: Uri | None = None
    price: Price
    price_currency: str | None = None
    age_restriction: JsonObject | None = None
    open_booking_in_advance: Availability | None = None
    open_booking_prepayment: Availability | None = None
    valid_from: Instant | None = None
    valid_through: Instant | None = None
    eligible_quantity: QuantitativeValue | None = None
    valid_from_before_start_date: Duration | None = None
    valid_through_before_start_date: Duration | None = None
    allow_customer_cancellation_full_refund: bool | None = None
    latest_cancellation_before_start_date: Duration | None = None
    open_booking_flow_requirement: tuple[str, ...] = ()


class OfferOverride(TypedMessage, frozen=True, kw_only=True):
    """An Offer with a price that the Broker sets, by agreement with the Seller (OB 7.7)."""

    id: str | None = field(name="@id", default=None)
    name: str | None = None
    description: str | None = None
    price: Price
    price_currency: str | None = None


class PriceSpecification(TypedMessage, frozen=True, kw_only=True):
    """The `totalPaymentDue` of an Order."""

    price: Price
    price_currency: str | None = None
    open_booking_prepayment: Availability | None = None


class TaxChargeSpecification(TypedMessage, frozen=True, kw_only=True):
    """An amount of one tax; `rate` is a fraction, 0.2 for 20 %."""

    name: str
    identifier: str | None = None
    price: Price
    price_currency: str | None = None
    rate: Price | None = None


class Payment(Message, frozen=True, kw_only=True):
    """How the Broker paid. A request without `@type` means `Payment`; replies always have an `@type`."""

    type: Literal["Payment", "DynamicPayment"] | None = field(name="@type", default=None)
    identifier: str | None = None
    name: str | None = None
    account_id: str | None = None
    payment_provider_id: str | None = None
