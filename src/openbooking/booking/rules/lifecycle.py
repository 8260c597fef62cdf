"""Every legal state change of a record, a booked OrderItem, an OrderProposal and an Opportunity's sale state.

Sections of the specification: OB 9.1.1 for records, OB 5.5.5 for OrderProposals, OB 10.1.6 for OrderItems.

The tables say which changes of a status are legal. The functions below them check every change against the tables.
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
from openbooking.booking.model.opportunity import Opportunity, SaleState
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
from openbooking.booking.rules.erasure import without_personal_data
from openbooking.openactive.errors import (
    CancellationNotPermittedError,
    GoneError,
    OpenBookingError,
    OrderAlreadyExistsError,
    UnknownOrderError,
)
from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus

SELLER_NOTES_EVERY = timedelta(minutes=5)


class Event(StrEnum):
    """A request that a Broker or a Seller makes about the record behind an Order UUID."""

    QUOTE = "quote"
    PROPOSE = "propose"
    UPDATE_PROPOSAL = "update proposal"
    BOOK_PROPOSAL = "book proposal"
    BOOK = "book"
    UPDATE = "update"
    DELETE = "delete"
    READ = "read"


# From the kind of the record, or None where no record exists, to its kind after the event.
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

# The error of each event that the table above does not allow.
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
# An amendment returns an accepted proposal to awaiting, because its new version must be accepted again (AMB-17).
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
# A cancelled item, or one whose attendee was absent, carries no notice to the Customer (OB-NOTIF-03).
STATUSES_WITH_NOTICE = frozenset({OrderItemStatus.CONFIRMED, OrderItemStatus.ATTENDED})

_Required = TypeVar("_Required", bound=Record)


def check_event(record: Record | None, event: Event) -> None:
    """Raise the error of the specification if the event is not legal for the record, or for the lack of one."""
    kind = record.kind if record else None
    if kind not in RECORD_TRANSITIONS[event]:
        raise _REFUSALS[event][kind]


def booked_order(situation: Situation, key: OrderKey) -> OrderRecord:
    """Return the booked Order with the key.

    Raises:
        UnknownOrderError: No booked Order has the key.
        GoneError: The Order was deleted.
    """
    return _required(situation.records.get(key), Event.UPDATE, OrderRecord)


def current_proposal(situation: Situation, key: OrderKey) -> ProposalRecord:
    """Return the OrderProposal with the key, whatever its status.

    Raises:
        UnknownOrderError: No OrderProposal has the key.
        GoneError: The Order was deleted.
    """
    return _required(situation.records.get(key), Event.UPDATE_PROPOSAL, ProposalRecord)


def proposal_to_book(situation: Situation, key: OrderKey) -> ProposalRecord:
    """Return the OrderProposal that B is about to book.

    Raises:
        UnknownOrderError: No record has the key, or the record is a quote.
        OrderAlreadyExistsError: The key belongs to an Order, or to a deleted one.
    """
    return _required(situation.records.get(key), Event.BOOK_PROPOSAL, ProposalRecord)


def _required(record: Record | None, event: Event, type_: type[_Required]) -> _Required:
    if isinstance(record, type_):
        return record
    raise _REFUSALS[event][record.kind if record else None]


def new_order(
    key: OrderKey, order: BookedOrder, fingerprint: str, stamp: Stamp, proposed: ProposalRecord | None = None
) -> OrderRecord:
    """Return the record of an Order that B books, after an OrderProposal or without one."""
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


def with_states(record: OrderRecord, states: Mapping[int, ItemState], stamp: Stamp) -> OrderRecord:
    """Return the Order with new states of the items with these numbers, which enters the Orders feed (OB-OF-08).

    Raises:
        CancellationNotPermittedError: The status of an item cannot change to the new one.
    """
    changed = tuple(
        _changed(state, states[item.number], stamp) if item.number in states else state
        for item, state in record.items()
    )
    return replace(record, states=changed, updated=True, changed=stamp)


def _changed(state: ItemState, new: ItemState, stamp: Stamp) -> ItemState:
    if new.status is not state.status and new.status not in ITEM_TRANSITIONS[state.status]:
        cancels = new.status.cancelled
        message = (
            "This booking can no longer be cancelled." if cancels else "The status of this booking cannot change so."
        )
        raise CancellationNotPermittedError(message)
    if new.status.cancelled and not state.status.cancelled:
        new = replace(new, cancelled=stamp)
    notice = new.customer_notice if new.status in STATUSES_WITH_NOTICE else None
    return replace(new, customer_notice=notice, changed=stamp)


def deleted(record: Record, stamp: Stamp) -> DeletedRecord:
    """Return the stub of a deleted Order: its stamps, and whether it has entered the Orders feed."""
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
    """Whether the status of the proposal can still change: a rejected proposal stays rejected (OB-APP-24)."""
    return bool(PROPOSAL_TRANSITIONS[proposal.status])


def with_status(
    situation: Situation, record: ProposalRecord, status: OrderProposalStatus, stamp: Stamp, note: str | None = None
) -> ProposalRecord:
    """Return the proposal with this status, which enters the feed of OrderProposals.

    An accepted proposal lives, and keeps its hold, at least as long as a Lease lasts, so that the Broker can book it. A
    rejected one lives no longer than that, so that its spaces are free soon, but not between two calls of the Broker.

    Args:
        situation: The situation of the decision.
        record: The proposal.
        status: The new status.
        stamp: Who decides, and when.
        note: The Seller's note; ignored if it comes too soon after the last one.

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
        changed = _with_new_ends(situation, changed, max if status is OrderProposalStatus.ACCEPTED else min)
    if note and _note_is_due(situation, proposal):
        return with_note(situation, changed, note, stamp)
    return record if changed == record else replace(changed, changed=stamp)


