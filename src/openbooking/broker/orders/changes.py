"""The changes of Orders and OrderProposals that a Broker is told about (OB 8.4).

Each change is a struct, so that an application can `match` on its type. `order` is the Order UUID, and `item` the `@id`
of the OrderItem.
"""

import uuid
from decimal import Decimal
from typing import Any

import msgspec


class Change(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A change of an Order or OrderProposal. `is_serious` marks what a Booking System should never show (OB-BRK-11)."""

    order: uuid.UUID

    @property
    def is_serious(self) -> bool:
        """Whether the Booking System and the Broker disagree, so that a person must look at it."""
        return False


class ItemChange(Change, frozen=True, kw_only=True):
    """A change of one OrderItem."""

    item: str


class ItemCancelled(ItemChange, frozen=True, kw_only=True):
    """An OrderItem was cancelled, by its Seller or for the Customer (OB 8.4.6).

    `is_last` says whether no other item of the Order is left.
    """

    by_seller: bool
    message: str = ""
    is_last: bool = False


class ItemReplaced(ItemChange, frozen=True, kw_only=True):
    """The Seller replaced the Opportunity or the Offer of an OrderItem. Each is the `@id` (OB 8.4.6)."""

    previous_opportunity: str
    opportunity: str
    previous_offer: str
    offer: str


class Moved(ItemChange, frozen=True, kw_only=True):
    """The name, time or place of a booked Opportunity changed in its open feed (OB 8.4.9).

    `before` and `after` have the properties that changed, as published.
    """

    opportunity: str
    before: dict[str, Any]
    after: dict[str, Any]


class Noticed(ItemChange, frozen=True, kw_only=True):
    """The Seller wrote a notice for the Customer (OB 8.4.8)."""

    notice: str


class AttendanceRecorded(ItemChange, frozen=True, kw_only=True):
    """The Seller recorded whether the attendee came. `attended` is None if the record was undone (OB 8.4.10)."""

    attended: bool | None


class AccessChanged(ItemChange, frozen=True, kw_only=True):
    """The access codes, access passes or the access channel changed, or further facts did (OB 8.4.11)."""


class TotalChanged(Change, frozen=True, kw_only=True):
    """The `totalPaymentDue` changed: the difference is refunded to the Customer (OB 8.4.3.1)."""

    previous: Decimal
    total: Decimal
    currency: str


class ProposalAccepted(Change, frozen=True, kw_only=True):
    """The Seller accepted a version of an OrderProposal, which can be booked now (OB 5.5.5)."""

    version: str


class ProposalAmended(Change, frozen=True, kw_only=True):
    """The Seller changed an OrderProposal. The Customer must agree to the new version (OB 5.5.7)."""

    version: str


class ProposalRejected(Change, frozen=True, kw_only=True):
    """An OrderProposal was rejected, by its Seller or for the Customer (OB 5.5.5)."""

    by_seller: bool


class SellerNoteChanged(Change, frozen=True, kw_only=True):
    """The Seller wrote about an OrderProposal; the note is empty if it was removed."""

    note: str


class Deleted(Change, frozen=True, kw_only=True):
    """An Order or OrderProposal was deleted. `expected`: the Broker deleted it, or booked the OrderProposal."""

    expected: bool

    @property
    def is_serious(self) -> bool:
        """Whether the Broker did not ask for the deletion (OB-BRK-11)."""
        return not self.expected


class UnknownOrder(Change, frozen=True, kw_only=True):
    """The feed has an Order that this database does not know (OB-BRK-11)."""

    @property
    def is_serious(self) -> bool:
        """Always true."""
        return True


class Unreadable(Change, frozen=True, kw_only=True):
    """A version of an Order does not follow the specification; `reason` says where. The version before it is kept."""

    reason: str

    @property
    def is_serious(self) -> bool:
        """Always true."""
        return True


AnyChange = (
    ItemCancelled
    | ItemReplaced
    | Moved
    | Noticed
    | AttendanceRecorded
    | AccessChanged
    | TotalChanged
    | ProposalAccepted
    | ProposalAmended
    | ProposalRejected
    | SellerNoteChanged
    | Deleted
    | UnknownOrder
    | Unreadable
)
