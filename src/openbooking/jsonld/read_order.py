"""Bodies of C1, C2, B and of the cancellation PATCH, as what the decisions take.

Only what cannot be understood is refused here; whether it is right is decided elsewhere. Properties that are not known
are ignored (OB-MT-10).
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from openbooking.booking.order import ItemRequest, OrderRequest, Payment, Reflected
from openbooking.jsonld.read import JsonObject, check_type, read_object, read_reference
from openbooking.spec.errors import (
    IncompleteBrokerDetailsError,
    IncompleteCustomerDetailsError,
    OpenBookingError,
    OrderItemIdInvalidError,
    OrderItemNotWithinOrderError,
    PatchContainsExcessivePropertiesError,
    PatchNotAllowedOnPropertyError,
    RequestTooLargeError,
    SellerNotFoundError,
)
from openbooking.spec.ids import Identifiers
from openbooking.spec.terms import BrokerRole, OrderItemStatus, OrderType

_MAX_POSITION = 2**31 - 1
_MAX_PRICE = Decimal(10) ** 12
_PATCH_PROPERTIES = frozenset({"@context", "@type", "orderedItem"})
_PATCH_ITEM_PROPERTIES = frozenset({"@type", "@id", "orderItemStatus"})


class OrderReader:
    """Reads bodies that use the identifiers of one Base URI; `max_items` is how many OrderItems one may have."""

    def __init__(self, ids: Identifiers, max_items: int) -> None:
        self._ids = ids
        self._max_items = max_items

    def order(self, body: bytes, type_: OrderType) -> OrderRequest:
        """The body of C1, C2 (`OrderQuote`) or B (`Order`)."""
        read = read_object(body)
        check_type(read, type_)
        seller_id = read_reference(read.get("seller"))
        if seller_id is None:
            raise SellerNotFoundError("The seller is missing.")
        return OrderRequest(
            seller_id=seller_id,
            seller=self._ids.parse_seller(seller_id),
            broker_role=_broker_role(read.get("brokerRole")),
            broker=_thing(read.get("broker"), IncompleteBrokerDetailsError("The broker is not an object.")),
            customer=_thing(read.get("customer"), IncompleteCustomerDetailsError("The customer is not an object.")),
            items=self._items(read.get("orderedItem")),
            total_payment_due=_total(read.get("totalPaymentDue")),
            payment=_payment(read.get("payment")),
        )

    def cancellation(self, body: bytes, uuid: str) -> tuple[int, ...]:
        """The numbers of the OrderItems that a PATCH of the Order with this UUID cancels (OB-CAN-10 to OB-CAN-14)."""
        read = read_object(body)
        check_type(read, OrderType.ORDER)
        _check_no_more(read, _PATCH_PROPERTIES)
        items = _objects(read.get("orderedItem"), "orderedItem")
        if not items:
            raise OpenBookingError("The PATCH names no OrderItem.")
        self._check_count(items)
        for item in items:
            _check_no_more(item, _PATCH_ITEM_PROPERTIES)
            if item.get("orderItemStatus") != OrderItemStatus.CUSTOMER_CANCELLED:
                raise PatchNotAllowedOnPropertyError(
                    f"orderItemStatus can only become {OrderItemStatus.CUSTOMER_CANCELLED}."
                )
        return tuple(sorted({self._number(item, uuid) for item in items}))

    def _number(self, item: JsonObject, uuid: str) -> int:
        item_id = read_reference(item)
        ref = self._ids.parse_order_item(item_id) if item_id else None
        if ref is None:
            raise OrderItemIdInvalidError(f"{item_id} is no OrderItem of this Booking System.")
        if ref.uuid != uuid:
            raise OrderItemNotWithinOrderError
        return ref.number

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
        offer_id = read_reference(item.get("acceptedOffer"))
        attendee = item.get("attendee")
        return ItemRequest(
            position=position,
            opportunity_id=opportunity_id,
            opportunity=self._ids.parse_opportunity(opportunity_id) if opportunity_id else None,
            offer_id=offer_id,
            offer=self._ids.parse_offer(offer_id) if offer_id else None,
            attendee=attendee if isinstance(attendee, Mapping) else None,
            intake_responses=tuple(_objects(item.get("orderItemIntakeFormResponse"), "orderItemIntakeFormResponse")),
        )


def _objects(value: Any, name: str) -> list[JsonObject]:
    """An array of objects; none where it is absent."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(member, Mapping) for member in value):
        raise OpenBookingError(f"{name} must be an array of objects.")
    return value


def _broker_role(value: Any) -> BrokerRole:
    try:
        return BrokerRole(value)
    except ValueError:
        raise IncompleteBrokerDetailsError("The brokerRole is missing or not one of those there are.") from None


def _thing(value: Any, fault: OpenBookingError) -> Reflected | None:
    if value is not None and not isinstance(value, Mapping):
        raise fault
    return value


def _total(value: Any) -> Decimal | None:
    """The price in `totalPaymentDue`, a number or text (AMB-31); 12 and "12.00" are the same."""
    price = value.get("price") if isinstance(value, Mapping) else None
    if isinstance(price, bool) or not isinstance(price, int | float | str):
        return None
    try:
        amount = Decimal(str(price))
    except InvalidOperation:
        return None
    return amount.normalize() if amount.is_finite() and abs(amount) < _MAX_PRICE else None


def _payment(value: Any) -> Payment | None:
    if not isinstance(value, Mapping):
        return None
    identifier = value.get("identifier")
    return Payment(identifier=identifier if isinstance(identifier, str) else None)


def _check_no_more(given: JsonObject, permitted: frozenset[str]) -> None:
    """Raise PatchContainsExcessivePropertiesError for more than these; custom namespaces do not count (OB-CAN-11)."""
    excessive = sorted(name for name in given if name not in permitted and ":" not in name)
    if excessive:
        raise PatchContainsExcessivePropertiesError(f"Not permitted here: {', '.join(excessive)}.")
