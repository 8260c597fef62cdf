"""The bodies of requests of a purchase. The same purchase always gives the same bytes."""

import msgspec
from msgspec.structs import replace

from openbooking.broker.money.journal import Purchase
from openbooking.openactive.messages import Order, OrderProposal, OrderRequest, Payment, ProposalBookingRequest
from openbooking.openactive.terms import OPENACTIVE, OrderType


def order_of(purchase: Purchase) -> OrderRequest:
    """Return the Order that the Customer agreed to, without the id of the payment."""
    return msgspec.json.decode(purchase.body, type=OrderRequest)


def booking_request(purchase: Purchase) -> OrderRequest | ProposalBookingRequest:
    """Return the body of B, with the id of the payment (OB-B-13, OB-B-14)."""
    order = order_of(purchase)
    payment = _payment(order, purchase.payment_id) if purchase.payment_key else None
    if purchase.agreed_version:
        version = purchase.agreed_version
        return ProposalBookingRequest(context=OPENACTIVE, order_proposal_version=version, payment=payment)
    return replace(order, type=OrderType.ORDER, payment=payment)


def quote_request(purchase: Purchase) -> OrderRequest:
    """Return the body of C2 for the same items. A quote names the details of a payment, and no payment (OB-C2-05)."""
    order = order_of(purchase)
    payment = order.payment and replace(order.payment, identifier=None)
    named = payment if payment and (payment.name or payment.account_id or payment.payment_provider_id) else None
    return replace(order, type=OrderType.QUOTE, total_payment_due=None, payment=named)


def proposal_request(purchase: Purchase) -> OrderRequest:
    """Return the body of P. Its payment is authorised only after the Seller has accepted, so it names the reference."""
    order = order_of(purchase)
    named = (order.payment and order.payment.identifier) or purchase.reference or purchase.id
    payment = _payment(order, named) if purchase.takes_payment else None
    return replace(order, type=OrderType.PROPOSAL, payment=payment)


def encode_reply(reply: Order | OrderProposal) -> bytes:
    """Return a reply as JSON for the journal, without the details of people. The Orders feeds have none (OB-OF-23)."""
    items = tuple(replace(item, attendee=None, order_item_intake_form_response=()) for item in reply.ordered_item)
    return msgspec.json.encode(replace(reply, customer=None, ordered_item=items))


def _payment(order: OrderRequest, identifier: str) -> Payment:
    """Return a payment with the details by which the Seller reconciles, and with this identifier."""
    return replace(order.payment or Payment(type="Payment"), identifier=identifier)
