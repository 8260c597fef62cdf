"""The effects of a cancelled or full Opportunity on its Orders and OrderProposals (OB 8.3.3, 5.5.3).

A cancellation cancels the items of Orders and rejects OrderProposals. A full Opportunity rejects the OrderProposals for
which it has too few spaces.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.booking.model.actor import Actor, ActorKind, Stamp
from openbooking.booking.model.order import BookedItem, OrderKey
from openbooking.booking.model.record import OrderRecord, ProposalRecord
from openbooking.booking.model.situation import Change, RecordSet, Situation, evolve
from openbooking.booking.rules.orders import lifecycle
from openbooking.booking.rules.orders.erasure import SystemNote
from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus

# The actor that rejects a proposal because its spaces were sold to others.
SOLD_OUT = Actor(ActorKind.SYSTEM, "sold out")


class CancelledBooking(NamedTuple):
    """An Order or OrderProposal that the cancellation of an Opportunity concerns.

    Attributes:
        key: Its key.
        spaces: The number of spaces that it loses. A rejected proposal loses all its spaces, also those elsewhere.
        is_proposal: Whether it is an OrderProposal.
        is_withheld: Whether its Broker does not learn of it, because the Seller has revoked the authorisation.
    """

    key: OrderKey
    spaces: int
    is_proposal: bool
    is_withheld: bool = False


def cancelled_bookings(changes: Iterable[Change]) -> tuple[CancelledBooking, ...]:
    """Return the Orders and OrderProposals that the cancellation of an Opportunity concerns, ordered by key.

    Args:
        changes: The changes of the decision.
    """
    found: list[CancelledBooking] = []
    for change in changes:
        record = change.record if isinstance(change, RecordSet) else None
        if isinstance(record, OrderRecord):
            spaces = sum(state.cancelled is not None and state.cancelled == record.changed for state in record.states)
            found.append(CancelledBooking(record.key, spaces, is_proposal=False, is_withheld=record.withheld))
        elif isinstance(record, ProposalRecord):
            spaces = sum(record.wanted().values())
            found.append(CancelledBooking(record.key, spaces, is_proposal=True, is_withheld=record.withheld))
    return tuple(sorted(found))


def cancel_bookings(
    situation: Situation, paths: AbstractSet[str], stamp: Stamp, message: str | None = None
) -> list[Change]:
    """Return the changes that cancel the items for some Opportunities and reject the open proposals (OB-APP-27).

    Only Orders and proposals of the Seller who sells an Opportunity now are concerned (`Situation.own_claims`).
    An item whose Opportunity has ended does not change, because it is not refunded (OB-SEL-12).

    Args:
        situation: The situation after the cancellation of the Opportunities.
        paths: The paths of the cancelled Opportunities.
        stamp: The actor and the time of the cancellation.
        message: The message to the Customers, if any.
    """
    changes: list[Change] = []
    for record in situation.records.values():
        own = situation.own_claims(record) & paths
        if isinstance(record, OrderRecord):
            changes += _cancellation(situation, record, own, stamp, message)
        elif isinstance(record, ProposalRecord):
            changes += rejection(situation, record, own, stamp, message)
    return changes


def rejection(
    situation: Situation, record: ProposalRecord, paths: AbstractSet[str], stamp: Stamp, message: str | None = None
) -> list[Change]:
    """Return the change that rejects a proposal, or nothing if it is not open or asks for no space at these paths."""
    if not lifecycle.is_open(record.proposal) or not any(claim.opportunity in paths for claim in record.claims()):
        return []
    note = message or SystemNote.NOT_TAKING_PLACE
    rejected = lifecycle.set_proposal_status(situation, record, OrderProposalStatus.SELLER_REJECTED, stamp, note)
    return [RecordSet(record.key, rejected)]


def reject_without_spaces(situation: Situation, paths: Iterable[str], stamp: Stamp) -> list[Change]:
    """Return the changes that reject the open proposals for which too few spaces are unsold at these paths (OB-APP-27).

    Proposals without enough spaces are also closed, whether they were open or rejected: they hold no spaces any more.
    """
    changes: list[Change] = []
    for path in paths:
        for record in _without_spaces(situation, path):
            rejected, status = record, OrderProposalStatus.SELLER_REJECTED
            if lifecycle.is_open(record.proposal):
                rejected = lifecycle.set_proposal_status(situation, record, status, stamp, SystemNote.FULL)
            change = RecordSet(record.key, lifecycle.close_proposal(rejected, stamp))
            situation = evolve(situation, change)
            changes.append(change)
    return changes


def sell(situation: Situation, booked: OrderRecord) -> tuple[Change, ...]:
    """Return the changes that store an Order and reject the proposals for which too few spaces are left (OB-APP-27)."""
    change = RecordSet(booked.key, booked)
    others = (record for key, record in situation.records.items() if key != booked.key)
    if not any(isinstance(record, ProposalRecord) for record in others):
        return (change,)
    paths = [*booked.wanted(), *(slot for path in booked.wanted() for slot in situation.overlapping_slots(path))]
    return (change, *reject_without_spaces(evolve(situation, change), paths, Stamp(SOLD_OUT, situation.now)))


def _without_spaces(situation: Situation, path: str) -> list[ProposalRecord]:
    """Return the proposals for which too few spaces are unsold.

    The unsold spaces go to the proposals with a hold: first to the accepted ones, then to those that await a decision,
    then to the rejected ones, and within each group to the earlier proposal. A proposal without a hold needs as many
    unsold spaces as it asks for, but takes none from the others. Quotes are ignored: their Leases end soon, and B fails
    if the spaces are sold.
    """
    opportunity = situation.opportunities.get(path)
    if opportunity is None or opportunity.capacity is None:
        return []
    unsold = left = max(opportunity.capacity - situation.spaces_taken(path).booked, 0)
    without: list[ProposalRecord] = []
    proposals = (record for record in situation.records.values() if isinstance(record, ProposalRecord))
    current = (record for record in proposals if situation.holds_spaces(record) or lifecycle.is_open(record.proposal))
    for record in sorted(current, key=_precedence):
        wanted, holds = record.wanted().get(path, 0), situation.holds_spaces(record)
        if wanted > (left if holds else unsold):
            without.append(record)
        elif holds:
            left -= wanted
    return without


def _precedence(record: ProposalRecord) -> tuple[int, datetime, OrderKey]:
    order = (OrderProposalStatus.ACCEPTED, OrderProposalStatus.AWAITING)
    rank = order.index(record.proposal.status) if record.proposal.status in order else len(order)
    return rank, record.proposal.made, record.key


def _cancellation(
    situation: Situation, record: OrderRecord, paths: AbstractSet[str], stamp: Stamp, message: str | None
) -> list[Change]:
    cancelled = {
        item.number: replace(state, status=OrderItemStatus.SELLER_CANCELLED, cancellation_message=message)
        for item, state in record.items()
        if state.status is OrderItemStatus.CONFIRMED and _has_not_ended(situation, item, paths)
    }
    return [RecordSet(record.key, lifecycle.set_item_states(record, cancelled, stamp))] if cancelled else []


def _has_not_ended(situation: Situation, item: BookedItem, paths: AbstractSet[str]) -> bool:
    """Return whether the Opportunity of the item is at one of these paths and has not ended.

    If the Opportunity was removed, the dates in the item count.
    """
    if item.opportunity.path not in paths:
        return False
    return not situation.opportunity_of(item).is_over(situation.now)
