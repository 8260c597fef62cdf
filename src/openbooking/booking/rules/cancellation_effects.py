"""What becomes of Orders and OrderProposals when an Opportunity does not take place, or fills up (OB 8.3.3, 5.5.3)."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime

from msgspec.structs import replace

from openbooking.booking.model.actor import Actor, ActorKind, Stamp
from openbooking.booking.model.order import BookedItem, OrderKey
from openbooking.booking.model.record import OrderRecord, ProposalRecord
from openbooking.booking.model.situation import Change, RecordSet, Situation, Spaces, evolve
from openbooking.booking.rules import lifecycle
from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus

# Who rejects a proposal because others were quicker: none of them.
SOLD_OUT = Actor(ActorKind.SYSTEM, "sold out")
_NOT_TAKING_PLACE = "What was asked for does not take place."
_FULL = "There are no longer enough spaces for this."


def cancel_bookings(
    situation: Situation, paths: AbstractSet[str], stamp: Stamp, message: str | None = None
) -> list[Change]:
    """The Seller cancels every item booked at these paths, and rejects every open proposal for one (OB-APP-27).

    Who has been there already is not refunded (OB-SEL-12).
    """
    changes: list[Change] = []
    for record in situation.records.values():
        if isinstance(record, OrderRecord):
            changes += _cancellation(situation, record, paths, stamp, message)
        elif isinstance(record, ProposalRecord):
            changes += rejection(situation, record, paths, stamp, message)
    return changes


def rejection(
    situation: Situation, record: ProposalRecord, paths: AbstractSet[str], stamp: Stamp, message: str | None = None
) -> list[Change]:
    """The rejection of a proposal, if it is open and asks for a place at one of these paths."""
    if not lifecycle.is_open(record.proposal) or not any(claim.opportunity in paths for claim in record.claims()):
        return []
    note = message or _NOT_TAKING_PLACE
    rejected = lifecycle.with_status(situation, record, OrderProposalStatus.SELLER_REJECTED, stamp, note)
    return [RecordSet(record.key, rejected)]


def reject_without_spaces(situation: Situation, paths: Iterable[str], stamp: Stamp) -> list[Change]:
    """The rejection of open proposals for which fewer spaces at these paths leave no room (OB-APP-27).

    Those that are turned away hold nothing from then on, nor do those that were rejected before: others need it.
    """
    changes: list[Change] = []
    for path in paths:
        for record in _without_spaces(situation, path):
            rejected = record
            if lifecycle.is_open(record.proposal):
                rejected = lifecycle.with_status(situation, record, OrderProposalStatus.SELLER_REJECTED, stamp, _FULL)
            change = RecordSet(record.key, lifecycle.closed(rejected, stamp))
            situation = evolve(situation, change)
            changes.append(change)
    return changes


def sell(situation: Situation, booked: OrderRecord) -> tuple[Change, ...]:
    """The booking, and the rejection of open proposals for which it leaves no room (OB-APP-27)."""
    change = RecordSet(booked.key, booked)
    others = (record for key, record in situation.records.items() if key != booked.key)
    if not any(isinstance(record, ProposalRecord) for record in others):
        return (change,)
    return (change, *reject_without_spaces(evolve(situation, change), booked.wanted(), Stamp(SOLD_OUT, situation.now)))


def _without_spaces(situation: Situation, path: str) -> list[ProposalRecord]:
    """The proposals that want more spaces than are not sold.

    Of those that hold spaces, accepted ones keep theirs before waiting and those before rejected ones, and of each the
    early. One that holds none takes none from the others. Quotes do not count: they end soon, and whoever holds one
    finds out at B.
    """
    opportunity = situation.opportunities.get(path)
    if opportunity is None or opportunity.capacity is None:
        return []
    unsold = left = max(opportunity.capacity - situation.spaces.get(path, Spaces()).booked, 0)
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
        if state.status is OrderItemStatus.CONFIRMED and _is_ahead(situation, item, paths)
    }
    return [RecordSet(record.key, lifecycle.with_states(record, cancelled, stamp))] if cancelled else []


def _is_ahead(situation: Situation, item: BookedItem, paths: AbstractSet[str]) -> bool:
    """Whether an item is at one of these paths and still to come; what was withdrawn is known from the item alone."""
    if item.opportunity.path not in paths:
        return False
    return not situation.opportunities.get(item.opportunity.path, item.opportunity).is_over(situation.now)
