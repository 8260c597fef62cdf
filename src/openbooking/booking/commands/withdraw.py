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
    """Everything from these sources is withdrawn, with all that lies below it.

    What its Seller has unpublished or called off is remembered, so that it is still so if it is published again.

    Attributes:
        sources: The names of the sources.
        keep: The paths that stay.
        orders: Whether the Orders for it are deleted, too. Otherwise they stay, and if it is published again, their
            spaces are still taken.
    """

    sources: frozenset[str]
    keep: frozenset[str] = frozenset()
    orders: bool = False

    def needs(self) -> Needs:
        """All Opportunities of the sources and below, with the records that claim them."""
        return Needs(sources=self.sources)

    def decide(self, situation: Situation) -> Decision[Reports]:
        """Remove the Opportunities, end quotes and reject proposals for them. The reply reports on each of them."""
        gone, stamp = (
            _with_all_below(situation, situation.paths_from(self.sources) - self.keep),
            self.stamp(situation),
        )
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
    """The removal of an Opportunity. An unpublished or called off one stays as withdrawn, without its parent."""
    if opportunity.sale is SaleState.UNPUBLISHED or opportunity.cancelled_here:
        return OpportunitySet(replace(opportunity, parent=None, withdrawn=True))
    return OpportunityRemoved(opportunity.path)
