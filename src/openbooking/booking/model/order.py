"""Orders and their parts, as replies show them and as they are stored (OB 10.1)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, Self

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.opportunity import Offer, Opportunity, Seller
from openbooking.openactive.errors import InvalidAuthorizationDetailsError
from openbooking.openactive.item_errors import ItemError
from openbooking.openactive.terms import (
    Availability,
    BrokerRole,
    FlowRequirement,
    OrderProposalStatus,
    OrderType,
    TaxTreatment,
)

Reflected = Mapping[str, Any]


class OrderKey(NamedTuple):
    """The key of an Order. Each Booking Partner has its own UUIDs (OB-ID-13), and so has the front desk (`DESK`)."""

    partner: str
    uuid: str


class Partnership(NamedTuple):
    """A Booking Partner or the front desk, and a Seller whose Opportunities it books."""

    partner: str
    seller: str


class Caller(msgspec.Struct, frozen=True):
    """An authenticated Booking Partner, and the Sellers whose Opportunities the partner may book.

    The front desk of a Seller is a caller too (`desk_caller`), which no credentials name.

    Attributes:
        partner: The key of the Booking Partner.
        sellers: The keys of the Sellers that have authorised the partner; None for all except `barred`.
        barred: The keys of Sellers that have not authorised the partner.
        terms: The terms agreed with Sellers, by their keys.
        other_terms: The terms with all other Sellers.
    """

    partner: str
    sellers: frozenset[str] | None = None
    barred: frozenset[str] = frozenset()
    terms: Mapping[str, GrantTerms] = {}
    other_terms: GrantTerms = NO_TERMS

    @property
    def is_desk(self) -> bool:
        """Whether this is the front desk of a Seller."""
        return self.partner == DESK

    def check_may_act_for(self, seller: str) -> None:
        """Raise InvalidAuthorizationDetailsError unless that Seller has authorised this partner (OB-AUTH-14)."""
        if seller in self.barred or (self.sellers is not None and seller not in self.sellers):
            raise InvalidAuthorizationDetailsError

    def terms_with(self, seller: str) -> GrantTerms:
        """Return the terms that the partner and the Seller have agreed on."""
        return self.terms.get(seller, self.other_terms)


def desk_caller(seller: str) -> Caller:
    """Return the front desk of the Seller with this key."""
    return Caller(DESK, frozenset({seller}))


class MeansOfPayment(StrEnum):
    """How a Customer pays at the front desk: the `name` of the payment of an Order that was booked there."""

    CASH = "cash"
    CARD = "card"
    OTHER = "other"


# The `name` of a payment that a former system took, of an Order that was imported from it (`commands.import_bookings`).
FORMER_SYSTEM = "former system"


class Payment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The Broker's payment details, for audit and reconciliation (OB 10.1.15).

    `dynamic` says that the price is agreed on later (OB 7.3.3). Of a payment that was taken at the front desk, `name`
    is the means of payment, and `identifier` the reference of the payment or else the Order UUID. Of a payment that was
    taken by a former system, `name` is FORMER_SYSTEM.
    """

    dynamic: bool = False
    identifier: str | None = None
    name: str | None = None
    account_id: str | None = None
    payment_provider_id: str | None = None


class TaxCharge(msgspec.Struct, frozen=True, kw_only=True):
    """The amount of one tax on an item or an Order (OB 10.1.14)."""

    name: str
    rate: Decimal
    price: Decimal
    currency: str | None


