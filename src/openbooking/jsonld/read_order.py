"""Bodies of C1, C2, P, B and of the PATCHes, as what the decisions take.

Only what cannot be understood is refused here; whether it is right is decided elsewhere. Properties that are not known
are ignored (OB-MT-10).
"""

import re
from decimal import Decimal
from typing import Any, NamedTuple

from openbooking.booking.commands.cancel import ItemPatch
from openbooking.booking.commands.update_proposal import ProposalPatch
from openbooking.booking.model.order import (
    IntakeAnswer,
    ItemRequest,
    OfferOverride,
    OrderRequest,
    Payment,
    Reflected,
)
from openbooking.jsonld.read import JsonObject, check_type, read_object, read_reference
from openbooking.openactive.errors import (
    IncompleteBrokerDetailsError,
    IncompleteCustomerDetailsError,
    OpenBookingError,
    PatchContainsExcessivePropertiesError,
    RequestTooLargeError,
    SellerNotFoundError,
)
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.money import PRICE_LIMIT, is_price
from openbooking.openactive.terms import BrokerRole, OrderType

_MAX_POSITION = 2**31 - 1
# As many digits as can be reckoned with exactly.
_PRICE = re.compile(r"-?\d{1,12}(\.\d{1,16})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
# With the scheme of an identifier or none, and of characters that one can have.
_OVERRIDE_ID = re.compile(r"((?i:https?|urn):|(?![^/?#]*:))[^\s\x00-\x20\x7f\"<>\\^`{|}]+")
_PATCH_PROPERTIES = frozenset({"@context", "@type", "orderedItem"})
_PROPOSAL_PATCH_PROPERTIES = frozenset({"@context", "@type", "orderProposalStatus", "orderCustomerNote"})
_PATCH_ITEM_PROPERTIES = frozenset({"@type", "@id", "orderItemStatus"})


class ProposalBooking(NamedTuple):
    """B after P: the version's UUID, if it is one of this proposal, and the payment if there is a new one."""

    version: str | None
    payment: Payment | None


class OrderReader:
    """Reads bodies that use the identifiers of one Base URI; `max_items` is how many OrderItems one may have."""

    def __init__(self, ids: Identifiers, max_items: int) -> None:
        self._ids = ids
        self._max_items = max_items

    def order(self, body: bytes, type_: OrderType) -> OrderRequest:
        """The body of C1, C2 (`OrderQuote`) or P (`OrderProposal`)."""
        return self._order(read_object(body), type_)

    def _order(self, read: JsonObject, type_: OrderType) -> OrderRequest:
        check_type(read, type_)
        seller_id = read_reference(read.get("seller"))
        if seller_id is None:
            raise SellerNotFoundError("The seller is missing.")
        return OrderRequest(
            seller_id=seller_id,
            seller=self._ids.parse_seller(seller_id),
            broker_role=_broker_role(read.get("brokerRole")),
            broker=_thing(read.get("broker"), IncompleteBrokerDetailsError("The broker is not an object.")),
            customer_note=_text(read.get("orderCustomerNote")),
            customer=_thing(read.get("customer"), IncompleteCustomerDetailsError("The customer is not an object.")),
            items=self._items(read.get("orderedItem")),
            total_payment_due=_price(read.get("totalPaymentDue")),
            total_currency=_currency(read.get("totalPaymentDue")),
            payment=_payment(read.get("payment")),
        )

    def booking(self, body: bytes, uuid: str) -> OrderRequest | ProposalBooking:
        """The body of B: a whole Order, or the version of a proposal that is to become one (OB-APP-29)."""
        read = read_object(body)
        if read.get("orderProposalVersion") is None:
            return self._order(read, OrderType.ORDER)
        check_type(read, OrderType.ORDER)
        version = read_reference(read["orderProposalVersion"])
        parsed = self._ids.parse_proposal_version(version, uuid) if version else None
        return ProposalBooking(parsed, _payment(read.get("payment")))

    def proposal_patch(self, body: bytes) -> ProposalPatch:
        """The body of a PATCH of an OrderProposal (OB-OPU-03, OB-OPU-05)."""
        read = read_object(body)
        check_type(read, OrderType.PROPOSAL)
        _check_no_more(read, _PROPOSAL_PATCH_PROPERTIES)
        return ProposalPatch(read.get("orderProposalStatus"), read.get("orderCustomerNote"))

    def item_patches(self, body: bytes) -> tuple[ItemPatch, ...]:
        """The body of a PATCH of an Order (OB-CAN-11, OB-CAN-12)."""
        read = read_object(body)
        check_type(read, OrderType.ORDER)
        _check_no_more(read, _PATCH_PROPERTIES)
        items = _objects(read.get("orderedItem"), "orderedItem")
        if not items:
            raise OpenBookingError("The PATCH names no OrderItem.")
        self._check_count(items)
        for item in items:
            _check_no_more(item, _PATCH_ITEM_PROPERTIES)
        return tuple(self._item_patch(item) for item in items)

    def _item_patch(self, item: JsonObject) -> ItemPatch:
        item_id = read_reference(item)
        ref = self._ids.parse_order_item(item_id) if item_id else None
        return ItemPatch(item_id=item_id, ref=ref, status=item.get("orderItemStatus"))

    def _items(self, value: Any) -> tuple[ItemRequest, ...]:
        items = _objects(value, "orderedItem")
        if not items:
            raise OpenBookingError("The Order has no orderedItem.")
        self._check_count(items)
        read = tuple(self._item(item) for item in items)
        if len({item.position for item in read}) < len(read):
            raise OpenBookingError("Two OrderItems have the same position.")
        return read

    def _check_count(self, items: list[JsonObject]) -> None:
        if len(items) > self._max_items:
            raise RequestTooLargeError(f"An Order may have {self._max_items} OrderItems at most.")

    def _item(self, item: JsonObject) -> ItemRequest:
        position = item.get("position")
        if not isinstance(position, int) or isinstance(position, bool) or not 0 <= position <= _MAX_POSITION:
            raise OpenBookingError("Every OrderItem needs a position, a whole number from 0 up.")
        opportunity_id = read_reference(item.get("orderedItem"))
        accepted = item.get("acceptedOffer")
        offer_id = None if _is_override(accepted) else read_reference(accepted)
        attendee = item.get("attendee")
        return ItemRequest(
            position=position,
            opportunity_id=opportunity_id,
            opportunity=self._ids.parse_opportunity(opportunity_id) if opportunity_id else None,
            offer_id=offer_id,
            offer=self._ids.parse_offer(offer_id) if offer_id else None,
            override=_override(accepted),
            attendee=attendee if isinstance(attendee, dict) else None,
            intake_answers=self._answers(item),
            access_passes=_barcodes(item.get("accessPass")),
        )

    def _answers(self, item: JsonObject) -> tuple[IntakeAnswer, ...]:
        sent = _objects(item.get("orderItemIntakeFormResponse"), "orderItemIntakeFormResponse")
        return tuple(
            IntakeAnswer(field=self._ids.parse_form_field(str(answer.get("propertyID"))), sent=answer)
            for answer in sent
        )


def _objects(value: Any, name: str) -> list[JsonObject]:
    """An array of objects; none where it is absent."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(member, dict) for member in value):
        raise OpenBookingError(f"{name} must be an array of objects.")
    return value


def _barcodes(value: Any) -> tuple[JsonObject, ...]:
    """The Broker's own barcodes (OB-ACC-11); a pass of any other type is not one we could accept."""
    return tuple(sent for sent in _objects(value, "accessPass") if sent.get("@type") == "Barcode")


def _broker_role(value: Any) -> BrokerRole:
    try:
        return BrokerRole(value)
    except ValueError:
        raise IncompleteBrokerDetailsError("The brokerRole is missing or not one of those there are.") from None


def _thing(value: Any, fault: OpenBookingError) -> Reflected | None:
    if value is not None and not isinstance(value, dict):
        raise fault
    return value


def _is_override(value: Any) -> bool:
    return isinstance(value, dict) and value.get("@type") == "OfferOverride"


def _override(value: Any) -> OfferOverride | None:
    """A price that the Broker names; without a price, and its currency unless it is 0, it is no Offer (OB-OVR-11).

    Nor is one whose `@id` could be something else than an identifier to whom it is shown.
    """
    if not _is_override(value):
        return None
    price, currency, id_ = _price(value), value.get("priceCurrency"), value.get("@id")
    if price is None or not is_price(price):
        return None
    if not (isinstance(currency, str) and _CURRENCY.fullmatch(currency)) and (price or currency is not None):
        return None
    if id_ is not None and not (isinstance(id_, str) and _OVERRIDE_ID.fullmatch(id_)):
        return None
    reflected = {name: value[name] for name in ("@id", "description") if _text(value.get(name))}
    return OfferOverride(price=price, currency=currency, name=_text(value.get("name")), properties=reflected)


def _price(value: Any) -> Decimal | None:
    """The `price` of a thing, a number or plain decimal text (AMB-31); 12 and "12.00" are the same."""
    price = value.get("price") if isinstance(value, dict) else None
    if isinstance(price, bool) or not isinstance(price, int | float | str):
        return None
    if isinstance(price, str) and not _PRICE.fullmatch(price):
        return None
    amount = Decimal(str(price))
    return amount.normalize() if abs(amount) < PRICE_LIMIT else None


def _currency(value: Any) -> str | None:
    """The `priceCurrency` of a thing."""
    return _text(value.get("priceCurrency")) if isinstance(value, dict) else None


def _payment(value: Any) -> Payment | None:
    if not isinstance(value, dict):
        return None
    return Payment(
        dynamic=value.get("@type") == "DynamicPayment",
        identifier=_text(value.get("identifier")),
        name=_text(value.get("name")),
        account_id=_text(value.get("accountId")),
        payment_provider_id=_text(value.get("paymentProviderId")),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _check_no_more(given: JsonObject, permitted: frozenset[str]) -> None:
    """Raise PatchContainsExcessivePropertiesError for more than these; custom namespaces do not count (OB-CAN-11)."""
    excessive = sorted(name for name in given if name not in permitted and ":" not in name)
    if excessive:
        raise PatchContainsExcessivePropertiesError(f"Not permitted here: {', '.join(excessive)}.")
