"""The record behind an Order UUID: a quote's Lease, a proposal, an Order, or the stub of a deleted one (OB 9.1.1)."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.order import Access, Lease, Order, OrderItem, OrderKey, Partnership, Payment, Proposal
from openbooking.openactive.terms import OrderItemStatus


class RecordKind(StrEnum):
    """What lives behind an Order UUID; one of these at a time (OB-ID-12)."""

    QUOTE = "quote"
    PROPOSAL = "proposal"
    ORDER = "order"
    DELETED = "deleted"


class ItemState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has become of an OrderItem since it was booked.

    `access` and `replacement` take the place of what was booked. `logistics_changed` says that name, time or location
    of the Opportunity have changed since B, so that the Orders feed shows it in full. `changed` is the stamp of its
    last change, and
    `cancelled` that of its cancellation.
    """

    status: OrderItemStatus = OrderItemStatus.CONFIRMED
    cancellation_message: str | None = None
    customer_notice: str | None = None
    access: Access | None = None
    replacement: OrderItem | None = None
    # Stored under its former name.
    logistics_changed: bool = msgspec.field(name="moved", default=False)
    changed: Stamp | None = None
    cancelled: Stamp | None = None


class Claim(NamedTuple):
    """Spaces of one Opportunity that a record holds: sold, if `expires` is None, or leased until `expires`.

    An open OrderProposal that holds nothing has claims of zero `spaces`, so that it is found by its Opportunities.
    """

    opportunity: str
    spaces: int
    expires: datetime | None


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept behind an Order UUID: the Order as answered, and what has happened since; of a quote its Lease.

    `lease_expires` is when its hold of spaces ends. A quote that has used up the time for which its UUID may hold has
    no `lease` any more; it is remembered until `spent_until`. `states` go with `order.items`. `updated` tells whether
    the Order has entered the Orders feed, which it does at its first change after B (OB-OF-02). `proposal` is how an
    OrderProposal stands now. What is `withheld` the feeds show as deleted, for its Seller has revoked the partner's
    authorisation. Of a deleted Order only the stub remains, without `order`. `fingerprint` is keyed
    (`openbooking.booking.rules.fingerprint`).

    `proposed`, `booked`, `deleted` and `erased` are the stamps of P, B, deletion and erasure of its personal data, each
    None if that has not happened. `changed` is the stamp of its last change, which may be one of these. A quote has no
    stamps.
    """

    partner: str
    uuid: str
    kind: RecordKind
    seller: str
    order: Order | None = None
    fingerprint: str | None = None
    lease: Lease | None = None
    lease_expires: datetime | None = None
    spent_until: datetime | None = None
    states: tuple[ItemState, ...] = ()
    proposal: Proposal | None = None
    updated: bool = False
    withheld: bool = False
    proposed: Stamp | None = None
    booked: Stamp | None = None
    changed: Stamp | None = None
    deleted: Stamp | None = None
    erased: Stamp | None = None

    @property
    def key(self) -> OrderKey:
        """What identifies the record."""
        return OrderKey(self.partner, self.uuid)

    @property
    def partnership(self) -> Partnership:
        """Whose it is."""
        return Partnership(self.partner, self.seller)

    @property
    def ends(self) -> datetime | None:
        """When the sweeper has to look at it: the end of its hold, or of its lifetime; None for Orders."""
        lifetime = self.proposal.expires if self.kind is RecordKind.PROPOSAL and self.proposal else self.spent_until
        return min(filter(None, (self.lease_expires, lifetime)), default=None)

    @property
    def payment(self) -> Payment | None:
        """How it is paid for, as far as has been told."""
        source = self.lease or self.order
        return source.payment if source else None

    @property
    def in_orders_feed(self) -> bool:
        """Whether the Orders feed shows it."""
        return self.updated and self.kind is not RecordKind.DELETED and not self.withheld

    @property
    def in_proposals_feed(self) -> bool:
        """Whether the feed of OrderProposals shows it: until it has been booked."""
        return bool(self.proposal and self.proposal.updated) and self.kind is RecordKind.PROPOSAL and not self.withheld

    def items(self) -> tuple[tuple[OrderItem, ItemState], ...]:
        """The items as they stand now, each with what has become of it."""
        amended = self.proposal.items if self.proposal else ()
        items = amended or (self.order.items if self.order else ())
        states = self.states or (ItemState(),) * len(items)
        return tuple((_standing(item, state), state) for item, state in zip(items, states, strict=True))

    def numbered(self) -> dict[int, tuple[OrderItem, ItemState]]:
        """The items as they stand now, by their numbers, of which an amended proposal may have left some out."""
        return {item.number: (item, state) for item, state in self.items()}

    def wanted(self) -> Mapping[str, int]:
        """How many spaces it wants or has, by the paths of their Opportunities; cancelled items want none."""
        if self.lease:
            return Counter(item.opportunity for item in self.lease.items)
        standing = (item.opportunity for item, state in self.items() if not state.status.cancelled)
        return Counter(opportunity.path for opportunity in standing if opportunity)

    def claims(self) -> tuple[Claim, ...]:
        """The spaces it holds: none for cancelled items; zero for an open proposal whose hold has ended."""
        held, expires = True, self.lease_expires
        if self.kind is RecordKind.PROPOSAL and self.lease_expires is None:
            held, expires = False, self.ends
            if expires is None:
                return ()
        return tuple(Claim(path, spaces if held else 0, expires) for path, spaces in self.wanted().items())


def _standing(item: OrderItem, state: ItemState) -> OrderItem:
    standing = state.replacement or item
    return replace(standing, access=state.access) if state.access else standing
