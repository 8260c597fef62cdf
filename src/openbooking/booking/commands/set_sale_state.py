"""Putting Opportunities on sale and taking them off sale."""

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.situation import Needs, OpportunitySet, Situation
from openbooking.booking.rules.lifecycle import with_sale_state
from openbooking.openactive.errors import NotFoundError


class SetSaleState(ActorCommand, frozen=True, kw_only=True):
    """Put an Opportunity and everything below it on sale, or take it off sale.

    An Opportunity that is off sale is in no open feed and cannot be booked, even with a Lease. Its Orders stay, and can
    be read, cancelled and changed. The Opportunities below keep their own sale states. An Opportunity whose latest
    version is not understood cannot be put on sale.

    Attributes:
        opportunity: The path of the Opportunity.
        sale: The sale state.
    """

    opportunity: str
    sale: SaleState

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.PUT_ON_SALE if self.sale is SaleState.ON_SALE else Action.TAKEN_OFF_SALE

    def needs(self) -> Needs:
        """Return the Opportunity and everything below it, so that nobody books any of it meanwhile."""
        return Needs(below=frozenset({self.opportunity}))

    def decide(self, situation: Situation) -> Decision[None]:
        """Set the sale state, or raise NotFoundError."""
        opportunity = situation.opportunities.get(self.opportunity)
        if opportunity is None or opportunity.withdrawn:
            raise NotFoundError("There is no such Opportunity.")
        changed = with_sale_state(opportunity, self.sale)
        return Decision(reply=None, changes=(OpportunitySet(changed),) if changed != opportunity else ())
