"""Everything that may happen to the record behind an Order UUID, and to a booked OrderItem, as tables (OB 9.1.1).

The record begins as nothing (None). What is not in the table is refused with the error of the event and the kind.
"""

from enum import StrEnum

from openbooking.booking.model.order import Proposal
from openbooking.booking.model.record import Record, RecordKind
from openbooking.openactive.errors import GoneError, OpenBookingError, OrderAlreadyExistsError, UnknownOrderError
from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus


class Event(StrEnum):
    """What a Broker asks of the record."""

    QUOTE = "quote"
    PROPOSE = "propose"
    UPDATE_PROPOSAL = "update proposal"
    BOOK_PROPOSAL = "book proposal"
    BOOK = "book"
    UPDATE = "update"
    DELETE = "delete"
    READ = "read"


_TRANSITIONS: dict[Event, dict[RecordKind | None, RecordKind]] = {
    Event.QUOTE: {None: RecordKind.QUOTE, RecordKind.QUOTE: RecordKind.QUOTE},
    Event.PROPOSE: {None: RecordKind.PROPOSAL, RecordKind.QUOTE: RecordKind.PROPOSAL},
    Event.UPDATE_PROPOSAL: {RecordKind.PROPOSAL: RecordKind.PROPOSAL},
    Event.BOOK_PROPOSAL: {RecordKind.PROPOSAL: RecordKind.ORDER},
    Event.BOOK: {None: RecordKind.ORDER, RecordKind.QUOTE: RecordKind.ORDER},
    Event.UPDATE: {RecordKind.ORDER: RecordKind.ORDER},
    Event.DELETE: {RecordKind.ORDER: RecordKind.DELETED, RecordKind.DELETED: RecordKind.DELETED},
    Event.READ: {kind: kind for kind in (RecordKind.QUOTE, RecordKind.PROPOSAL, RecordKind.ORDER)},
}

_EXISTS: dict[RecordKind | None, type[OpenBookingError]] = dict.fromkeys(RecordKind, OrderAlreadyExistsError)
_NO_ORDER: dict[RecordKind | None, type[OpenBookingError]] = {
    None: UnknownOrderError,
    RecordKind.QUOTE: UnknownOrderError,
    RecordKind.PROPOSAL: UnknownOrderError,
    RecordKind.ORDER: UnknownOrderError,
    RecordKind.DELETED: GoneError,
}
_REFUSALS: dict[Event, dict[RecordKind | None, type[OpenBookingError]]] = {
    Event.QUOTE: _EXISTS,
    Event.PROPOSE: _EXISTS,
    Event.UPDATE_PROPOSAL: _NO_ORDER,
    Event.BOOK_PROPOSAL: {**_EXISTS, None: UnknownOrderError, RecordKind.QUOTE: UnknownOrderError},
    Event.BOOK: _EXISTS,
    Event.UPDATE: _NO_ORDER,
    Event.DELETE: _NO_ORDER,
    Event.READ: _NO_ORDER,
}

_OPEN = frozenset(
    {
        OrderProposalStatus.AWAITING,
        OrderProposalStatus.ACCEPTED,
        OrderProposalStatus.SELLER_REJECTED,
        OrderProposalStatus.CUSTOMER_REJECTED,
    }
)
# An amendment takes an accepted proposal back to awaiting, for its new version has to be accepted anew (AMB-17).
PROPOSAL_TRANSITIONS: dict[OrderProposalStatus, frozenset[OrderProposalStatus]] = {
    OrderProposalStatus.AWAITING: _OPEN,
    OrderProposalStatus.ACCEPTED: _OPEN,
    OrderProposalStatus.SELLER_REJECTED: frozenset(),
    OrderProposalStatus.CUSTOMER_REJECTED: frozenset(),
}

_CANCELLED = frozenset({OrderItemStatus.CUSTOMER_CANCELLED, OrderItemStatus.SELLER_CANCELLED})
ITEM_TRANSITIONS: dict[OrderItemStatus, frozenset[OrderItemStatus]] = {
    OrderItemStatus.CONFIRMED: _CANCELLED | {OrderItemStatus.ATTENDED, OrderItemStatus.ABSENT},
    OrderItemStatus.ATTENDED: frozenset({OrderItemStatus.ABSENT}),
    OrderItemStatus.ABSENT: frozenset({OrderItemStatus.ATTENDED}),
    OrderItemStatus.CUSTOMER_CANCELLED: frozenset(),
    OrderItemStatus.SELLER_CANCELLED: frozenset(),
}
# Notices are for those who have a place and have not stayed away (OB-NOTIF-03).
NOTIFIED = frozenset({OrderItemStatus.CONFIRMED, OrderItemStatus.ATTENDED})


def after(record: Record | None, event: Event) -> RecordKind:
    """The kind of the record after the event, or raise the error the specification has for it."""
    kind = record.kind if record else None
    following = _TRANSITIONS[event].get(kind)
    if following is None:
        raise _REFUSALS[event][kind]
    return following


def existing(record: Record | None, event: Event) -> Record:
    """The record, which the event cannot do without, or raise the error the specification has for it."""
    after(record, event)
    assert record is not None, f"{event} is refused where there is no record"  # noqa: S101 - by the table
    return record


def is_open(proposal: Proposal) -> bool:
    """Whether anything can still become of a proposal: one that is rejected is so for good (OB-APP-24)."""
    return bool(PROPOSAL_TRANSITIONS[proposal.status])
