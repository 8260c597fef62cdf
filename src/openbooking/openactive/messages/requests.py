"""Bodies of requests: C1, C2, P, B, and the PATCHes of Orders and OrderProposals (OB 9.2).

The types are strict: they describe the bodies that a Broker should send. A Booking System must also read bodies with
mistakes (OB-MT-10); `jsonld/read_message.py` does this.
"""

from typing import Annotated

from msgspec import Meta, field

from openbooking.openactive.messages.base import (
    Context,
    Message,
    OfferReference,
    OpenAnswer,
    OpenOrganization,
    OpenParty,
    OpenPass,
    OpenPerson,
    OpportunityReference,
    PartyReference,
    Reference,
    TypedMessage,
)
from openbooking.openactive.messages.prices import Payment, PriceSpecification
from openbooking.openactive.terms import BrokerRole, OrderType

Position = Annotated[int, Meta(ge=0, lt=2**31)]


class OrderItemRequest(TypedMessage, frozen=True, kw_only=True, tag="OrderItem"):
    """An OrderItem of a request. `acceptedOffer` is a reference to an Offer, or an OfferOverride."""

    position: Position
    ordered_item: OpportunityReference | None = None
    accepted_offer: OfferReference | None = None
    attendee: OpenPerson | None = None
    order_item_intake_form_response: tuple[OpenAnswer, ...] | None = None
    access_pass: tuple[OpenPass, ...] | None = None


class OrderRequest(Message, frozen=True, kw_only=True):
    """The body of C1 and C2 (`OrderQuote`), P (`OrderProposal`) or B (`Order`)."""

    context: Context | None = field(name="@context", default=None)
    type: OrderType = field(name="@type")
    seller: PartyReference
    broker_role: BrokerRole
    broker: OpenOrganization | None = None
    customer: OpenParty | None = None
    order_customer_note: str | None = None
    ordered_item: Annotated[tuple[OrderItemRequest, ...], Meta(min_length=1)]
    total_payment_due: PriceSpecification | None = None
    payment: Payment | None = None


class ProposalBookingRequest(TypedMessage, frozen=True, kw_only=True, tag="Order"):
    """The body of B after P, which names the version of the OrderProposal to book (OB-APP-29)."""

    context: Context | None = field(name="@context", default=None)
    order_proposal_version: Reference | None = None
    payment: Payment | None = None


class OrderItemPatch(TypedMessage, frozen=True, kw_only=True, tag="OrderItem"):
    """An OrderItem in a PATCH of an Order, with the status that cancels the item."""

    id: str | None = field(name="@id", default=None)
    order_item_status: str | None = None


class OrderPatch(TypedMessage, frozen=True, kw_only=True, tag="Order"):
    """The body of a PATCH of an Order (OB-CAN-11)."""

    context: Context | None = field(name="@context", default=None)
    ordered_item: Annotated[tuple[OrderItemPatch, ...], Meta(min_length=1)]


class OrderProposalPatch(TypedMessage, frozen=True, kw_only=True, tag="OrderProposal"):
    """The body of a PATCH of an OrderProposal (OB-OPU-03)."""

    context: Context | None = field(name="@context", default=None)
    order_proposal_status: str | None = None
    order_customer_note: str | None = None
