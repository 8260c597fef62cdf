"""Withdrawing Opportunities that were published."""

from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.opportunity import Opportunity, SaleState
from openbooking.booking.model.record import ProposalRecord, QuoteRecord
from openbooking.booking.model.report import OrdersReached, Reports
from openbooking.booking.model.situation import Change, Needs, OpportunityRemoved, OpportunitySet, RecordSet, Situation
from openbooking.booking.rules.cancellation_effects import rejection
from openbooking.booking.rules.lifecycle import deleted
from openbooking.booking.rules.reports import orders_reached, withdrawal_report


class Withdraw(ActorCommand, frozen=True, kw_only=True):
    """Withdraw all Opportunities from these sources, and everything below them.

    An Opportunity that its Seller unpublished or cancelled here is still unpublished or cancelled if it is published
    again.

    Attributes:
        sources: The names of the sources.
        keep: The paths that stay.
        orders: Whether the Orders for these Opportunities are deleted, too. Otherwise the Orders stay, and their spaces
            are still taken if the Opportunities are published again.
    """

    sources: frozenset[str]
    keep: frozenset[str] = frozenset()
    orders: bool = False

    def needs(self) -> Needs:
        """Return all Opportunities of the sources and below, with the records that claim them."""
        return Needs(sources=self.sources)

    def decide(self, situation: Situation) -> Decision[Reports]:
        """Remove the Opportunities, and end quotes and reject proposals for them; the reply reports on each."""
        stamp = self.stamp(situation)
        gone = _with_all_below(situation, situation.paths_from(self.sources) - self.keep)
        changes: list[Change] = []
        for record in situation.records.values():
            if not any(claim.opportunity in gone for claim in record.claims()):
                continue
            if isinstance(record, QuoteRecord):
                changes.append(RecordSet(record.key, None))
            elif self.orders:
                changes.append(RecordSet(record.key, deleted(record, stamp)))
            elif isinstance(record, ProposalRecord):
                changes.extend(rejection(situation, record, gone, stamp))
        reached = orders_reached(situation, changes, gone)
        changes.extend(_removal(situation.opportunities[path]) for path in sorted(gone))
        reports = {
            path: withdrawal_report(situation, path, reached.get(path, OrdersReached()))
            for path in sorted(gone)
            if not situation.opportunities[path].withdrawn
        }
        return Decision(reply=reports, changes=tuple(changes))


def _with_all_below(situation: Situation, found: set[str]) -> AbstractSet[str]:
    gone: set[str] = set()
    while found:
        gone |= found
        found = {path for path, member in situation.opportunities.items() if member.parent in found} - gone
    return gone


def _removal(opportunity: Opportunity) -> Change:
    """Return the removal of an Opportunity; one that was unpublished or cancelled here stays, marked as withdrawn."""
    if opportunity.sale is SaleState.UNPUBLISHED or opportunity.cancelled_here:
        return OpportunitySet(replace(opportunity, parent=None, withdrawn=True))
    return OpportunityRemoved(opportunity.path)
