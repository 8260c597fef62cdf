"""The command that puts an Opportunity on sale or takes it off sale; Orders for it stay as they are."""

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.situation import Needs, OpportunitySet, Situation
from openbooking.booking.rules.lifecycle import with_sale_state
from openbooking.openactive.errors import NotFoundError


class SetSaleState(ActorCommand, frozen=True, kw_only=True):
    """An Opportunity is put on sale, or taken off it, and with it all that lies below.

    What is not on sale is in no open feed and cannot be booked, whoever holds a Lease of it. Orders for it stay as they
    are, and can be read, cancelled and changed. What lies below keeps its own state, which counts again once its
    parents are on sale. What was unpublished while its latest version was not understood does not go on sale with it.
    """

    opportunity: str
    sale: SaleState

    def needs(self) -> Needs:
        """The Opportunity and all that lies below, so that nobody books any of it meanwhile."""
        return Needs(below=frozenset({self.opportunity}))

    def decide(self, situation: Situation) -> Decision[None]:
        """Set the state; raise NotFoundError if there is no such Opportunity."""
        opportunity = situation.opportunities.get(self.opportunity)
        if opportunity is None or opportunity.withdrawn:
            raise NotFoundError("There is no such Opportunity.")
        changed = with_sale_state(opportunity, self.sale)
        return Decision(reply=None, changes=(OpportunitySet(changed),) if changed != opportunity else ())
