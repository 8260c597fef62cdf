"""What becomes of Orders and OrderProposals when an Opportunity does not take place (OB 8.3.3, 5.5.3)."""

from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from openbooking.booking import lifecycle
from openbooking.booking.cancel import with_states
from openbooking.booking.order import Record, RecordKind
from openbooking.booking.proposal import with_status
from openbooking.booking.situation import Change, RecordSet, Situation
from openbooking.spec.terms import OrderItemStatus, OrderProposalStatus

_NOT_TAKING_PLACE = "What was asked for does not take place."


def call_off(situation: Situation, paths: AbstractSet[str], message: str | None = None) -> list[Change]:
    """The Seller cancels every item booked at these paths, and rejects every open proposal for one (OB-APP-27).

    Who has been there already is not refunded (OB-SEL-12).
    """
    known = situation.opportunities
    ahead = {path for path in paths if path in known and not known[path].is_over(situation.now)}
    changes: list[Change] = []
    for record in situation.records.values():
        if record.kind is RecordKind.ORDER:
            changes += _cancelled(record, ahead, message)
        elif record.kind is RecordKind.PROPOSAL:
            changes += reject_for(situation, record, paths, message)
    return changes


def reject_for(
    situation: Situation, record: Record, paths: AbstractSet[str], message: str | None = None
) -> list[Change]:
    """The rejection of a proposal, if it is open and asks for a place at one of these paths."""
    open_ = record.proposal and lifecycle.is_open(record.proposal)
    if not open_ or not any(claim.opportunity in paths for claim in record.claims()):
        return []
    rejected = with_status(situation, record, OrderProposalStatus.SELLER_REJECTED, message or _NOT_TAKING_PLACE)
    return [RecordSet(record.key, rejected)]


def _cancelled(record: Record, paths: AbstractSet[str], message: str | None) -> list[Change]:
    cancelled = {
        item.number: replace(state, status=OrderItemStatus.SELLER_CANCELLED, cancellation_message=message)
        for item, state in record.items()
        if state.status is OrderItemStatus.CONFIRMED and item.opportunity and item.opportunity.path in paths
    }
    return [RecordSet(record.key, with_states(record, cancelled))] if cancelled else []
