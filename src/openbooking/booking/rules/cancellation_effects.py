"""What becomes of Orders and OrderProposals when an Opportunity does not take place, or fills up (OB 8.3.3, 5.5.3)."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime

from msgspec.structs import replace

from openbooking.booking.model.actor import Actor, ActorKind, Stamp
from openbooking.booking.model.order import OrderItem, OrderKey
from openbooking.booking.model.record import Record, RecordKind
from openbooking.booking.model.situation import Change, RecordSet, Situation, Spaces, evolve
from openbooking.booking.rules import lifecycle
from openbooking.booking.rules.order_changes import with_states
from openbooking.booking.rules.proposal_changes import closed, with_status
from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus

# Who rejects a proposal because others were quicker: none of them.
SOLD_OUT = Actor(ActorKind.SYSTEM, "sold out")
_NOT_TAKING_PLACE = "What was asked for does not take place."
_FULL = "There are no longer enough spaces for this."


def call_off(situation: Situation, paths: AbstractSet[str], stamp: Stamp, message: str | None = None) -> list[Change]:
    """The Seller cancels every item booked at these paths, and rejects every open proposal for one (OB-APP-27).

    Who has been there already is not refunded (OB-SEL-12).
    """
    changes: list[Change] = []
    for record in situation.records.values():
        if record.kind is RecordKind.ORDER:
            changes += _cancelled(situation, record, paths, stamp, message)
        elif record.kind is RecordKind.PROPOSAL:
            changes += reject_for(situation, record, paths, stamp, message)
    return changes


def reject_for(
    situation: Situation, record: Record, paths: AbstractSet[str], stamp: Stamp, message: str | None = None
) -> list[Change]:
    """The rejection of a proposal, if it is open and asks for a place at one of these paths."""
    if not _is_open(record) or not any(claim.opportunity in paths for claim in record.claims()):
        return []
    rejected = with_status(situation, record, OrderProposalStatus.SELLER_REJECTED, stamp, message or _NOT_TAKING_PLACE)
    return [RecordSet(record.key, rejected)]


def turn_away(situation: Situation, paths: Iterable[str], stamp: Stamp) -> list[Change]:
    """The rejection of open proposals for which fewer spaces at these paths leave no room (OB-APP-27).

    Those that are turned away hold nothing from then on, nor do those that were rejected before: others need it.
    """
    changes: list[Change] = []
    for path in paths:
        for record in _without_room(situation, path):
            rejected = record
            if _is_open(record):
                rejected = with_status(situation, record, OrderProposalStatus.SELLER_REJECTED, stamp, _FULL)
            change = RecordSet(record.key, closed(rejected, stamp))
            situation = evolve(situation, change)
            changes.append(change)
    return changes


def sell(situation: Situation, booked: Record) -> tuple[Change, ...]:
    """The booking, and the rejection of open proposals for which it leaves no room (OB-APP-27)."""
    change = RecordSet(booked.key, booked)
    others = (record for key, record in situation.records.items() if key != booked.key)
    if not any(record.kind is RecordKind.PROPOSAL for record in others):
        return (change,)
    return (change, *turn_away(evolve(situation, change), booked.wanted(), Stamp(SOLD_OUT, situation.now)))


def _without_room(situation: Situation, path: str) -> list[Record]:
    """The proposals that want more spaces than are not sold.

    Of those that hold spaces, accepted ones keep theirs before waiting and those before rejected ones, and of each the
    early. One that holds none takes none from the others. Quotes do not count: they end soon, and whoever holds one
    finds out at B.
    """
    opportunity = situation.opportunities.get(path)
    if opportunity is None or opportunity.capacity is None:
        return []
    unsold = left = max(opportunity.capacity - situation.spaces.get(path, Spaces()).booked, 0)
    without: list[Record] = []
    proposals = (record for record in situation.records.values() if record.kind is RecordKind.PROPOSAL)
    for record in sorted(filter(_is_current(situation), proposals), key=_by_precedence):
        wanted, holds = record.wanted().get(path, 0), situation.live(record)
        if wanted > (left if holds else unsold):
            without.append(record)
        elif holds:
            left -= wanted
    return without


def _is_current(situation: Situation) -> Callable[[Record], bool]:
    """Whether a proposal holds spaces or can still become an Order."""
    return lambda record: situation.live(record) or _is_open(record)


def _is_open(record: Record) -> bool:
    return record.kind is RecordKind.PROPOSAL and record.proposal is not None and lifecycle.is_open(record.proposal)


def _by_precedence(record: Record) -> tuple[int, datetime, OrderKey]:
    assert record.proposal is not None  # noqa: S101 - asked for only of proposals
    order = (OrderProposalStatus.ACCEPTED, OrderProposalStatus.AWAITING)
    rank = order.index(record.proposal.status) if record.proposal.status in order else len(order)
    return rank, record.proposal.made, record.key


def _cancelled(
    situation: Situation, record: Record, paths: AbstractSet[str], stamp: Stamp, message: str | None
) -> list[Change]:
    cancelled = {
        item.number: replace(state, status=OrderItemStatus.SELLER_CANCELLED, cancellation_message=message)
        for item, state in record.items()
        if state.status is OrderItemStatus.CONFIRMED and _is_ahead(situation, item, paths)
    }
    return [RecordSet(record.key, with_states(record, cancelled, stamp))] if cancelled else []


def _is_ahead(situation: Situation, item: OrderItem, paths: AbstractSet[str]) -> bool:
    """Whether an item is at one of these paths and still to come; what was withdrawn is known from the item alone."""
    if item.opportunity is None or item.opportunity.path not in paths:
        return False
    return not situation.opportunities.get(item.opportunity.path, item.opportunity).is_over(situation.now)
