"""The effects of cancelled and full Opportunities on Orders and OrderProposals (OB 8.3.3, 5.5.3)."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime

from msgspec.structs import replace

from openbooking.booking.model.actor import Actor, ActorKind, Stamp
from openbooking.booking.model.order import BookedItem, OrderKey
from openbooking.booking.model.record import OrderRecord, ProposalRecord
from openbooking.booking.model.situation import Change, RecordSet, Situation, evolve
from openbooking.booking.rules import lifecycle
from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus

# The actor that rejects a proposal because its spaces were sold to others.
SOLD_OUT = Actor(ActorKind.SYSTEM, "sold out")
_NOT_TAKING_PLACE = "This does not take place."
_FULL = "There are no longer enough spaces for this."


def cancel_bookings(
    situation: Situation, paths: AbstractSet[str], stamp: Stamp, message: str | None = None
) -> list[Change]:
    """Return the cancellation of all items at these paths, and the rejection of open proposals for them (OB-APP-27).

    An item whose Opportunity has ended stays as it is, because it is not refunded (OB-SEL-12).

    Args:
        situation: The situation, in which the Opportunities are cancelled.
        paths: The paths of the cancelled Opportunities.
        stamp: Who cancels, and when.
        message: The message to the Customers, if any.
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
    """Return the rejection of a proposal, if it is open and asks for a space at one of these paths."""
    if not lifecycle.is_open(record.proposal) or not any(claim.opportunity in paths for claim in record.claims()):
        return []
    note = message or _NOT_TAKING_PLACE
    rejected = lifecycle.set_proposal_status(situation, record, OrderProposalStatus.SELLER_REJECTED, stamp, note)
    return [RecordSet(record.key, rejected)]


def reject_without_spaces(situation: Situation, paths: Iterable[str], stamp: Stamp) -> list[Change]:
    """Return the rejection of the open proposals that ask for more spaces at these paths than are unsold (OB-APP-27).

    These proposals hold no spaces from then on, and neither do the ones that were rejected before.
    """
    changes: list[Change] = []
    for path in paths:
        for record in _without_spaces(situation, path):
            rejected, status = record, OrderProposalStatus.SELLER_REJECTED
            if lifecycle.is_open(record.proposal):
                rejected = lifecycle.set_proposal_status(situation, record, status, stamp, _FULL)
            change = RecordSet(record.key, lifecycle.close_proposal(rejected, stamp))
            situation = evolve(situation, change)
            changes.append(change)
    return changes


def sell(situation: Situation, booked: OrderRecord) -> tuple[Change, ...]:
    """Return the booking, and the rejection of the open proposals for which it leaves too few spaces (OB-APP-27)."""
    change = RecordSet(booked.key, booked)
    others = (record for key, record in situation.records.items() if key != booked.key)
    if not any(isinstance(record, ProposalRecord) for record in others):
        return (change,)
    return (change, *reject_without_spaces(evolve(situation, change), booked.wanted(), Stamp(SOLD_OUT, situation.now)))


def _without_spaces(situation: Situation, path: str) -> list[ProposalRecord]:
    """Return the proposals that ask for more spaces than are unsold.

    Proposals with a hold keep their spaces in this order: accepted, awaiting, rejected; within each group the earlier
    proposal comes first. Proposals without a hold take no spaces from others. Quotes do not count, because they end
    soon. B of a quote without spaces fails.
    """
    opportunity = situation.opportunities.get(path)
    if opportunity is None or opportunity.capacity is None:
        return []
    unsold = left = max(opportunity.capacity - situation.spaces_of(path).booked, 0)
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
    """Whether the Opportunity of the item is at one of these paths and has not ended.

    The item itself has the dates of an Opportunity that was withdrawn.
    """
    if item.opportunity.path not in paths:
        return False
    return not situation.opportunities.get(item.opportunity.path, item.opportunity).is_over(situation.now)
