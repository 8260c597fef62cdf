"""The record behind an Order UUID: a quote, an OrderProposal, an Order, or the stub of a deleted Order (OB 9.1.1).

`rules.lifecycle` has the tables of the allowed changes.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.desk_payment import DeskPayment
from openbooking.booking.model.former_item import FormerItem
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.order import (
    Access,
    BookedItem,
    BookedOrder,
    Lease,
    Order,
    OrderItem,
    OrderKey,
    Partnership,
    Payment,
    Proposal,
)
from openbooking.openactive.terms import OrderItemStatus


class RecordKind(StrEnum):
    """The kinds of records. A UUID has one record at a time (OB-ID-12)."""

    QUOTE = "quote"
    PROPOSAL = "proposal"
    ORDER = "order"
    DELETED = "deleted"


class ItemState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of an OrderItem since it was booked.

    Attributes:
        status: The status of the item.
        cancellation_message: The Seller's message to the Customer about the cancellation.
        customer_notice: The Seller's notice to the Customer.
        access: The code, passes and channel of the attendee, if they were renewed after B.
        replacement: The item that replaces the booked one.
        former: The earlier replacements, the first one first. So the sales of past months stay as they were.
        logistics_changed: Whether the name, time or location of the Opportunity has changed since B. If so, the Orders
            feed shows the Opportunity in full.
        changed: The stamp of the last change.
        cancelled: The stamp of the cancellation.
        replaced: The stamp of the last replacement by another Opportunity or Offer.
    """

    status: OrderItemStatus = OrderItemStatus.CONFIRMED
    cancellation_message: str | None = None
    customer_notice: str | None = None
    access: Access | None = None
    replacement: BookedItem | None = None
    former: tuple[FormerItem, ...] = ()
    # Stored under its former name.
    logistics_changed: bool = msgspec.field(name="moved", default=False)
    changed: Stamp | None = None
    cancelled: Stamp | None = None
    replaced: Stamp | None = None


