"""OrderItems of replies and of the Orders feeds: questions, answers, access and errors (OB 10.1.6 to 10.1.12).

Tables P-07 and P-11 of the requirements.
"""

from typing import Any

from msgspec import field

from openbooking.openactive.messages.base import (
    Message,
    OfferReference,
    OpenAnswer,
    OpenChannel,
    OpenPass,
    OpenPerson,
    OpportunityReference,
    TypedMessage,
    Uri,
)
from openbooking.openactive.messages.prices import TaxChargeSpecification
from openbooking.openactive.terms import FormFieldType


class FormFieldSpecification(Message, frozen=True, kw_only=True):
    """A question of an intake form (OB-FORM-02); `valueOption` lists the answers that a dropdown allows."""

    type: FormFieldType = field(name="@type")
    id: str = field(name="@id")
    name: str
    description: str | None = None
    value_required: bool | None = None
    value_option: tuple[str, ...] = ()


class IntakeFormAnswer(TypedMessage, frozen=True, kw_only=True, tag="PropertyValue"):
    """The answer to a question; `propertyID` is the `@id` of the question."""

    property_id: str = field(name="propertyID")
    value: Any


class AccessCode(TypedMessage, frozen=True, kw_only=True, tag="PropertyValue"):
    """A code that an attendee shows or types; `description` is the code."""

    name: str
    description: str


class AdditionalProperty(TypedMessage, frozen=True, kw_only=True, tag="PropertyValue"):
    """A further fact about an OrderItem."""

    name: str
    value: Any


class Barcode(TypedMessage, frozen=True, kw_only=True):
    """An access pass to scan."""

    text: str | None = None
    url: Uri | None = None


class VirtualLocation(TypedMessage, frozen=True, kw_only=True):
    """An access channel: how to join a session online."""

    name: str | None = None
    description: str | None = None
    url: Uri | None = None
    access_id: str | None = None
    access_code: str | None = None


class OpenBookingError(Message, frozen=True, kw_only=True):
    """An error of a request or of one OrderItem (OB 10.2).

    `@type` is the name of the error class. `description` explains this one error. `instance` is the URI of the faulty
    property or object.
    """

    context: str | None = field(name="@context", default=None)
    type: str = field(name="@type")
    name: str | None = None
    status_code: int | None = None
    request_id: str | None = None
    description: str | None = None
    instance: str | None = None


class OrderItem(TypedMessage, frozen=True, kw_only=True):
    """One OrderItem. Items of quotes have no `@id`, and items of feeds have no `position`.

    `orderItemStatus` is the URI of a status. Readers accept every status, because the specification and its data
    model list different statuses (AMB-15, AMB-21).
    """

    # Do not change the order of the fields (see `messages/orders.py`).

    accepted_offer: OfferReference | None = None
    attendee_details_required: tuple[str, ...] = ()
    order_item_intake_form: tuple[FormFieldSpecification, ...] = ()
    ordered_item: OpportunityReference | None = None
    unit_tax_specification: tuple[TaxChargeSpecification, ...] = ()
    attendee: OpenPerson | None = None
    order_item_intake_form_response: tuple[OpenAnswer, ...] = ()
    position: int | None = None
    error: tuple[OpenBookingError, ...] = ()
    id: str | None = field(name="@id", default=None)
    order_item_status: str | None = None
    cancellation_message: str | None = None
    customer_notice: str | None = None
    access_code: tuple[AccessCode, ...] = ()
    access_pass: tuple[OpenPass, ...] = ()
    access_channel: OpenChannel | None = None
    additional_property: tuple[AdditionalProperty, ...] = ()
