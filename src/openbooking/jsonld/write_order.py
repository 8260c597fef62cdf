"""Replies: OrderQuotes and Orders, and errors (OB 10.1, 10.2)."""

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.order import (
    Order,
    OrderItem,
    Payment,
    Proposal,
    Totals,
)
from openbooking.booking.model.record import ItemState, ShownRecord
from openbooking.booking.rules.pricing import charged, current_totals, pricing_of
from openbooking.jsonld.scalars import write_instant
from openbooking.jsonld.write import CONTEXT, FEED_CONTEXT, JsonObject, Writer
from openbooking.openactive.errors import ITEM_ERROR_STATUS, ItemError, OpenBookingError
from openbooking.openactive.ids import FormFieldRef, OrderItemRef
from openbooking.openactive.terms import OrderType, TaxTreatment


class OrderWriter:
    """Writes the bodies of replies; `booking_service` describes this Booking System in them."""

    def __init__(self, writer: Writer, booking_service: JsonObject | None) -> None:
        self._writer = writer
        self._booking_service = booking_service

    def reply(self, order: Order) -> bytes:
        """The answer to C1, C2 or B."""
        items = [
            self._item(order, item) | self._asked(item) | self._booked(order, item, ItemState()) for item in order.items
        ]
        return msgspec.json.encode(self._order(order, items, order.totals, order.proposal))

    def status(self, record: ShownRecord) -> bytes:
        """The answer to Order Status: the Order as it stands now."""
        order = replace(record.order, lease_expires=record.lease_expires)
        items = [self._item(order, item) | self._booked(order, item, state) for item, state in record.items()]
        return msgspec.json.encode(self._order(order, items, current_totals(record), record.proposal))

    def _order(self, order: Order, items: list[JsonObject], totals: Totals, proposal: Proposal | None) -> JsonObject:
        written: JsonObject = {
            "@context": FEED_CONTEXT,
            "@type": order.type,
            "@id": self._writer.ids.order(order.type, order.uuid),
            "brokerRole": order.broker_role,
            "seller": self._writer.seller(order.seller, in_feed=False),
            "orderedItem": items,
        }
        if not order.dynamic:
            written |= self._writer.totals(totals)
        if order.tax is TaxTreatment.EXCLUDED:
            written["taxCalculationExcluded"] = True
        if order.broker:
            written["broker"] = order.broker
        if self._booking_service:
            written["bookingService"] = self._booking_service
        if order.personal and order.personal.customer:
            written["customer"] = order.personal.customer
        if order.type is OrderType.QUOTE:
            written["orderRequiresApproval"] = order.requires_approval
        if order.type is OrderType.PROPOSAL and proposal:
            written |= self._writer.proposal(order.uuid, proposal)
        if order.lease_expires:
            written["lease"] = {"@type": "Lease", "leaseExpires": write_instant(order.lease_expires)}
        if order.payment:
            written["payment"] = _payment(order.payment)
        return written

    def _item(self, order: Order, item: OrderItem) -> JsonObject:
        """What an item is: Opportunity, Offer, tax, what is asked about its attendee and what was answered."""
        written: JsonObject = {"@type": "OrderItem"}
        if item.offer:
            if not order.dynamic:
                written["acceptedOffer"] = self._writer.offer(charged(item.offer, pricing_of(order)), in_feed=False)
            written |= self._writer.details(item.offer)
        if item.opportunity:
            opportunity = self._writer.opportunity_with_parents(item.opportunity, item.parents, item.remaining)
            written["orderedItem"] = opportunity
        if item.tax:
            written["unitTaxSpecification"] = self._writer.tax(item.tax)
        return written | _details(order, item)

    def _asked(self, item: OrderItem) -> JsonObject:
        """What belongs to the answer to a request alone: position, and references and errors of items at fault."""
        written: JsonObject = {} if item.position is None else {"position": item.position}
        if item.offer is None and item.offer_id:
            written["acceptedOffer"] = item.offer_id
        if item.opportunity is None and item.opportunity_id:
            written["orderedItem"] = item.opportunity_id
        if item.errors:
            written["error"] = [self._item_error(item, error) for error in item.errors]
        return written

    def _booked(self, order: Order, item: OrderItem, state: ItemState) -> JsonObject:
        """What a booked item has besides: its `@id`, what has become of it, and what lets the attendee in."""
        if order.type is OrderType.QUOTE or order.has_errors:
            return {}
        identity: JsonObject = {"@id": self._writer.ids.order_item(OrderItemRef(order.uuid, item.number))}
        if order.type is OrderType.PROPOSAL:
            return identity
        return identity | self._writer.state(state) | self._writer.access(item.access)

    def _item_error(self, item: OrderItem, error: ItemError) -> JsonObject:
        written: JsonObject = {"@type": error.type, "name": error.type.error_name, "statusCode": ITEM_ERROR_STATUS}
        if error.description:
            written["description"] = error.description
        if error.field and item.offer:
            written["instance"] = self._writer.ids.form_field(FormFieldRef(item.offer.ref, error.field))
        elif error.instance:
            # The validator takes a property's URL for a fault where it expects that of a thing, unless it is this one.
            written["instance"] = error.instance.replace("https:", "http:", 1)
        return written


def _payment(payment: Payment) -> JsonObject:
    details = {
        "identifier": payment.identifier,
        "name": payment.name,
        "accountId": payment.account_id,
        "paymentProviderId": payment.payment_provider_id,
    }
    present = {name: value for name, value in details.items() if value is not None}
    return {"@type": "DynamicPayment" if payment.dynamic else "Payment", **present}


def _details(order: Order, item: OrderItem) -> JsonObject:
    """What the Broker said about the person who will attend, reflected (OB-CUST-17)."""
    written: JsonObject = {}
    if order.personal and item.number in order.personal.attendees:
        written["attendee"] = order.personal.attendees[item.number]
    if order.personal and item.number in order.personal.intake_answers:
        written["orderItemIntakeFormResponse"] = order.personal.intake_answers[item.number]
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
