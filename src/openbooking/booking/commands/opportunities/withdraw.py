"""Withdraw Opportunities that were published."""

from collections.abc import Set as AbstractSet

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.record import ProposalRecord, QuoteRecord
from openbooking.booking.model.report import AffectedOrders, Reports
from openbooking.booking.model.situation import (
    Change,
    Needs,
    OpportunityRemoved,
    OpportunitySet,
    RecordSet,
    Situation,
    evolve_all,
)
from openbooking.booking.rules.opportunities.cancellation_effects import rejection
from openbooking.booking.rules.opportunities.reports import affected_orders, withdrawal_report
from openbooking.booking.rules.opportunities.sale_states import withdrawn_opportunity
from openbooking.booking.rules.orders.lifecycle import deleted_record


class Withdraw(ActorCommand, frozen=True, kw_only=True):
    """Withdraw all Opportunities of some sources, and everything below these Opportunities.

    If an Opportunity that its Seller unpublished or cancelled here is published again, it is still unpublished or
    cancelled.

    Attributes:
        sources: The names of the sources.
        keep: The paths of the Opportunities that are not withdrawn.
        orders: Whether the Orders for these Opportunities are deleted, too. Orders that are not deleted still have
            their spaces if the Opportunities are published again.
    """

    sources: frozenset[str]
    keep: frozenset[str] = frozenset()
    orders: bool = False

    def needs(self) -> Needs:
        """Return all Opportunities of the sources and below, with the records that claim them."""
        return Needs(sources=self.sources)

    def decide(self, situation: Situation) -> Decision[Reports]:
        """Remove the Opportunities and their quotes, reject their OrderProposals, and report on each Opportunity."""
        gone = _with_all_below(situation, situation.paths_from(self.sources) - self.keep)
        changes = withdrawal(situation, gone, self.stamp(situation), orders=self.orders)
        reached = affected_orders(situation, changes, gone)
        reports = {
            path: withdrawal_report(situation, path, reached.get(path, AffectedOrders()))
            for path in sorted(gone)
            if not situation.opportunities[path].withdrawn
        }
        return Decision(reply=reports, changes=tuple(changes))


def withdrawal(situation: Situation, gone: AbstractSet[str], stamp: Stamp, *, orders: bool = False) -> list[Change]:
    """Return the changes that withdraw Opportunities, end their quotes, and reject their OrderProposals.

    Args:
        situation: The situation, with the records that claim the Opportunities.
        gone: The paths of the Opportunities.
        stamp: The actor and the time.
        orders: Whether the Orders are deleted, too.
    """
    changes: list[Change] = []
    for record in situation.records.values():
        own = situation.own_claims(record) & gone
        if not own:
            continue
        if isinstance(record, QuoteRecord):
            changes.append(RecordSet(record.key, None))
        elif orders:
            changes.append(RecordSet(record.key, deleted_record(record, stamp)))
        elif isinstance(record, ProposalRecord):
            changes.extend(rejection(situation, record, own, stamp))
    left = evolve_all(situation, changes)
    return [*changes, *(_removal(left, situation.opportunities[path]) for path in sorted(gone))]


def _with_all_below(situation: Situation, found: set[str]) -> AbstractSet[str]:
    gone: set[str] = set()
    while found:
        gone |= found
        found = {path for path, member in situation.opportunities.items() if member.parent in found} - gone
    return gone


def _removal(situation: Situation, opportunity: Opportunity) -> Change:
    """Return the change that removes an Opportunity, or that marks it as withdrawn.

    A booked Slot that shares a court stays stored, because its bookings still take the court.
    """
    takes_court = bool(opportunity.court) and situation.spaces_of(opportunity.path).booked > 0
    left = withdrawn_opportunity(opportunity, is_needed=takes_court)
    return OpportunitySet(left) if left else OpportunityRemoved(opportunity.path)
