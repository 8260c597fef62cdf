"""OrderQuotes, OrderProposals and Orders, in replies and in the Orders feeds (OB 10.1.1 to 10.1.3, 8.4.4).

Tables P-02 to P-04 of the requirements. An Order with a DynamicPayment has no totals, and its items have no Offers.
Some systems send no `id` in a reply with errors.

Do not change the order of the fields, which is the order of the members in JSON. The reply to a repeated B must have
the same bytes as the first reply, which an earlier version of this package may have sent. For the same reason the types
have no common base: msgspec puts the fields of a base before the fields of its subclass.
"""

from typing import Literal

from msgspec import field

from openbooking.openactive.messages.base import (
    Context,
    Instant,
    Message,
    OpenOrganization,
    OpenParty,
    TypedMessage,
    Uri,
)
from openbooking.openactive.messages.items import OrderItem
from openbooking.openactive.messages.parties import BookingService
from openbooking.openactive.messages.prices import Payment, PriceSpecification, TaxChargeSpecification
from openbooking.openactive.terms import BrokerRole, OrderProposalStatus


class Lease(TypedMessage, frozen=True, kw_only=True):
    """The time until which the spaces of an OrderQuote are held."""

    identifier: str | None = None
    lease_expires: Instant


class OrderQuote(Message, frozen=True, kw_only=True):
    """The reply to C1 and C2."""

    context: Context = field(name="@context")
    type: Literal["OrderQuote"] = field(name="@type")
    id: str | None = field(name="@id", default=None)
    identifier: str | None = None
    order_number: str | None = None
    broker_role: BrokerRole | None = None
    seller: OpenParty | None = None
    ordered_item: tuple[OrderItem, ...]
    total_payment_due: PriceSpecification | None = None
    total_payment_tax: tuple[TaxChargeSpecification, ...] = ()
    tax_calculation_excluded: bool | None = None
    broker: OpenOrganization | None = None
    booking_service: BookingService | None = None
    customer: OpenParty | None = None
    order_requires_approval: bool | None = None
    lease: Lease | None = None
    payment: Payment | None = None


class OrderProposal(Message, frozen=True, kw_only=True):
    """The reply to P, and to Order Status until the Order is booked."""

    context: Context = field(name="@context")
    type: Literal["OrderProposal"] = field(name="@type")
    id: str | None = field(name="@id", default=None)
    identifier: str | None = None
    order_number: str | None = None
    broker_role: BrokerRole | None = None
    seller: OpenParty | None = None
    ordered_item: tuple[OrderItem, ...]
    total_payment_due: PriceSpecification | None = None
    total_payment_tax: tuple[TaxChargeSpecification, ...] = ()
    tax_calculation_excluded: bool | None = None
    broker: OpenOrganization | None = None
    booking_service: BookingService | None = None
    customer: OpenParty | None = None
    order_proposal_version: Uri | None = None
    order_proposal_status: OrderProposalStatus | None = None
    order_seller_note: str | None = None
    lease: Lease | None = None
    payment: Payment | None = None


class Order(Message, frozen=True, kw_only=True):
    """The reply to B, and to Order Status."""

    context: Context = field(name="@context")
    type: Literal["Order"] = field(name="@type")
    id: str | None = field(name="@id", default=None)
    identifier: str | None = None
    order_number: str | None = None
    broker_role: BrokerRole | None = None
    seller: OpenParty | None = None
    ordered_item: tuple[OrderItem, ...]
    total_payment_due: PriceSpecification | None = None
    total_payment_tax: tuple[TaxChargeSpecification, ...] = ()
    tax_calculation_excluded: bool | None = None
    broker: OpenOrganization | None = None
    booking_service: BookingService | None = None
    customer: OpenParty | None = None
    payment: Payment | None = None


class OrderFeedData(Message, frozen=True, kw_only=True):
    """The `data` of an item in the Orders feed."""

    context: Context = field(name="@context")
    type: Literal["Order"] = field(name="@type")
    id: str = field(name="@id")
    identifier: str | None = None
    ordered_item: tuple[OrderItem, ...]
    tax_calculation_excluded: bool | None = None
    total_payment_due: PriceSpecification | None = None
    total_payment_tax: tuple[TaxChargeSpecification, ...] = ()


class OrderProposalFeedData(Message, frozen=True, kw_only=True):
    """The `data` of an item in the OrderProposals feed."""

    context: Context = field(name="@context")
    type: Literal["OrderProposal"] = field(name="@type")
    id: str = field(name="@id")
    identifier: str | None = None
    ordered_item: tuple[OrderItem, ...]
    tax_calculation_excluded: bool | None = None
    total_payment_due: PriceSpecification | None = None
    total_payment_tax: tuple[TaxChargeSpecification, ...] = ()
    order_proposal_version: Uri
    order_proposal_status: OrderProposalStatus
    order_seller_note: str | None = None
