"""The command that puts an Opportunity on sale or takes it off sale; Orders for it stay as they are."""

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.opportunity import Opportunity, SaleState
from openbooking.booking.model.situation import Needs, OpportunitySet, Situation
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
        changed = self._changed(opportunity)
        return Decision(reply=None, changes=(OpportunitySet(changed),) if changed != opportunity else ())

    def _changed(self, opportunity: Opportunity) -> Opportunity:
        not_understood = opportunity.not_understood or opportunity.sale is SaleState.NOT_UNDERSTOOD
        if self.sale is SaleState.UNPUBLISHED:
            return replace(opportunity, sale=self.sale, not_understood=not_understood)
        spoilt = opportunity.not_understood and self.sale is SaleState.ON_SALE
        return replace(opportunity, sale=SaleState.NOT_UNDERSTOOD if spoilt else self.sale, not_understood=False)
