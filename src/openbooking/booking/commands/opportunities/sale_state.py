"""Commands that put Opportunities on sale and take them off sale.

`rules.sale_states` holds the table of the allowed sale states. Publications set the sale state, too
(`commands.publish`).
"""

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.report import Reports
from openbooking.booking.model.situation import Needs, OpportunitySet, Situation
from openbooking.booking.rules.opportunities.reports import withdrawal_report
from openbooking.booking.rules.opportunities.sale_states import choose_sale_state, mark_not_understood
from openbooking.openactive.errors import NotFoundError


class SetSaleState(ActorCommand, frozen=True, kw_only=True):
    """Put an Opportunity on sale or take it off sale, by decision of its Seller.

    A child is on sale only while its parents are on sale, too; the sale states of the children do not change. An
    Opportunity off sale is in no open feed and cannot be booked, even with a Lease. Its Orders stay, and can be read,
    cancelled and changed. An Opportunity whose latest version is not understood stays off sale until it is understood.

    Attributes:
        opportunity: The path of the Opportunity.
        sale: The new sale state.
    """

    opportunity: str
    sale: SaleState

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.PUT_ON_SALE if self.sale is SaleState.ON_SALE else Action.TAKEN_OFF_SALE

    def needs(self) -> Needs:
        """Return the Opportunity and everything below it: while they are locked, nobody books them."""
        return Needs(below=frozenset({self.opportunity}))

    def decide(self, situation: Situation) -> Decision[None]:
        """Set the sale state.

        Raises:
            NotFoundError: No Opportunity has the path, or it was withdrawn.
        """
        opportunity = situation.opportunities.get(self.opportunity)
        if opportunity is None or opportunity.withdrawn:
            raise NotFoundError(f"There is no Opportunity {self.opportunity}.")
        changed = choose_sale_state(opportunity, self.sale)
        return Decision(reply=None, changes=(OpportunitySet(changed),) if changed != opportunity else ())


class TakeOffSale(ActorCommand, frozen=True, kw_only=True):
    """Take the Opportunities of some sources off sale, because an import does not understand their latest version.

    They go on sale again when a version that is understood is published. An unpublished Opportunity stays unpublished,
    and cannot be put on sale by its Seller until then.

    Attributes:
        sources: The names of the sources.
        keep: The paths of the Opportunities that stay on sale.
    """

    sources: frozenset[str]
    keep: frozenset[str] = frozenset()

    def needs(self) -> Needs:
        """Return the Opportunities of the sources and everything below: while they are locked, nobody books them."""
        return Needs(sources=self.sources)

    def decide(self, situation: Situation) -> Decision[Reports]:
        """Set the sale states, and report on each Opportunity of the sources that was on sale."""
        paths = sorted(situation.paths_from(self.sources) - self.keep)
        members = [situation.opportunities[path] for path in paths]
        changed = [new for member in members if (new := mark_not_understood(member)) != member]
        on_sale = [member.path for member in members if member.sale is SaleState.ON_SALE and not member.withdrawn]
        return Decision(
            reply={path: withdrawal_report(situation, path) for path in on_sale},
            changes=tuple(map(OpportunitySet, changed)),
        )
