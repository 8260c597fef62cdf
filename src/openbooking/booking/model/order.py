"""The Order and what it is made of: as asked for by a Broker, as answered, and as kept behind its UUID (OB 10.1)."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, Self

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.booking.model.opportunity import Offer, Opportunity, Seller
from openbooking.openactive.errors import InvalidAuthorizationDetailsError, ItemError
from openbooking.openactive.ids import FormFieldRef, OfferRef
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
    """What identifies an Order: UUIDs are scoped to the Booking Partner (OB-ID-13)."""

    partner: str
    uuid: str


class Partnership(NamedTuple):
    """A Booking Partner and a Seller that it books for."""

    partner: str
    seller: str


class Caller(msgspec.Struct, frozen=True):
    """An authenticated Booking Partner, with the keys of the Sellers it may act for.

    `sellers` None stands for every Seller but those that are `barred`. `terms` are what it has agreed with Sellers, by
    their keys, and `other_terms` what holds with those that are not named there.
    """

    partner: str
    sellers: frozenset[str] | None = None
    barred: frozenset[str] = frozenset()
    terms: Mapping[str, GrantTerms] = {}
    other_terms: GrantTerms = NO_TERMS

    def check_may_act_for(self, seller: str) -> None:
        """Raise InvalidAuthorizationDetailsError unless that Seller has authorised this partner (OB-AUTH-14)."""
        if seller in self.barred or (self.sellers is not None and seller not in self.sellers):
            raise InvalidAuthorizationDetailsError

    def terms_with(self, seller: str) -> GrantTerms:
        """What this partner and that Seller have agreed on."""
        return self.terms.get(seller, self.other_terms)


def fingerprint_of(asked: Any) -> str:
    """A digest equal for equal requests, now and in later versions.

    It is never stored as it is where a request tells about people, for a guess could be compared with it: see
    `openbooking.booking.rules.fingerprint`.
    """
    return hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()


class Payment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the Broker paid, for audit and reconciliation (OB 10.1.15); a `dynamic` one leaves the price to later."""

    dynamic: bool = False
    identifier: str | None = None
    name: str | None = None
    account_id: str | None = None
    payment_provider_id: str | None = None


