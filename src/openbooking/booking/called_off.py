"""What becomes of Orders and OrderProposals when an Opportunity does not take place, or fills up (OB 8.3.3, 5.5.3)."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime

from msgspec.structs import replace

from openbooking.booking import lifecycle
from openbooking.booking.cancel import with_states
from openbooking.booking.order import OrderItem, OrderKey, Record, RecordKind
from openbooking.booking.proposal import closed, with_status
from openbooking.booking.situation import Change, Places, RecordSet, Situation, evolve
from openbooking.spec.terms import OrderItemStatus, OrderProposalStatus

_NOT_TAKING_PLACE = "What was asked for does not take place."
_FULL = "There are no longer enough places for this."


def call_off(situation: Situation, paths: AbstractSet[str], message: str | None = None) -> list[Change]:
    """The Seller cancels every item booked at these paths, and rejects every open proposal for one (OB-APP-27).

    Who has been there already is not refunded (OB-SEL-12).
    """
    changes: list[Change] = []
    for record in situation.records.values():
        if record.kind is RecordKind.ORDER:
            changes += _cancelled(situation, record, paths, message)
        elif record.kind is RecordKind.PROPOSAL:
            changes += reject_for(situation, record, paths, message)
    return changes


def reject_for(
    situation: Situation, record: Record, paths: AbstractSet[str], message: str | None = None
) -> list[Change]:
    """The rejection of a proposal, if it is open and asks for a place at one of these paths."""
    if not _is_open(record) or not any(claim.opportunity in paths for claim in record.claims()):
        return []
    rejected = with_status(situation, record, OrderProposalStatus.SELLER_REJECTED, message or _NOT_TAKING_PLACE)
    return [RecordSet(record.key, rejected)]


def turn_away(situation: Situation, paths: Iterable[str]) -> list[Change]:
    """The rejection of open proposals for which fewer places at these paths leave no room (OB-APP-27).

    Those that are turned away hold nothing from then on, nor do those that were rejected before: others need it.
    """
    changes: list[Change] = []
    for path in paths:
        for record in _without_room(situation, path):
            rejected = record
            if _is_open(record):
                rejected = with_status(situation, record, OrderProposalStatus.SELLER_REJECTED, _FULL)
            change = RecordSet(record.key, closed(rejected, situation.now))
            situation = evolve(situation, change)
            changes.append(change)
    return changes


def _without_room(situation: Situation, path: str) -> list[Record]:
    """The live proposals beyond what is not sold.

    Accepted ones keep their places before waiting and those before rejected ones, and of each the early. Quotes do not
    count: they end soon, and whoever holds one finds out at B.
    """
    opportunity = situation.opportunities.get(path)
    if opportunity is None or opportunity.capacity is None:
        return []
    left = opportunity.capacity - situation.places.get(path, Places()).booked
    without: list[Record] = []
    proposals = (record for record in situation.records.values() if record.kind is RecordKind.PROPOSAL)
    for record in sorted(filter(situation.live, proposals), key=_by_precedence):
        wanted = sum(claim.places for claim in record.claims() if claim.opportunity == path)
        if wanted > max(left, 0):
            without.append(record)
        else:
            left -= wanted
    return without


def _is_open(record: Record) -> bool:
    return record.kind is RecordKind.PROPOSAL and record.proposal is not None and lifecycle.is_open(record.proposal)


def _by_precedence(record: Record) -> tuple[int, datetime, OrderKey]:
    assert record.proposal is not None  # noqa: S101 - asked for only of proposals
    order = (OrderProposalStatus.ACCEPTED, OrderProposalStatus.AWAITING)
    rank = order.index(record.proposal.status) if record.proposal.status in order else len(order)
    return rank, record.proposal.made, record.key


def _cancelled(situation: Situation, record: Record, paths: AbstractSet[str], message: str | None) -> list[Change]:
    cancelled = {
        item.number: replace(state, status=OrderItemStatus.SELLER_CANCELLED, cancellation_message=message)
        for item, state in record.items()
        if state.status is OrderItemStatus.CONFIRMED and _is_ahead(situation, item, paths)
    }
    return [RecordSet(record.key, with_states(record, cancelled))] if cancelled else []


def _is_ahead(situation: Situation, item: OrderItem, paths: AbstractSet[str]) -> bool:
    """Whether an item is at one of these paths and still to come; what was withdrawn is known from the item alone."""
    if item.opportunity is None or item.opportunity.path not in paths:
        return False
    return not situation.opportunities.get(item.opportunity.path, item.opportunity).is_over(situation.now)