def _with_new_ends(
    situation: Situation, record: ProposalRecord, choose: Callable[[datetime, datetime], datetime]
) -> ProposalRecord:
    """Return the proposal with new ends of its lifetime and its hold; an end that has passed stays."""
    soon = situation.now + situation.policy.lease_duration
    if record.proposal.expires and record.proposal.expires > situation.now:
        record = replace(record, proposal=replace(record.proposal, expires=choose(record.proposal.expires, soon)))
    if record.lease_expires and situation.holds_spaces(record):
        record = replace(record, lease_expires=choose(record.lease_expires, soon))
    return record


def with_version(record: ProposalRecord, version: str, items: tuple[BookedItem, ...], stamp: Stamp) -> ProposalRecord:
    """Return the proposal in this version, with these items in place of the current ones."""
    proposal = replace(record.proposal, version=version, items=items)
    if proposal == record.proposal:
        return record
    return replace(record, proposal=replace(proposal, amended=stamp), changed=stamp)


def closed(record: ProposalRecord, stamp: Stamp) -> ProposalRecord:
    """Return the rejected proposal without its spaces and its personal data; its feed still shows it."""
    erased = without_personal_data(record, stamp)
    proposal = replace(erased.proposal, expires=None)
    return replace(erased, lease_expires=None, proposal=proposal, changed=stamp)


def with_note(situation: Situation, record: ProposalRecord, note: str, stamp: Stamp) -> ProposalRecord:
    """Return the proposal with this note of the Seller in place of the last one (OB-AMEND-10)."""
    noted = replace(record.proposal, seller_note=note, seller_note_at=situation.now, updated=True)
    return replace(record, proposal=noted, changed=stamp)


def check_lifetime(situation: Situation, proposal: Proposal) -> None:
    """Raise ProposalExpiredError if the lifetime of the proposal has ended, even if the sweeper has not closed it."""
    if proposal.expires is not None and proposal.expires <= situation.now:
        raise ProposalExpiredError


def check_seen(proposal: Proposal, seen: SeenProposal | None) -> None:
    """Raise ProposalChangedError if the proposal is not as it was seen; without `seen` it may have changed."""
    if seen is not None and seen != (proposal.version, proposal.status):
        raise ProposalChangedError


def check_note(situation: Situation, proposal: Proposal, note: str | None) -> None:
    """Raise NoteTooSoonError for a note that follows the last one too soon; a decision needs no note."""
    if note and not _note_is_due(situation, proposal):
        raise NoteTooSoonError


def _note_is_due(situation: Situation, proposal: Proposal) -> bool:
    """Whether the last note is old enough that the Broker has read it before the next replaces it (OB-AMEND-11)."""
    return proposal.seller_note_at is None or situation.now - proposal.seller_note_at >= SELLER_NOTES_EVERY


def sale_when_published(known: Opportunity | None, published: SaleState) -> SaleState:
    """Return the sale state after a publication, which never puts on sale what the Seller has unpublished.

    Args:
        known: The stored Opportunity, if it was published before.
        published: The sale state in the publication.
    """
    unpublished = known is not None and known.sale is SaleState.UNPUBLISHED
    return SaleState.UNPUBLISHED if unpublished else published


def with_sale_state(opportunity: Opportunity, sale: SaleState) -> Opportunity:
    """Return the Opportunity in the sale state that its Seller chooses.

    An unpublished Opportunity remembers whether its latest version is understood. If that version is not understood,
    the Seller cannot put the Opportunity on sale.
    """
    not_understood = opportunity.not_understood or opportunity.sale is SaleState.NOT_UNDERSTOOD
    if sale is SaleState.UNPUBLISHED:
        return replace(opportunity, sale=sale, not_understood=not_understood)
    if sale is SaleState.ON_SALE and opportunity.not_understood:
        sale = SaleState.NOT_UNDERSTOOD
    return replace(opportunity, sale=sale, not_understood=False)


def not_understood(opportunity: Opportunity) -> Opportunity:
    """Return the Opportunity after an import that does not understand its latest version."""
    if opportunity.sale is SaleState.ON_SALE and not opportunity.withdrawn:
        return replace(opportunity, sale=SaleState.NOT_UNDERSTOOD)
    if opportunity.sale is SaleState.UNPUBLISHED:
        return replace(opportunity, not_understood=True)
    return opportunity
