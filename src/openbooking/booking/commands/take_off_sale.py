"""Taking Opportunities off sale whose latest version an import does not understand."""

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.report import Reports
from openbooking.booking.model.situation import Needs, OpportunitySet, Situation
from openbooking.booking.rules.lifecycle import not_understood
from openbooking.booking.rules.reports import withdrawal_report


class TakeOffSale(ActorCommand, frozen=True, kw_only=True):
    """Take all Opportunities from these sources off sale, because their latest version is not understood.

    They are on sale again when an understood version is published. An unpublished one stays unpublished, and is not on
    sale either when its Seller publishes it again.

    Attributes:
        sources: The names of the sources.
        keep: The paths that stay on sale.
    """

    sources: frozenset[str]
    keep: frozenset[str] = frozenset()

    def needs(self) -> Needs:
        """Return all Opportunities of the sources and below, so that nobody books any of them meanwhile."""
        return Needs(sources=self.sources)

    def decide(self, situation: Situation) -> Decision[Reports]:
        """Set the sale states; the reply reports on each Opportunity that was on sale, but not on those below it."""
        paths = sorted(situation.paths_from(self.sources) - self.keep)
        members = [situation.opportunities[path] for path in paths]
        changed = [new for member in members if (new := not_understood(member)) != member]
        on_sale = [member.path for member in members if member.sale is SaleState.ON_SALE and not member.withdrawn]
        return Decision(
            reply={path: withdrawal_report(situation, path) for path in on_sale},
            changes=tuple(map(OpportunitySet, changed)),
        )
