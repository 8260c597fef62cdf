"""The Order and what it is made of: as asked for by a Broker, as answered, and as kept behind its UUID (OB 10.1)."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from openbooking.booking.opportunity import Offer, Opportunity, Seller
from openbooking.spec.errors import InvalidAuthorizationDetailsError, ItemError
from openbooking.spec.ids import OfferRef
from openbooking.spec.terms import Availability, BrokerRole, OrderItemStatus, OrderType

Reflected = Mapping[str, Any]


class OrderKey(NamedTuple):
    """What identifies an Order: UUIDs are scoped to the Booking Partner (OB-ID-13)."""

    partner: str
    uuid: str


class Caller(msgspec.Struct, frozen=True):
    """An authenticated Booking Partner, with the keys of the Sellers it may act for (None: for every Seller)."""

    partner: str
    sellers: frozenset[str] | None = None

    def check_may_act_for(self, seller: str) -> None:
        """Raise InvalidAuthorizationDetailsError unless that Seller has authorised this partner (OB-AUTH-14)."""
        if self.sellers is not None and seller not in self.sellers:
            raise InvalidAuthorizationDetailsError


class Payment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the Broker paid, for audit and reconciliation (OB 10.1.15)."""

    identifier: str | None = None


class ItemRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An OrderItem as asked for: the `@id`s as sent, and what they name here where they have the form of ours."""

    position: int
    opportunity_id: str | None = None
    opportunity: str | None = None
    offer_id: str | None = None
    offer: OfferRef | None = None
    attendee: Reflected | None = None
    intake_responses: tuple[Reflected, ...] = ()


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of C1, C2 or B."""

    seller_id: str
    seller: str | None = None
    broker_role: BrokerRole
    broker: Reflected | None = None
    customer: Reflected | None = None
    items: tuple[ItemRequest, ...]
    total_payment_due: Decimal | None = None
    payment: Payment | None = None

    def fingerprint(self) -> str:
        """A digest equal for equal requests, however they were written down (OB-B-10, OB-B-11)."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


class TaxCharge(msgspec.Struct, frozen=True, kw_only=True):
    """An amount of one tax (OB 10.1.14)."""

    name: str
    rate: Decimal
    price: Decimal
    currency: str | None


class OrderItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One place at one Opportunity, with Opportunity, Offer and tax as they were when it was answered.

    `number` counts from 1 in the order of the request. `remaining` is how many places the Opportunity has left,
    without regard to what this Order itself holds. `parents` are nearest first.
    """

    number: int
    position: int
    opportunity_id: str | None = None
    offer_id: str | None = None
    opportunity: Opportunity | None = None
    parents: tuple[Opportunity, ...] = ()
    offer: Offer | None = None
    remaining: int | None = None
    tax: tuple[TaxCharge, ...] = ()
    errors: tuple[ItemError, ...] = ()


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

    Attendees and intake form answers are by the number of their OrderItem.
    """

    customer: Reflected | None = None
    attendees: Mapping[int, Reflected] = {}
    intake_responses: Mapping[int, tuple[Reflected, ...]] = {}


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An OrderQuote or Order as it is answered."""

    type: OrderType
    uuid: str
    seller: Seller
    broker_role: BrokerRole
    broker: Reflected | None = None
    items: tuple[OrderItem, ...]
    totals: Totals
    payment: Payment | None = None
    requires_approval: bool = False
    lease_expires: datetime | None = None
    personal: PersonalData | None = None

    @property
    def has_errors(self) -> bool:
        """Whether any OrderItem is at fault: then nothing was quoted, leased or booked, and the status is 409."""
        return any(item.errors for item in self.items)


class RecordKind(StrEnum):
    """What lives behind an Order UUID; one of these at a time (OB-ID-12)."""

    QUOTE = "quote"
    ORDER = "order"
    DELETED = "deleted"


class ItemState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has become of an OrderItem since it was booked."""

    status: OrderItemStatus = OrderItemStatus.CONFIRMED
    cancellation_message: str | None = None


class Claim(NamedTuple):
    """Places an Order holds at an Opportunity: sold for good, or leased until `expires`."""

    opportunity: str
    places: int
    expires: datetime | None


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept behind an Order UUID: the Order as answered, and what has happened since.

    `states` go with `order.items`. `updated` tells whether the Order has entered the Orders feed, which it does at its
    first change after B (OB-OF-02). Of a deleted Order only the stub remains, without `order`.
    """

    partner: str
    uuid: str
    kind: RecordKind
    seller: str
    order: Order | None = None
    fingerprint: str | None = None
    lease_expires: datetime | None = None
    states: tuple[ItemState, ...] = ()
    updated: bool = False

    @property
    def key(self) -> OrderKey:
        """What identifies the record."""
        return OrderKey(self.partner, self.uuid)

    def claims(self) -> tuple[Claim, ...]:
        """The places this record holds; cancelled items hold none."""
        if self.order is None:
            return ()
        places: dict[str, int] = {}
        for index, item in enumerate(self.order.items):
            if item.opportunity and not (self.states and self.states[index].status.cancelled):
                places[item.opportunity.path] = places.get(item.opportunity.path, 0) + 1
        return tuple(Claim(path, count, self.lease_expires) for path, count in places.items())