class Claim(NamedTuple):
    """The spaces of one Opportunity that a record holds.

    Attributes:
        opportunity: The path of the Opportunity.
        spaces: The number of spaces. An OrderProposal without a hold claims zero spaces: by this claim, stores find the
            OrderProposals for an Opportunity.
        expires: When the hold ends; None for sold spaces.
    """

    opportunity: str
    spaces: int
    expires: datetime | None


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of the records behind Order UUIDs. Each kind of record has its own class.

    Attributes:
        partner: The key of the Booking Partner, or DESK.
        uuid: The Order UUID, which is unique among those of the partner.
        kind: The kind of the record, which is stored. `decode_record` selects the class by the kind.
        seller: The key of the Seller.
    """

    partner: str
    uuid: str
    kind: RecordKind
    seller: str

    @property
    def key(self) -> OrderKey:
        """The key of the record."""
        return OrderKey(self.partner, self.uuid)

    @property
    def partnership(self) -> Partnership:
        """The Booking Partner and the Seller of the record."""
        return Partnership(self.partner, self.seller)

    @property
    def is_of_desk(self) -> bool:
        """Whether the front desk booked the Order. No feed shows such an Order."""
        return self.partner == DESK

    @property
    def order(self) -> Order | None:
        """The Order, if the record has one."""
        return None

    @property
    def fingerprint(self) -> str | None:
        """The keyed fingerprint of the request that made the record (`booking/rules/orders/fingerprint.py`)."""
        return None

    @property
    def lease(self) -> Lease | None:
        """The Lease of a quote."""
        return None

    @property
    def lease_expires(self) -> datetime | None:
        """When the Lease or the hold of the record ends; None if the record holds no spaces, or its spaces are sold."""
        return None

    @property
    def spent_until(self) -> datetime | None:
        """The time until which the UUID gets no new Lease, because it has used up its hold time."""
        return None

    @property
    def states(self) -> tuple[ItemState, ...]:
        """The states of the items of a booked Order."""
        return ()

    @property
    def proposal(self) -> Proposal | None:
        """The OrderProposal, which an Order that was booked after an OrderProposal keeps."""
        return None

    @property
    def updated(self) -> bool:
        """Whether the Order has entered the Orders feed, by its first change after B (OB-OF-02)."""
        return False

    @property
    def withheld(self) -> bool:
        """Whether the feeds show the record as deleted, because the Seller has revoked the authorisation."""
        return False

    @property
    def proposed(self) -> Stamp | None:
        """The stamp of P."""
        return None

    @property
    def booked(self) -> Stamp | None:
        """The stamp of B."""
        return None

    @property
    def changed(self) -> Stamp | None:
        """The stamp of the last change."""
        return None

    @property
    def deleted(self) -> Stamp | None:
        """The stamp of the deletion."""
        return None

    @property
    def erased(self) -> Stamp | None:
        """The stamp of the erasure of personal data."""
        return None

    @property
    def ends(self) -> datetime | None:
        """When the sweeper must process the record, at the end of its hold or lifetime; None for Orders."""
        return self.lease_expires

    @property
    def payment(self) -> Payment | None:
        """The payment details that the Broker has sent, if any."""
        return self.order.payment if self.order else None

    @property
    def in_orders_feed(self) -> bool:
        """Whether the Orders feed shows the record."""
        return False

    @property
    def in_proposals_feed(self) -> bool:
        """Whether the feed of OrderProposals shows the record."""
        return False

    def items(self) -> Sequence[tuple[OrderItem, ItemState]]:
        """Return the current items, each with its state."""
        return tuple((item, ItemState()) for item in self.order.items) if self.order else ()

    def wanted(self) -> Mapping[str, int]:
        """Return the number of spaces that the record asks for or has sold, by the paths of the Opportunities."""
        return {}

    def claims(self) -> tuple[Claim, ...]:
        """Return the spaces that the record holds."""
        return tuple(Claim(path, spaces, self.lease_expires) for path, spaces in self.wanted().items())


class QuoteRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A quote with its Lease, or a UUID that has used up its hold time. It has no stamps.

    Attributes:
        order: The OrderQuote, which only the first versions of this system stored, instead of the Lease.
        lease: The Lease, if the quote holds spaces.
        lease_expires: When the Lease ends.
        spent_until: The time until which the UUID gets no new Lease.
    """

    kind: RecordKind = msgspec.field(default_factory=lambda: RecordKind.QUOTE)
    order: Order | None = None
    lease: Lease | None = None
    lease_expires: datetime | None = None
    spent_until: datetime | None = None

    @property
    def ends(self) -> datetime | None:
        """When the sweeper must process the record."""
        return min(filter(None, (self.lease_expires, self.spent_until)), default=None)

    @property
    def payment(self) -> Payment | None:
        """The payment details that the Broker has sent, if any."""
        return self.lease.payment if self.lease else super().payment

    def wanted(self) -> Mapping[str, int]:
        """Return the number of leased spaces, by the paths of the Opportunities."""
        if self.lease:
            return Counter(item.opportunity for item in self.lease.items)
        return Counter(item.opportunity.path for item, _ in self.items() if item.opportunity)


class ShownQuote(QuoteRecord, frozen=True, kw_only=True, omit_defaults=True):
    """A quote with the OrderQuote of its Lease, for the reply of Order Status. It is never stored."""

    order: Order


class ProposalRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An OrderProposal that was not booked (OB 5.5).

    Attributes:
        order: The Order as it was proposed.
        lease_expires: When the hold of spaces ends; None if the proposal holds no spaces.
        proposal: The current OrderProposal.
    """

    kind: RecordKind = msgspec.field(default_factory=lambda: RecordKind.PROPOSAL)
    order: BookedOrder
    fingerprint: str | None = None
    lease_expires: datetime | None = None
    proposal: Proposal
    withheld: bool = False
    proposed: Stamp | None = None
    changed: Stamp | None = None
    erased: Stamp | None = None

    @property
    def ends(self) -> datetime | None:
        """When the sweeper must process the record, at the end of its hold or of its lifetime."""
        return min(filter(None, (self.lease_expires, self.proposal.expires)), default=None)

    @property
    def in_proposals_feed(self) -> bool:
        """Whether the feed of OrderProposals shows the record, from its first change until B."""
        return self.proposal.updated and not self.withheld

    def items(self) -> tuple[tuple[BookedItem, ItemState], ...]:
        """Return the current items: the items of the last amendment, or else of P."""
        return tuple((item, ItemState()) for item in self.proposal.items or self.order.items)

    def items_by_number(self) -> dict[int, tuple[BookedItem, ItemState]]:
        """Return the current items by their numbers, without the items that an amendment has left out."""
        return {item.number: (item, state) for item, state in self.items()}

    def wanted(self) -> Mapping[str, int]:
        """Return the number of spaces that the proposal asks for, by the paths of the Opportunities."""
        return Counter(item.opportunity.path for item, _ in self.items())

    def claims(self) -> tuple[Claim, ...]:
        """Return the spaces that the proposal holds: zero of each Opportunity if it has a lifetime, but no hold."""
        if self.lease_expires is not None:
            return super().claims()
        return tuple(Claim(path, 0, self.ends) for path in self.wanted()) if self.ends else ()


class OrderRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A booked Order.

    Attributes:
        order: The Order as it was booked.
        states: The states of the items of `order`, in the same order.
        proposal: The OrderProposal that B booked, if there was one.
        payments: The payments that the front desk took after the booking.
    """

    kind: RecordKind = msgspec.field(default_factory=lambda: RecordKind.ORDER)
    order: BookedOrder
    fingerprint: str | None = None
    states: tuple[ItemState, ...] = ()
    proposal: Proposal | None = None
    payments: tuple[DeskPayment, ...] = ()
    updated: bool = False
    withheld: bool = False
    proposed: Stamp | None = None
    booked: Stamp | None = None
    changed: Stamp | None = None
    erased: Stamp | None = None

    @property
    def in_orders_feed(self) -> bool:
        """Whether the Orders feed shows the record."""
        return self.updated and not self.withheld and not self.is_of_desk

    def items(self) -> tuple[tuple[BookedItem, ItemState], ...]:
        """Return the current items, each with its state."""
        return tuple((_current(item, state), state) for item, state in zip(self.order.items, self.states, strict=True))

    def items_by_number(self) -> dict[int, tuple[BookedItem, ItemState]]:
        """Return the current items by their numbers."""
        return {item.number: (item, state) for item, state in self.items()}

    def wanted(self) -> Mapping[str, int]:
        """Return the number of spaces that were sold and not cancelled, by the paths of the Opportunities."""
        return Counter(item.opportunity.path for item, state in self.items() if not state.status.cancelled)


class DeletedRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The stub of a deleted Order, without personal data."""

    kind: RecordKind = msgspec.field(default_factory=lambda: RecordKind.DELETED)
    updated: bool = False
    withheld: bool = False
    proposed: Stamp | None = None
    booked: Stamp | None = None
    changed: Stamp | None = None
    deleted: Stamp | None = None


# The records that Order Status shows.
ShownRecord = OrderRecord | ProposalRecord | ShownQuote


class _Kind(msgspec.Struct):
    """The field of a stored record by which its class is selected."""

    kind: RecordKind


_decode_kind = msgspec.json.Decoder(_Kind).decode
# The beginning of a stored record, with its kind. Matching the beginning is faster than decoding the document twice.
_BEGINNING = re.compile(rb'\{"partner":"[^"\\]*","uuid":"[^"\\]*","kind":"(\w+)"')
_DECODERS: dict[bytes, Callable[[bytes], Record]] = {
    kind.encode(): msgspec.json.Decoder(type_).decode
    for kind, type_ in {
        RecordKind.QUOTE: QuoteRecord,
        RecordKind.PROPOSAL: ProposalRecord,
        RecordKind.ORDER: OrderRecord,
        RecordKind.DELETED: DeletedRecord,
    }.items()
}


def decode_record(document: bytes) -> Record:
    """Return the record in a stored document.

    Raises:
        msgspec.ValidationError: The document is not a record.
    """
    beginning = _BEGINNING.match(document)
    decode = _DECODERS.get(beginning[1]) if beginning else None
    return (decode or _DECODERS[_decode_kind(document).kind.encode()])(document)


def _current(item: BookedItem, state: ItemState) -> BookedItem:
    current = state.replacement or item
    return replace(current, access=state.access) if state.access else current
