"""Reads the bodies of C1, C2, P, B and the PATCHes, and makes the parameters of commands from them.

A body with one of these faults is refused with the error class and status on the right:

| Fault | Error |
|---|---|
| no valid JSON, no object, nested too deeply, NUL character | OpenBookingError, 400 |
| wrong or missing `@type` | UnexpectedOrderTypeError, 500 |
| `seller` without an `@id` | SellerNotFoundError, 500 |
| `brokerRole` missing or unknown; `broker` not an object | IncompleteBrokerDetailsError, 400 |
| `customer` not an object | IncompleteCustomerDetailsError, 400 |
| `orderedItem` missing, empty or not an array of objects | OpenBookingError, 400 |
| `position` missing, repeated or not a whole number from 0 to 2147483647 | OpenBookingError, 400 |
| answers or access passes not an array of objects | OpenBookingError, 400 |
| more OrderItems than `max_order_items` | RequestTooLargeError, 413, reported as OpenBookingError |
| PATCH with a property that cannot be changed | PatchContainsExcessivePropertiesError, 400 |

Any other property of the wrong type counts as absent, and commands check whether the request can be fulfilled without
it. Unknown properties are ignored (OB-MT-10), except in PATCHes.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple, NoReturn

import msgspec

from openbooking.booking.commands.orders.cancel import ItemPatch
from openbooking.booking.commands.orders.update_proposal import ProposalPatch
from openbooking.booking.model.order import Payment
from openbooking.booking.model.order_request import IntakeAnswer, ItemRequest, OfferOverride, OrderRequest
from openbooking.jsonld.read import check_type, read_object, read_reference
from openbooking.jsonld.read_message import Readers, keep_value, read_message
from openbooking.openactive import messages
from openbooking.openactive.errors import (
    IncompleteBrokerDetailsError,
    IncompleteCustomerDetailsError,
    OpenBookingError,
    PatchContainsExcessivePropertiesError,
    RequestTooLargeError,
    SellerNotFoundError,
    UnexpectedOrderTypeError,
)
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.messages import JsonObject
from openbooking.openactive.money import PRICE_LIMIT, is_price
from openbooking.openactive.terms import OrderType

# The classes in the table above, for Orders and for PATCHes.
ORDER_ERRORS = (
    OpenBookingError,
    RequestTooLargeError,
    UnexpectedOrderTypeError,
    SellerNotFoundError,
    IncompleteBrokerDetailsError,
    IncompleteCustomerDetailsError,
)
PATCH_ERRORS = (OpenBookingError, RequestTooLargeError, UnexpectedOrderTypeError, PatchContainsExcessivePropertiesError)

# At most 28 digits, the precision of decimal arithmetic.
_PRICE = re.compile(r"-?\d{1,12}(\.\d{1,16})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
# A relative reference or an http, https or urn URI, with only such characters as a URI can have.
_OVERRIDE_ID = re.compile(r"((?i:https?|urn):|(?![^/?#]*:))[^\s\x00-\x20\x7f\"<>\\^`{|}]+")


class ProposalBooking(NamedTuple):
    """The body of B after P.

    Attributes:
        version: The UUID of the version of the OrderProposal to book; None if the body names no such version.
        payment: The payment, which replaces the payment of P; None to keep the payment of P.
    """

    version: str | None
    payment: Payment | None


class OrderReader:
    """Reads the bodies of requests. Its methods raise the errors in the table of the module's docstring.

    Args:
        ids: Parses the `@id`s below the Base URI.
        max_items: The most OrderItems that a body may have.
    """

    def __init__(self, ids: Identifiers, max_items: int) -> None:
        self._ids = ids
        self._max_items = max_items

    def order(self, body: bytes, type_: OrderType) -> OrderRequest:
        """Read the body of C1, C2 (`OrderQuote`) or P (`OrderProposal`)."""
        return self._order(read_object(body), type_)

    def _order(self, read: JsonObject, type_: OrderType) -> OrderRequest:
        check_type(read, type_)
        seller_id = read_reference(read.get("seller"))
        if seller_id is None:
            raise SellerNotFoundError("The seller is missing.")
        sent = read_message(read, messages.OrderRequest, {**_ORDER_READERS, "orderedItem": self._read_items})
        total = sent.total_payment_due
        return OrderRequest(
            seller_id=seller_id,
            seller=self._ids.parse_seller(seller_id),
            broker_role=sent.broker_role,
            broker=sent.broker,
            customer_note=sent.order_customer_note,
            customer=sent.customer,
            items=self._items(sent.ordered_item),
            total_payment_due=_amount(total.price) if total else None,
            total_currency=total.price_currency if total else None,
            payment=_payment(sent.payment),
        )

    def booking(self, body: bytes, uuid: str) -> OrderRequest | ProposalBooking:
        """Read the body of B: a whole Order, or the version of an OrderProposal to book (OB-APP-29).

        Args:
            body: The body.
            uuid: The UUID of the Order.
        """
        read = read_object(body)
        if read.get("orderProposalVersion") is None:
            return self._order(read, OrderType.ORDER)
        check_type(read, OrderType.ORDER)
        sent = read_message(read, messages.ProposalBookingRequest, {"payment": _read_payment})
        version = read_reference(sent.order_proposal_version)
        parsed = self._ids.parse_proposal_version(version, uuid) if version else None
        return ProposalBooking(parsed, _payment(sent.payment))

    def proposal_patch(self, body: bytes) -> ProposalPatch:
        """Read the body of a PATCH of an OrderProposal (OB-OPU-03, OB-OPU-05)."""
        read = read_object(body)
        check_type(read, OrderType.PROPOSAL)
        _check_permitted(read, messages.OrderProposalPatch)
        readers = {"orderProposalStatus": keep_value, "orderCustomerNote": keep_value}
        sent = read_message(read, messages.OrderProposalPatch, readers)
        return ProposalPatch(sent.order_proposal_status, sent.order_customer_note)

    def item_patches(self, body: bytes) -> tuple[ItemPatch, ...]:
        """Read the body of a PATCH of an Order (OB-CAN-11, OB-CAN-12)."""
        read = read_object(body)
        check_type(read, OrderType.ORDER)
        _check_permitted(read, messages.OrderPatch)
        items = _objects(read.get("orderedItem"), "orderedItem")
        if not items:
            raise OpenBookingError("The PATCH names no OrderItem.")
        self._check_count(items)
        for item in items:
            _check_permitted(item, messages.OrderItemPatch)
        sent = (read_message(item, messages.OrderItemPatch, {"orderItemStatus": keep_value}) for item in items)
        return tuple(self._item_patch(item) for item in sent)

    def _item_patch(self, sent: messages.OrderItemPatch) -> ItemPatch:
        item_id = sent.id or None
        ref = self._ids.parse_order_item(item_id) if item_id else None
        return ItemPatch(item_id=item_id, ref=ref, status=sent.order_item_status)

    def _read_items(self, value: Any) -> tuple[messages.OrderItemRequest, ...]:
        """Read the OrderItems if at least one of them has a property that is missing or of the wrong type."""
        items = _objects(value, "orderedItem")
        self._check_count(items)
        return tuple(read_message(item, messages.OrderItemRequest, _ITEM_READERS) for item in items)

    def _items(self, sent: Sequence[messages.OrderItemRequest]) -> tuple[ItemRequest, ...]:
        if not sent:
            raise OpenBookingError("The Order has no orderedItem.")
        self._check_count(sent)
        if len({item.position for item in sent}) < len(sent):
            raise OpenBookingError("Two OrderItems have the same position.")
        return tuple(self._item(item) for item in sent)

    def _check_count(self, items: Sequence[object]) -> None:
        if len(items) > self._max_items:
            raise RequestTooLargeError(f"An Order may have {self._max_items} OrderItems at most.")

    def _item(self, sent: messages.OrderItemRequest) -> ItemRequest:
        opportunity_id = read_reference(sent.ordered_item)
        accepted = sent.accepted_offer
        override = accepted if isinstance(accepted, dict) and accepted.get("@type") == "OfferOverride" else None
        offer_id = read_reference(accepted) if override is None else None
        return ItemRequest(
            position=sent.position,
            opportunity_id=opportunity_id,
            opportunity=self._ids.parse_opportunity(opportunity_id) if opportunity_id else None,
            offer_id=offer_id,
            offer=self._ids.parse_offer(offer_id) if offer_id else None,
            override=_override(override) if override else None,
            attendee=sent.attendee,
            intake_answers=tuple(self._answer(answer) for answer in sent.order_item_intake_form_response or ()),
            # Barcodes are the only passes that a Broker can supply (OB-ACC-11).
            access_passes=tuple(pass_ for pass_ in sent.access_pass or () if pass_.get("@type") == "Barcode"),
        )

    def _answer(self, sent: JsonObject) -> IntakeAnswer:
        return IntakeAnswer(field=self._ids.parse_form_field(str(sent.get("propertyID"))), sent=sent)


def _objects(value: Any, name: str) -> list[JsonObject]:
    """Return an array of objects, which is empty if the value is None.

    Raises:
        OpenBookingError: The value is not an array of objects. The text has the name of the property.
    """
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(member, dict) for member in value):
        raise OpenBookingError(f"{name} must be an array of objects.")
    return value


def _error_raiser(error: OpenBookingError) -> Callable[[Any], NoReturn]:
    """Return a function that takes any value and raises an error of this class with this description."""

    def raise_error(_value: Any) -> NoReturn:
        raise type(error)(error.description)

    return raise_error


def _read_payment(value: Any) -> messages.Payment | None:
    return read_message(value, messages.Payment, {}) if isinstance(value, dict) else None


def _read_total(value: Any) -> messages.PriceSpecification | None:
    try:
        return read_message(value, messages.PriceSpecification, {}) if isinstance(value, dict) else None
    except msgspec.ValidationError:
        return None


_ORDER_READERS: Readers = {
    "brokerRole": _error_raiser(IncompleteBrokerDetailsError("The brokerRole is missing or unknown.")),
    "broker": _error_raiser(IncompleteBrokerDetailsError("The broker is not an object.")),
    "customer": _error_raiser(IncompleteCustomerDetailsError("The customer is not an object.")),
    "payment": _read_payment,
    "totalPaymentDue": _read_total,
}
_ITEM_READERS: Readers = {
    "position": _error_raiser(OpenBookingError("Every OrderItem needs a position: a whole number from 0 up.")),
    "orderItemIntakeFormResponse": partial(_objects, name="orderItemIntakeFormResponse"),
    "accessPass": partial(_objects, name="accessPass"),
}


def _override(sent: JsonObject) -> OfferOverride | None:
    """Return the OfferOverride that a Broker sends as `acceptedOffer`, or None if it is not valid (OB-OVR-11).

    A valid OfferOverride has a price, and has a currency unless the price is 0. Its `@id` is optional, and must have
    the form of a URI because pages show the `@id` to people.
    """
    try:
        read = read_message(sent, messages.OfferOverride, dict.fromkeys(("@id", "priceCurrency"), _raise_invalid))
    except msgspec.ValidationError:
        return None
    price, currency = _amount(read.price), read.price_currency
    if price is None or not is_price(price):
        return None
    if (price or currency is not None) and not (currency and _CURRENCY.fullmatch(currency)):
        return None
    if read.id is not None and not _OVERRIDE_ID.fullmatch(read.id):
        return None
    reflected = {"@id": read.id, "description": read.description}
    properties = {name: value for name, value in reflected.items() if value}
    return OfferOverride(price=price, currency=currency, name=read.name, properties=properties)


def _raise_invalid(value: Any) -> NoReturn:
    raise msgspec.ValidationError(f"{value!r} does not fit.")


def _amount(price: float | str) -> Decimal | None:
    """Return a price in canonical form, in which 12 and "12.00" are equal; None if it is no price below PRICE_LIMIT.

    Args:
        price: A number, or decimal text without an exponent (AMB-31).
    """
    if isinstance(price, str) and not _PRICE.fullmatch(price):
        return None
    amount = Decimal(str(price))
    return amount.normalize() if abs(amount) < PRICE_LIMIT else None


def _payment(sent: messages.Payment | None) -> Payment | None:
    if sent is None:
        return None
    return Payment(
        dynamic=sent.type == "DynamicPayment",
        identifier=sent.identifier,
        name=sent.name,
        account_id=sent.account_id,
        payment_provider_id=sent.payment_provider_id,
    )


def _check_permitted(given: JsonObject, type_: type[messages.Message]) -> None:
    """Raise PatchContainsExcessivePropertiesError for a property that the message type does not have.

    Properties of custom namespaces, such as `acme:reason`, are permitted (OB-CAN-11).
    """
    permitted = {"@type", *(field.encode_name for field in msgspec.structs.fields(type_))}
    excessive = sorted(name for name in given if name not in permitted and ":" not in name)
    if excessive:
        raise PatchContainsExcessivePropertiesError(f"Not permitted here: {', '.join(excessive)}.")
