"""Replies: OrderQuotes and Orders, and errors (OB 10.1, 10.2)."""

import msgspec

from openbooking.booking.order import ItemState, Order, OrderItem, Record
from openbooking.booking.pricing import totals
from openbooking.jsonld.scalars import write_instant
from openbooking.jsonld.write import CONTEXT, FEED_CONTEXT, JsonObject, Writer
from openbooking.spec.errors import ITEM_ERROR_STATUS, ItemError, OpenBookingError
from openbooking.spec.ids import OrderItemRef
from openbooking.spec.terms import OrderType


class OrderWriter:
    """Writes the bodies of replies; `booking_service` describes this Booking System in them."""

    def __init__(self, writer: Writer, booking_service: JsonObject | None) -> None:
        self._writer = writer
        self._booking_service = booking_service

    def reply(self, order: Order) -> bytes:
        """The answer to C1, C2 or B."""
        return msgspec.json.encode(self._order(order, None))

    def status(self, record: Record) -> bytes:
        """The answer to Order Status: the Order as it stands now."""
        assert record.order is not None  # noqa: S101 - only records with an Order are read
        return msgspec.json.encode(self._order(record.order, record.states or None))

    def _order(self, order: Order, states: tuple[ItemState, ...] | None) -> JsonObject:
        """The Order with its items in these states; as it was answered where there are none."""
        written: JsonObject = {
            "@context": FEED_CONTEXT,
            "@type": order.type,
            "@id": self._writer.ids.order(order.type, order.uuid),
            "brokerRole": order.broker_role,
            "seller": self._writer.seller(order.seller, in_feed=False),
            "orderedItem": [self._item(order, item, states) for item in order.items],
        }
        if states is None:
            written |= self._writer.totals(order.totals)
        else:
            standing = [item for item, state in zip(order.items, states, strict=True) if not state.status.cancelled]
            prepayment = order.totals.prepayment is not None
            written |= self._writer.totals(totals(standing, order.seller.tax_mode, publish_prepayment=prepayment))
        if order.broker:
            written["broker"] = order.broker
        if self._booking_service:
            written["bookingService"] = self._booking_service
        if order.personal and order.personal.customer:
            written["customer"] = order.personal.customer
        if order.type is OrderType.QUOTE:
            written["orderRequiresApproval"] = order.requires_approval
        if order.lease_expires:
            written["lease"] = {"@type": "Lease", "leaseExpires": write_instant(order.lease_expires)}
        if order.payment:
            written["payment"] = {"@type": "Payment", "identifier": order.payment.identifier}
        return written

    def _item(self, order: Order, item: OrderItem, states: tuple[ItemState, ...] | None) -> JsonObject:
        written: JsonObject = {"@type": "OrderItem"}
        if order.type is OrderType.ORDER and not order.has_errors:
            written["@id"] = self._writer.ids.order_item(OrderItemRef(order.uuid, item.number))
            written["orderItemStatus"] = (states[item.number - 1] if states else ItemState()).status
        if states is None:
            written["position"] = item.position
        if item.offer:
            written["acceptedOffer"] = self._writer.offer(item.offer, in_feed=False)
        elif item.offer_id:
            written["acceptedOffer"] = item.offer_id
        if item.opportunity:
            written["orderedItem"] = self._writer.opportunity_with_parents(
                item.opportunity, item.parents, item.remaining
            )
        elif item.opportunity_id:
            written["orderedItem"] = item.opportunity_id
        if item.tax:
            written["unitTaxSpecification"] = self._writer.tax(item.tax)
        if item.errors:
            written["error"] = [_item_error(error) for error in item.errors]
        if states and states[item.number - 1].cancellation_message:
            written["cancellationMessage"] = states[item.number - 1].cancellation_message
        return written | _details(order, item)


def _details(order: Order, item: OrderItem) -> JsonObject:
    """What the Broker said about the person who will attend, reflected (OB-CUST-17)."""
    written: JsonObject = {}
    if order.personal and item.number in order.personal.attendees:
        written["attendee"] = order.personal.attendees[item.number]
    if order.personal and item.number in order.personal.intake_responses:
        written["orderItemIntakeFormResponse"] = order.personal.intake_responses[item.number]
    return written


def _item_error(error: ItemError) -> JsonObject:
    written: JsonObject = {"@type": error.type, "name": error.type.error_name, "statusCode": ITEM_ERROR_STATUS}
    if error.description:
        written["description"] = error.description
    if error.instance:
        written["instance"] = error.instance
    return written


def write_error(error: OpenBookingError, request_id: str) -> bytes:
    """The body of an error (OB 10.2.1)."""
    written: JsonObject = {
        "@context": CONTEXT,
        "@type": _class_in_specification(error).__name__,
        "name": error.name,
        "statusCode": error.status,
        "requestId": request_id,
    }
    if error.description:
        written["description"] = error.description
    if error.instance:
        written["instance"] = error.instance
    return msgspec.json.encode(written)


def _class_in_specification(error: OpenBookingError) -> type[OpenBookingError]:
    """The class under which an error is returned: ours for which there is no other go by the base class."""
    return type(error) if type(error).in_specification else OpenBookingError