class OfferOverride(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A price that the Broker names, as agreed with the Seller elsewhere (OB 7.7)."""

    price: Decimal
    currency: str | None = None
    name: str | None = None
    properties: Reflected = {}


class IntakeAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a field of an intake form: which field it names, if one of ours, and the answer as it was sent."""

    field: FormFieldRef | None = None
    sent: Reflected

    @property
    def value(self) -> Any:
        """What was answered."""
        return self.sent.get("value")


class ItemRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An OrderItem as asked for: the `@id`s as sent, and what they name here where they have the form of ours."""

    position: int
    opportunity_id: str | None = None
    opportunity: str | None = None
    offer_id: str | None = None
    offer: OfferRef | None = None
    override: OfferOverride | None = None
    attendee: Reflected | None = None
    intake_answers: tuple[IntakeAnswer, ...] = ()
    access_passes: tuple[Reflected, ...] = ()


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of C1, C2, P or B; `total_currency` is that of its `totalPaymentDue`."""

    seller_id: str
    seller: str | None = None
    broker_role: BrokerRole
    broker: Reflected | None = None
    customer: Reflected | None = None
    customer_note: str | None = None
    items: tuple[ItemRequest, ...]
    total_payment_due: Decimal | None = None
    total_currency: str | None = None
    payment: Payment | None = None

    def fingerprint(self) -> str:
        """A digest equal for equal requests, however they were written down (OB-B-10, OB-B-11)."""
        return fingerprint_of(self)


class TaxCharge(msgspec.Struct, frozen=True, kw_only=True):
    """An amount of one tax (OB 10.1.14)."""

    name: str
    rate: Decimal
    price: Decimal
    currency: str | None


class Access(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What lets the attendee of one OrderItem in (OB 8.7); `own_passes` are barcodes that the Broker sent."""

    code: str | None = None
    passes: tuple[Reflected, ...] = ()
    own_passes: tuple[Reflected, ...] = ()
    channel: Reflected | None = None


class OrderItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One space of one Opportunity as the dry run answers it; an item with errors may lack Opportunity and Offer.

    Attributes:
        number: Counts from 1 in the order of the request.
        position: The `position` that the Broker sent.
        opportunity_id: The `@id` of the Opportunity that the Broker sent.
        offer_id: The `@id` of the Offer that the Broker sent.
        opportunity: The Opportunity at the time of the answer, without its Offers.
        parents: The parents of the Opportunity, nearest first.
        offer: The Offer at the time of the answer.
        remaining: How many spaces of the Opportunity are left, including those that this Order holds.
        tax: The tax on the price of the Offer.
        access: What admits the attendee.
        errors: Why the item cannot be booked.
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

    def at(self, opportunity: Opportunity, parents: tuple[Opportunity, ...]) -> Self:
        """Return the item with this Opportunity and its parents, all without their Offers."""
        without_offers = tuple(replace(parent, offers=()) for parent in parents)
        return replace(self, opportunity=replace(opportunity, offers=()), parents=without_offers)


class BookedItem(OrderItem, frozen=True, kw_only=True, omit_defaults=True):
    """An OrderItem that was proposed or booked: it has an Opportunity and an Offer."""

    opportunity: Opportunity
    offer: Offer


class Totals(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`totalPaymentDue`, always with tax (OB-TAX-01), and `totalPaymentTax`.

    `prepayment` is None where this system does not publish it.
    """

    price: Decimal
    currency: str | None = None
    prepayment: Availability | None = None
    tax: tuple[TaxCharge, ...] = ()


class PersonalData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything in an Order that tells about a person, in one piece so that it can be kept and erased apart.

    Attendees and intake form answers are by the number of their OrderItem. `customer_note` is what the Customer last
    wrote to the Seller about a proposal. `told_at` is when it was booked or proposed. `fingerprint_key` keys the
    fingerprint of the request, which tells about people too; no reply shows it.
    """

    customer: Reflected | None = None
    customer_note: str | None = None
    attendees: Mapping[int, Reflected] = {}
    intake_answers: Mapping[int, tuple[Reflected, ...]] = {}
    told_at: datetime | None = None
    fingerprint_key: str = ""

    def about(self, numbers: Iterable[int]) -> "PersonalData":
        """What it tells about the items of these numbers, and the Customer."""
        kept = frozenset(numbers)
        return replace(
            self,
            attendees={number: told for number, told in self.attendees.items() if number in kept},
            intake_answers={number: told for number, told in self.intake_answers.items() if number in kept},
        )


class HoldingBound(StrEnum):
    """What limits how much a Booking Partner holds without buying it."""

    TIME = "time"
    SHARE = "share"
    OPEN_QUOTES = "open quotes"
    OPEN_PROPOSALS = "open proposals"
    BYTES = "bytes"


class LeasedTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An Offer as a Lease guarantees it, and since when."""

    offer: Offer
    since: datetime


class LeasedItem(msgspec.Struct, frozen=True, array_like=True):
    """One leased space: the path of its Opportunity, and the index of its terms in the Lease."""

    opportunity: str
    terms: int


class Lease(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of an OrderQuote: the spaces that it holds, in the order of its items, and their terms (OB 5.4.3).

    Terms that several items share are kept once, and of Opportunities only their paths, so that a Lease takes less
    room than the request that asked for it. `since` is when this UUID began to hold. The other fields are those of the
    OrderQuote, to show it again (OB-OST-02).
    """

    since: datetime
    items: tuple[LeasedItem, ...]
    terms: tuple[LeasedTerms, ...]
    broker_role: BrokerRole
    broker: Reflected | None = None
    payment: Payment | None = None
    tax: TaxTreatment = TaxTreatment.CALCULATED

    def terms_of(self, item: LeasedItem) -> LeasedTerms:
        """The terms of one of its items."""
        return self.terms[item.terms]


class Proposal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What makes an Order a proposal: when it was made, its version and status, the Seller's last note (OB 5.5.5).

    `expires` is the end of its lifetime, by which it must have been booked; None once it is closed. `items` are those
    of an amended proposal, in place of what was asked for. `updated` tells whether it has entered the feed, which it
    does at its first change after P. `decided` tells who accepted or rejected it, last: None while it waits, as it does
    again after an amendment. `amended` tells who made the version that stands now, unless it is the first.
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


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An OrderQuote or Order as it is answered.

    Where tax is excluded it shows net prices and no tax (OB-TAX-08). Where the payment is dynamic it has no prices, and
    its items hold Offers without one (OB-DYN-10). `not_held` is the bound that kept a reply from holding what was asked
    for; it is counted, never written, and never stored.
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
        """Whether any OrderItem is at fault: then nothing was quoted, leased or booked, and the status is 409."""
        return any(item.errors for item in self.items)

    @property
    def dynamic(self) -> bool:
        """Whether its price is left to later (OB 7.3.3)."""
        return self.payment is not None and self.payment.dynamic

    @property
    def offers(self) -> list[Offer]:
        """The Offers of its items."""
        return [item.offer for item in self.items if item.offer]

    def asks_for(self, requirement: FlowRequirement) -> bool:
        """Whether any of its Offers asks this of the booking flow."""
        return any(requirement in offer.flow for offer in self.offers)


class BookedOrder(Order, frozen=True, kw_only=True, omit_defaults=True):
    """An Order that was proposed or booked."""

    items: tuple[BookedItem, ...]


def without_errors(order: Order) -> BookedOrder:
    """Return an Order without errors as one that can be proposed or booked.

    Raises:
        ValueError: An item lacks its Opportunity or its Offer.
    """
    fields = {name: getattr(order, name) for name in order.__struct_fields__}
    return BookedOrder(**fields | {"items": tuple(map(_booked_item, order.items))})


def _booked_item(item: OrderItem) -> BookedItem:
    if item.opportunity is None or item.offer is None:
        raise ValueError(f"Item {item.number} has no Opportunity or no Offer.")
    return BookedItem(**{name: getattr(item, name) for name in item.__struct_fields__})
