"""Writes the bodies of replies: OrderQuotes, OrderProposals, Orders and errors (OB 10.1, 10.2)."""

from typing import Any

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.order import Order, OrderItem, Payment, Proposal, Totals
from openbooking.booking.model.record import ItemState, ShownRecord
from openbooking.booking.rules.orders.pricing import charged_offer, current_totals, pricing_of
from openbooking.jsonld.scalars import write_instant
from openbooking.jsonld.write import BETA_CONTEXT, CONTEXT, Writer, access_channel, access_codes, access_passes
from openbooking.openactive import messages
from openbooking.openactive.errors import OpenBookingError
from openbooking.openactive.ids import FormFieldRef, OrderItemRef
from openbooking.openactive.item_errors import ITEM_ERROR_STATUS, ItemError
from openbooking.openactive.terms import OrderType, TaxTreatment

_NOT_BOOKED = ItemState()


class OrderWriter:
    """Writes the bodies of replies.

    Args:
        writer: Writes the parts that replies and feeds share.
        booking_service: The BookingService object that describes this Booking System; None to leave it out.
    """

    def __init__(self, writer: Writer, booking_service: messages.JsonObject | None) -> None:
        self._writer = writer
        self._booking_service = (
            messages.known_part(booking_service, messages.BookingService) if booking_service else None
        )

    def reply(self, order: Order) -> bytes:
        """Return the body of the reply to C1, C2, P or B."""
        booked = _is_booked(order)
        items = tuple(self._item(order, item, _NOT_BOOKED, booked=booked, requested=True) for item in order.items)
        return msgspec.json.encode(self._order(order, items, order.totals, order.proposal))

    def status(self, record: ShownRecord) -> bytes:
        """Return the body of the reply to Order Status: the Order with all changes since it was booked."""
        order = replace(record.order, lease_expires=record.lease_expires)
        booked = _is_booked(order)
        items = tuple(self._item(order, item, state, booked=booked, requested=False) for item, state in record.items())
        return msgspec.json.encode(self._order(order, items, current_totals(record), record.proposal))

    def _order(
        self, order: Order, items: tuple[messages.OrderItem, ...], totals: Totals, proposal: Proposal | None
    ) -> messages.Message:
        common: dict[str, Any] = {
            "context": BETA_CONTEXT,
            "id": self._writer.ids.order(order.type, order.uuid),
            "broker_role": order.broker_role,
            "broker": order.broker or None,
            "seller": self._writer.seller(order.seller, in_feed=False),
            "customer": (order.personal and order.personal.customer) or None,
            "booking_service": self._booking_service,
            "ordered_item": items,
            "total_payment_due": None if order.dynamic else self._writer.total_due(totals),
            "total_payment_tax": () if order.dynamic else self._writer.tax(totals.tax),
            "tax_calculation_excluded": True if order.tax is TaxTreatment.EXCLUDED else None,
            "payment": _payment(order.payment) if order.payment else None,
        }
        lease = messages.Lease(lease_expires=write_instant(order.lease_expires)) if order.lease_expires else None
        if order.type is OrderType.QUOTE:
            return messages.OrderQuote(
                **common, type="OrderQuote", lease=lease, order_requires_approval=order.requires_approval
            )
        if order.type is OrderType.ORDER:
            return messages.Order(**common, type="Order")
        if proposal is None:
            return messages.OrderProposal(**common, type="OrderProposal", lease=lease)
        return messages.OrderProposal(
            **common,
            type="OrderProposal",
            lease=lease,
            order_proposal_version=self._writer.ids.proposal_version(order.uuid, proposal.version),
            order_proposal_status=proposal.status,
            order_seller_note=proposal.seller_note,
        )

    def _item(
        self, order: Order, item: OrderItem, state: ItemState, *, booked: bool, requested: bool
    ) -> messages.OrderItem:
        """Return one OrderItem.

        Args:
            order: The Order.
            item: The item.
            state: The changes of the item since it was booked.
            booked: Whether the items are booked or proposed.
            requested: Whether the request sent the item. If true, the item has the position of the request. If the
                Offer or the Opportunity is unknown, the item has the `@id` that was sent.
        """
        offer, opportunity, personal = item.offer, item.opportunity, order.personal
        has_state = booked and order.type is OrderType.ORDER
        access = item.access if has_state else None
        return messages.OrderItem(
            id=self._writer.ids.order_item(OrderItemRef(order.uuid, item.number)) if booked else None,
            position=item.position if requested else None,
            order_item_status=state.status if has_state else None,
            cancellation_message=state.cancellation_message if has_state else None,
            customer_notice=state.customer_notice if has_state else None,
            accepted_offer=self._accepted_offer(order, item, requested=requested),
            ordered_item=self._writer.opportunity_with_parents(opportunity, item.parents, item.remaining)
            if opportunity
            else (item.opportunity_id or None if requested else None),
            unit_tax_specification=self._writer.tax(item.tax),
            attendee_details_required=offer.attendee_details if offer else (),
            attendee=personal.attendees.get(item.number) if personal else None,
            order_item_intake_form=self._writer.intake_form(offer) if offer and offer.intake_form else (),
            order_item_intake_form_response=personal.intake_answers.get(item.number, ()) if personal else (),
            access_code=access_codes(access),
            access_pass=access_passes(access),
            access_channel=access_channel(access),
            error=tuple(self._item_error(item, error) for error in item.errors) if requested and item.errors else (),
        )

    def _accepted_offer(self, order: Order, item: OrderItem, *, requested: bool) -> messages.Reference | None:
        if item.offer is None:
            return (item.offer_id or None) if requested else None
        return (
            None if order.dynamic else self._writer.offer(charged_offer(item.offer, pricing_of(order)), in_feed=False)
        )

    def _item_error(self, item: OrderItem, error: ItemError) -> messages.OpenBookingError:
        instance = None
        if error.field and item.offer:
            instance = self._writer.ids.form_field(FormFieldRef(item.offer.ref, error.field))
        elif error.instance:
            # The validator refuses the https URL of a property as `instance`, and accepts the http URL.
            instance = error.instance.replace("https:", "http:", 1)
        return messages.OpenBookingError(
            type=error.type,
            name=error.type.error_name,
            status_code=ITEM_ERROR_STATUS,
            description=error.description or None,
            instance=instance,
        )


def _is_booked(order: Order) -> bool:
    """Return whether the items of an Order are booked or proposed: an OrderProposal or Order without item errors."""
    return order.type is not OrderType.QUOTE and not order.has_errors


def _payment(payment: Payment) -> messages.Payment:
    return messages.Payment(
        type="DynamicPayment" if payment.dynamic else "Payment",
        identifier=payment.identifier,
        name=payment.name,
        account_id=payment.account_id,
        payment_provider_id=payment.payment_provider_id,
    )


def write_error(error: OpenBookingError, request_id: str) -> bytes:
    """Return the body of an error (OB 10.2.1).

    Args:
        error: The error to describe.
        request_id: The id under which the request is logged.
    """
    written = messages.OpenBookingError(
        context=CONTEXT,
        type=error.reported_name(),
        name=error.name,
        status_code=error.status,
        request_id=request_id,
        description=error.description or None,
        instance=error.instance or None,
    )
    return msgspec.json.encode(written)
