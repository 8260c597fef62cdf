"""The allowed status changes of records, OrderProposals and OrderItems, and the functions that make these changes.

Each status has a table, whose name ends in `_TRANSITIONS`. No other module sets such a status; the functions below the
tables check each change against its table. They also set the ends of an OrderProposal's lifetime and hold when its
status changes (`commands.propose` sets the first ones). Sections of the specification: OB 9.1.1 for records, OB 5.5.5
for OrderProposals, OB 10.1.6 for OrderItems.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from msgspec.structs import replace

from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.errors import (
    NoteTooSoonError,
    ProposalChangedError,
    ProposalExpiredError,
    ProposalRejectedError,
)
from openbooking.booking.model.order import BookedItem, BookedOrder, OrderKey, Proposal, SeenProposal
from openbooking.booking.model.record import (
    DeletedRecord,
    ItemState,
    OrderRecord,
    ProposalRecord,
    Record,
    RecordKind,
)
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.orders.erasure import erase_personal_data, has_note_of_seller
from openbooking.openactive.errors import (
    CancellationNotPermittedError,
    GoneError,
    OpenBookingError,
    OrderAlreadyExistsError,
    UnknownOrderError,
)
from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus

# The least time between two notes of the Seller about one OrderProposal (OB-AMEND-11).
SELLER_NOTES_EVERY = timedelta(minutes=5)


class Event(StrEnum):
    """A request of a Broker or a Seller about the record behind an Order UUID."""

    QUOTE = "quote"
    PROPOSE = "propose"
    UPDATE_PROPOSAL = "update proposal"
    BOOK_PROPOSAL = "book proposal"
    BOOK = "book"
    UPDATE = "update"
    DELETE = "delete"
    READ = "read"


# For each event: the kind of the record before (None for no record), and its kind afterwards.
RECORD_TRANSITIONS: dict[Event, dict[RecordKind | None, RecordKind]] = {
    Event.QUOTE: {None: RecordKind.QUOTE, RecordKind.QUOTE: RecordKind.QUOTE},
    Event.PROPOSE: {None: RecordKind.PROPOSAL, RecordKind.QUOTE: RecordKind.PROPOSAL},
    Event.UPDATE_PROPOSAL: {RecordKind.PROPOSAL: RecordKind.PROPOSAL},
    Event.BOOK_PROPOSAL: {RecordKind.PROPOSAL: RecordKind.ORDER},
    Event.BOOK: {None: RecordKind.ORDER, RecordKind.QUOTE: RecordKind.ORDER},
    Event.UPDATE: {RecordKind.ORDER: RecordKind.ORDER},
    Event.DELETE: {RecordKind.ORDER: RecordKind.DELETED, RecordKind.DELETED: RecordKind.DELETED},
    Event.READ: {kind: kind for kind in (RecordKind.QUOTE, RecordKind.PROPOSAL, RecordKind.ORDER)},
}

# The error that an event raises for a kind of record that is not in its table above.
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

_ANY_STATUS = frozenset(OrderProposalStatus)
# An amendment returns an accepted proposal to AWAITING, because its new version must be accepted again (AMB-17).
PROPOSAL_TRANSITIONS: dict[OrderProposalStatus, frozenset[OrderProposalStatus]] = {
    OrderProposalStatus.AWAITING: _ANY_STATUS,
    OrderProposalStatus.ACCEPTED: _ANY_STATUS,
    OrderProposalStatus.SELLER_REJECTED: frozenset(),
    OrderProposalStatus.CUSTOMER_REJECTED: frozenset(),
}

_CANCELLED = frozenset({OrderItemStatus.CUSTOMER_CANCELLED, OrderItemStatus.SELLER_CANCELLED})
ITEM_TRANSITIONS: dict[OrderItemStatus, frozenset[OrderItemStatus]] = {
    OrderItemStatus.CONFIRMED: _CANCELLED | {OrderItemStatus.ATTENDED, OrderItemStatus.ABSENT},
    # To undo a record of attendance confirms the item again.
    OrderItemStatus.ATTENDED: frozenset({OrderItemStatus.ABSENT, OrderItemStatus.CONFIRMED}),
    OrderItemStatus.ABSENT: frozenset({OrderItemStatus.ATTENDED, OrderItemStatus.CONFIRMED}),
    OrderItemStatus.CUSTOMER_CANCELLED: frozenset(),
    OrderItemStatus.SELLER_CANCELLED: frozenset(),
}
# An item that is cancelled, or whose attendee was absent, has no notice to the Customer (OB-NOTIF-03).
STATUSES_WITH_NOTICE = frozenset({OrderItemStatus.CONFIRMED, OrderItemStatus.ATTENDED})

_Required = TypeVar("_Required", bound=Record)


def check_event(record: Record | None, event: Event) -> None:
    """Raise the error of the specification unless RECORD_TRANSITIONS allows the event for the record, or for None."""
    kind = record.kind if record else None
    if kind not in RECORD_TRANSITIONS[event]:
        raise _REFUSALS[event][kind]


def refusals_of(event: Event) -> tuple[type[OpenBookingError], ...]:
    """Return the classes of errors with which an event is refused because of its record, each once."""
    refused = (error for kind, error in _REFUSALS[event].items() if kind not in RECORD_TRANSITIONS[event])
    return tuple(dict.fromkeys(refused))


def booked_order(situation: Situation, key: OrderKey) -> OrderRecord:
    """Return the booked Order with the key.

    Raises:
        UnknownOrderError: No booked Order has the key.
        GoneError: The Order was deleted.
    """
    return _require(situation.records.get(key), Event.UPDATE, OrderRecord)


def current_proposal(situation: Situation, key: OrderKey) -> ProposalRecord:
    """Return the OrderProposal with the key, in any status.

    Raises:
        UnknownOrderError: No OrderProposal has the key.
        GoneError: The Order was deleted.
    """
    return _require(situation.records.get(key), Event.UPDATE_PROPOSAL, ProposalRecord)


def proposal_to_book(situation: Situation, key: OrderKey) -> ProposalRecord:
    """Return the OrderProposal that B is about to book.

    Raises:
        UnknownOrderError: No record has the key, or the record is a quote.
        OrderAlreadyExistsError: The key belongs to an Order, or to a deleted Order.
    """
    return _require(situation.records.get(key), Event.BOOK_PROPOSAL, ProposalRecord)


def _require(record: Record | None, event: Event, type_: type[_Required]) -> _Required:
    if isinstance(record, type_):
        return record
    raise _REFUSALS[event][record.kind if record else None]


def new_order_record(
    key: OrderKey, order: BookedOrder, fingerprint: str, stamp: Stamp, proposed: ProposalRecord | None = None
) -> OrderRecord:
    """Return the record of an Order that B books.

    Args:
        key: The key of the Order.
        order: The Order.
        fingerprint: The keyed fingerprint of the request.
        stamp: The stamp of B.
        proposed: The OrderProposal that B books, if there is one.
    """
    return OrderRecord(
        partner=key.partner,
        uuid=key.uuid,
        seller=order.seller.key,
        order=order,
        fingerprint=fingerprint,
        states=tuple(ItemState() for _ in order.items),
        proposal=replace(proposed.proposal, items=()) if proposed else None,
        withheld=proposed.withheld if proposed else False,
        proposed=proposed.proposed if proposed else None,
        booked=stamp,
        changed=stamp,
    )


def set_item_states(record: OrderRecord, states: Mapping[int, ItemState], stamp: Stamp) -> OrderRecord:
    """Return the Order with new states of some items; the Order enters the Orders feed (OB-OF-08).

    Args:
        record: The Order.
        states: The new states, by the numbers of the items.
        stamp: The stamp of the change.

    Raises:
        CancellationNotPermittedError: ITEM_TRANSITIONS does not allow the new status of an item.
    """
    changed = tuple(
        _set_item_state(state, states[item.number], stamp) if item.number in states else state
        for item, state in record.items()
    )
    return replace(record, states=changed, updated=True, changed=stamp)


def _set_item_state(state: ItemState, new: ItemState, stamp: Stamp) -> ItemState:
    if new.status is not state.status and new.status not in ITEM_TRANSITIONS[state.status]:
        if new.status.cancelled and state.status.has_attendance:
            raise CancellationNotPermittedError("An item with a record of attendance cannot be cancelled.")
        raise CancellationNotPermittedError("The status of this booking cannot change so.")
    if new.status.cancelled and not state.status.cancelled:
        new = replace(new, cancelled=stamp)
    notice = new.customer_notice if new.status in STATUSES_WITH_NOTICE else None
    return replace(new, customer_notice=notice, changed=stamp)


def deleted_record(record: Record, stamp: Stamp) -> DeletedRecord:
    """Return the record that remains of a deleted Order: its stamps, and whether the Orders feed has shown it."""
    return DeletedRecord(
        partner=record.partner,
        uuid=record.uuid,
        seller=record.seller,
        updated=record.updated,
        proposed=record.proposed,
        booked=record.booked,
        changed=stamp,
        deleted=stamp,
    )


def is_open(proposal: Proposal) -> bool:
    """Return whether the status of the proposal can still change. A rejected proposal stays rejected (OB-APP-24)."""
    return bool(PROPOSAL_TRANSITIONS[proposal.status])


def set_proposal_status(
    situation: Situation, record: ProposalRecord, status: OrderProposalStatus, stamp: Stamp, note: str | None = None
) -> ProposalRecord:
    """Return the proposal with a new status; the proposal enters the feed of OrderProposals.

    The lifetime and the hold of an accepted proposal last at least as long as a Lease, to give the Broker time to book.
    Those of a rejected proposal last at most as long as a Lease: the spaces are free soon, but not between two requests
    of the Broker.

    Args:
        situation: The situation of the decision.
        record: The proposal.
        status: The new status.
        stamp: The actor and the time of the change.
        note: The Seller's note, which is ignored within five minutes of the last note.

    Raises:
        ProposalRejectedError: The proposal was rejected before.
    """
    proposal = record.proposal
    if status not in PROPOSAL_TRANSITIONS[proposal.status]:
        raise ProposalRejectedError(f"The OrderProposal is {proposal.status.rpartition('/')[2]} for good.")
    decided = stamp if status is not OrderProposalStatus.AWAITING else None
    if status is proposal.status:
        decided = proposal.decided
    changed = replace(record, proposal=replace(proposal, status=status, updated=True, decided=decided))
    if status is not OrderProposalStatus.AWAITING:
        changed = _set_ends(situation, changed, max if status is OrderProposalStatus.ACCEPTED else min)
    if note and _note_is_due(situation, proposal):
        return set_seller_note(situation, changed, note, stamp)
    return record if changed == record else replace(changed, changed=stamp)


def _set_ends(
    situation: Situation, record: ProposalRecord, choose: Callable[[datetime, datetime], datetime]
) -> ProposalRecord:
    """Return the proposal with new ends of its lifetime and its hold. An end that has passed does not change.

    Args:
        situation: The situation of the decision.
        record: The proposal.
        choose: Chooses between the present end and the end of a Lease that begins now.
    """
    soon = situation.now + situation.policy.lease_duration
    if record.proposal.expires and record.proposal.expires > situation.now:
        record = replace(record, proposal=replace(record.proposal, expires=choose(record.proposal.expires, soon)))
    if record.lease_expires and situation.holds_spaces(record):
        record = replace(record, lease_expires=choose(record.lease_expires, soon))
    return record


def set_proposal_version(
    record: ProposalRecord, version: str, items: tuple[BookedItem, ...], stamp: Stamp
) -> ProposalRecord:
    """Return the proposal with a new version and the items of that version."""
    proposal = replace(record.proposal, version=version, items=items)
    if proposal == record.proposal:
        return record
    return replace(record, proposal=replace(proposal, amended=stamp), changed=stamp)


def close_proposal(record: ProposalRecord, stamp: Stamp) -> ProposalRecord:
    """Return a rejected proposal without its hold and its personal data. Its feed still shows the proposal.

    A note that the Seller has just written is not erased yet, because the Broker has five minutes to read it
    (OB-AMEND-11). Until then the proposal keeps a lifetime, at whose end the sweeper closes it.
    """
    noted_at = record.proposal.seller_note_at
    if has_note_of_seller(record.proposal) and noted_at and stamp.at and noted_at + SELLER_NOTES_EVERY > stamp.at:
        readable = replace(record.proposal, expires=noted_at + SELLER_NOTES_EVERY)
        return replace(record, lease_expires=None, proposal=readable, changed=stamp)
    erased = erase_personal_data(record, stamp)
    proposal = replace(erased.proposal, expires=None)
    return replace(erased, lease_expires=None, proposal=proposal, changed=stamp)


def set_seller_note(situation: Situation, record: ProposalRecord, note: str, stamp: Stamp) -> ProposalRecord:
    """Return the proposal with a new note of the Seller, which replaces the last note (OB-AMEND-10)."""
    noted = replace(record.proposal, seller_note=note, seller_note_at=situation.now, updated=True)
    return replace(record, proposal=noted, changed=stamp)


def check_lifetime(situation: Situation, proposal: Proposal) -> None:
    """Raise ProposalExpiredError if the lifetime of the proposal has ended, even before the sweeper closes it."""
    if proposal.expires is not None and proposal.expires <= situation.now:
        raise ProposalExpiredError


def check_seen(proposal: Proposal, seen: SeenProposal | None) -> None:
    """Raise ProposalChangedError if the proposal is not as it was seen; without `seen` it may have changed."""
    if seen is not None and seen != (proposal.version, proposal.status):
        raise ProposalChangedError


def check_note(situation: Situation, proposal: Proposal, note: str | None) -> None:
    """Raise NoteTooSoonError if there is a note and the last note was sent less than five minutes ago."""
    if note and not _note_is_due(situation, proposal):
        raise NoteTooSoonError


def _note_is_due(situation: Situation, proposal: Proposal) -> bool:
    """Return whether the Broker has had five minutes to read the last note of the Seller (OB-AMEND-11)."""
    return proposal.seller_note_at is None or situation.now - proposal.seller_note_at >= SELLER_NOTES_EVERY