class Access(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The code, passes and channel that admit the attendee of one OrderItem (OB 8.7).

    `own_passes` are the barcodes that the Broker sent.
    """

    code: str | None = None
    passes: tuple[Reflected, ...] = ()
    own_passes: tuple[Reflected, ...] = ()
    channel: Reflected | None = None


class OrderItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One space of one Opportunity in an Order or quote. An item with errors may lack the Opportunity and the Offer.

    Attributes:
        number: The number of the item, from 1 in the order of the request.
        position: The `position` that the Broker sent.
        opportunity_id: The `@id` of the Opportunity that the Broker sent.
        offer_id: The `@id` of the Offer that the Broker sent.
        opportunity: The Opportunity at the time of the reply, without its Offers.
        parents: The parents of the Opportunity, nearest first.
        offer: The Offer at the time of the reply.
        remaining: How many spaces of the Opportunity are left, including those that this Order holds.
        tax: The tax on the price of the Offer.
        access: The code, passes and channel that admit the attendee.
        errors: The reasons why the item cannot be booked.
    """

    number: int
    position: int | None = None
    opportunity_id: str | None = None
    offer_id: str | None = None
    opportunity: Opportunity | None = None
    parents: tuple[Opportunity, ...] = ()
    offer: Offer | None = None
    remaining: int | None = None
    tax: tuple[TaxCharge, ...] = ()
    access: Access | None = None
    errors: tuple[ItemError, ...] = ()

    @property
    def own_passes(self) -> tuple[Reflected, ...]:
        """The barcodes that the Broker sent for this item."""
        return self.access.own_passes if self.access else ()

    def set_opportunity(self, opportunity: Opportunity, parents: tuple[Opportunity, ...]) -> Self:
        """Return the item with this Opportunity and its parents, all without their Offers."""
        without_offers = tuple(replace(parent, offers=()) for parent in parents)
        return replace(self, opportunity=replace(opportunity, offers=()), parents=without_offers)


class BookedItem(OrderItem, frozen=True, kw_only=True, omit_defaults=True):
    """An OrderItem that was proposed or booked, with an Opportunity and an Offer."""

    opportunity: Opportunity
    offer: Offer


class Totals(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`totalPaymentDue`, which includes tax (OB-TAX-01), and `totalPaymentTax`.

    `prepayment` is None if the policy does not publish `openBookingPrepayment`.
    """

    price: Decimal
    currency: str | None = None
    prepayment: Availability | None = None
    tax: tuple[TaxCharge, ...] = ()


class PersonalData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All personal data of an Order. It is one struct, which is stored and erased apart from the Order.

    Attributes:
        customer: The Customer as it was sent.
        customer_note: The Customer's last note to the Seller about a proposal.
        attendees: The attendees as they were sent, by the numbers of their OrderItems.
        intake_answers: The answers to intake forms, by the numbers of their OrderItems.
        received_at: The time of B or P.
        fingerprint_key: The key of the fingerprint of the request (`rules.fingerprint`). No reply shows the key.
    """

    customer: Reflected | None = None
    customer_note: str | None = None
    attendees: Mapping[int, Reflected] = {}
    intake_answers: Mapping[int, tuple[Reflected, ...]] = {}
    # Stored under its former name.
    received_at: datetime | None = msgspec.field(name="told_at", default=None)
    fingerprint_key: str = ""

    def select_items(self, numbers: Iterable[int]) -> Self:
        """Return the personal data of the Customer and of the items with these numbers."""
        kept = frozenset(numbers)
        return replace(
            self,
            attendees={number: sent for number, sent in self.attendees.items() if number in kept},
            intake_answers={number: sent for number, sent in self.intake_answers.items() if number in kept},
        )


class HoldingBound(StrEnum):
    """The reasons why a quote or proposal holds no spaces (`policy.HoldingBounds`)."""

    TIME = "time"
    SHARE = "share"
    OPEN_QUOTES = "open quotes"
    OPEN_PROPOSALS = "open proposals"
    BYTES = "bytes"


class LeasedTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An Offer whose terms a Lease guarantees, and the time when the guarantee began."""

    offer: Offer
    since: datetime


class LeasedItem(msgspec.Struct, frozen=True, array_like=True):
    """One leased space: the path of its Opportunity, and the index of its terms in the Lease."""

    opportunity: str
    terms: int


class Lease(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The spaces that an OrderQuote holds, and their terms (OB 5.4.3).

    To save bytes, terms that several items share are stored once, and Opportunities are stored by their paths.
    The end of the Lease is `QuoteRecord.lease_expires`.

    Attributes:
        since: When the UUID began to hold spaces without a break.
        items: The spaces, in the order of the items of the OrderQuote.
        terms: The guaranteed terms.
        broker_role: The role of the Broker, which Order Status shows (OB-OST-02).
        broker: The Broker.
        payment: The payment details.
        tax: The treatment of tax.
    """

    since: datetime
    items: tuple[LeasedItem, ...]
    terms: tuple[LeasedTerms, ...]
    broker_role: BrokerRole
    broker: Reflected | None = None
    payment: Payment | None = None
    tax: TaxTreatment = TaxTreatment.CALCULATED

    def terms_of(self, item: LeasedItem) -> LeasedTerms:
        """Return the terms of an item of the Lease."""
        return self.terms[item.terms]


class Proposal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of an OrderProposal (OB 5.5.5).

    Attributes:
        made: The time of P.
        version: The version, a UUID.
        expires: The end of the lifetime: B must book the proposal before then. None after the proposal is closed.
        status: The status.
        seller_note: The Seller's last note.
        seller_note_at: The time of that note.
        items: The items of the amended version; empty if the proposal was not amended.
        updated: Whether the proposal has entered the feed of OrderProposals, by its first change after P.
        decided: The stamp of the last acceptance or rejection; None while the current version awaits a decision.
        amended: The stamp of the current version; None if it is the first.
    """

    made: datetime
    version: str
    expires: datetime | None = None
    status: OrderProposalStatus = OrderProposalStatus.AWAITING
    seller_note: str | None = None
    seller_note_at: datetime | None = None
    items: tuple[BookedItem, ...] = ()
    updated: bool = False
    decided: Stamp | None = None
    amended: Stamp | None = None


class SeenProposal(NamedTuple):
    """The version and status of an OrderProposal that somebody saw before deciding about the proposal."""

    version: str
    status: OrderProposalStatus


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An OrderQuote, OrderProposal or Order, as replies show it.

    If tax is excluded, an Order shows net prices and no tax (OB-TAX-08). If the payment is dynamic, neither the Order
    nor its Offers have prices (OB-DYN-10).

    Attributes:
        type: OrderQuote, OrderProposal or Order.
        uuid: The Order UUID.
        seller: The Seller at the time of the reply.
        broker_role: The role of the Broker.
        broker: The Broker as it was sent.
        items: The items.
        totals: The totals.
        tax: The treatment of tax.
        payment: The payment details.
        requires_approval: Whether the Seller must approve the Order before it is booked.
        lease_expires: When the hold of spaces ends.
        not_held: The bound that kept the Order from holding spaces. It is counted, but neither stored nor shown.
        proposal: The OrderProposal in its first version.
        personal: The personal data.
    """

    type: OrderType
    uuid: str
    seller: Seller
    broker_role: BrokerRole
    broker: Reflected | None = None
    items: tuple[OrderItem, ...]
    totals: Totals
    tax: TaxTreatment = TaxTreatment.CALCULATED
    payment: Payment | None = None
    requires_approval: bool = False
    lease_expires: datetime | None = None
    not_held: HoldingBound | None = None
    proposal: Proposal | None = None
    personal: PersonalData | None = None

    @property
    def has_errors(self) -> bool:
        """Whether any OrderItem has an error. In this case nothing was leased or booked, and the HTTP status is 409."""
        return any(item.errors for item in self.items)

    @property
    def dynamic(self) -> bool:
        """Whether the payment is dynamic, which means that the price is agreed on later (OB 7.3.3)."""
        return self.payment is not None and self.payment.dynamic

    @property
    def offers(self) -> list[Offer]:
        """The Offers of the items."""
        return [item.offer for item in self.items if item.offer]

    def asks_for(self, requirement: FlowRequirement) -> bool:
        """Return whether any Offer has this requirement of the booking flow."""
        return any(requirement in offer.flow for offer in self.offers)


class BookedOrder(Order, frozen=True, kw_only=True, omit_defaults=True):
    """An Order that was proposed or booked."""

    items: tuple[BookedItem, ...]


def to_booked_order(order: Order) -> BookedOrder:
    """Return an Order without errors as a BookedOrder, to propose or book it.

    Raises:
        ValueError: An item lacks its Opportunity or its Offer.
    """
    fields = {name: getattr(order, name) for name in order.__struct_fields__}
    return BookedOrder(**fields | {"items": tuple(map(_booked_item, order.items))})


def _booked_item(item: OrderItem) -> BookedItem:
    if item.opportunity is None or item.offer is None:
        raise ValueError(f"Item {item.number} has no Opportunity or no Offer.")
    return BookedItem(**{name: getattr(item, name) for name in item.__struct_fields__})
