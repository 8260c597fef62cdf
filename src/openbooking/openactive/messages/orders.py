"""OrderQuotes, OrderProposals and Orders, in replies and in the Orders feeds (OB 10.1.1 to 10.1.3, 8.4.4).

Tables P-02 to P-04 of the requirements.
"""

from msgspec import field

from openbooking.openactive.messages.base import (
    Context,
    Instant,
    JsonObject,
    Message,
    TypedMessage,
    Uri,
)
from openbooking.openactive.messages.items import OrderItem
from openbooking.openactive.messages.parties import BookingService
from openbooking.openactive.messages.prices import Payment, PriceSpecification, TaxChargeSpecification
from openbooking.openactive.terms import BrokerRole, OrderProposalStatus


class Lease(TypedMessage, frozen=True, kw_only=True):
    """How long the spaces of an OrderQuote are held."""

    identifier: str | None = None
    lease_expires: Instant


# The fields of these two bases are not keyword-only, because msgspec puts keyword-only fields behind those of
# subclasses: `@context` and `@id` come first when a person reads a message.
class _OrderData(Message, frozen=True):
    """The properties that replies and feeds have in common.

    An Order with a DynamicPayment has no totals, and its items have no Offers. A reply with errors may have no `id`.
    """

    context: Context = field(name="@context")
    ordered_item: tuple[OrderItem, ...]
    id: str | None = field(name="@id", default=None)
    identifier: str | None = None
    total_payment_due: PriceSpecification | None = None
    total_payment_tax: tuple[TaxChargeSpecification, ...] = ()
    tax_calculation_excluded: bool | None = None


class _OrderReply(_OrderData, frozen=True):
    """The properties that replies have beside those of feeds."""

    order_number: str | None = None
    broker_role: BrokerRole | None = None
    broker: JsonObject | None = None
    seller: JsonObject | None = None
    customer: JsonObject | None = None
    booking_service: BookingService | None = None
    payment: Payment | None = None


class OrderQuote(_OrderReply, frozen=True, kw_only=True, tag_field="@type", tag=True):
    """The reply to C1 and C2."""

    order_requires_approval: bool | None = None
    lease: Lease | None = None


class OrderProposal(_OrderReply, frozen=True, kw_only=True, tag_field="@type", tag=True):
    """The reply to P, and to Order Status while there is no Order yet."""

    order_proposal_version: Uri | None = None
    order_proposal_status: OrderProposalStatus | None = None
    order_seller_note: str | None = None
    lease: Lease | None = None


class Order(_OrderReply, frozen=True, kw_only=True, tag_field="@type", tag=True):
    """The reply to B, and to Order Status."""


class OrderFeedData(_OrderData, frozen=True, kw_only=True, tag_field="@type", tag="Order"):
    """The `data` of an item in the Orders feed."""


class OrderProposalFeedData(_OrderData, frozen=True, kw_only=True, tag_field="@type", tag="OrderProposal"):
    """The `data` of an item in the OrderProposals feed."""

    order_proposal_version: Uri
    order_proposal_status: OrderProposalStatus
    order_seller_note: str | None = None
