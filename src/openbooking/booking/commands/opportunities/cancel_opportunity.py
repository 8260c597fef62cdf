"""The Seller cancels a whole Opportunity (OB 8.3.3)."""

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.errors import NothingToCancelError
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.situation import Needs, OpportunitySet, Situation
from openbooking.booking.rules.opportunities.cancellation_effects import cancel_bookings
from openbooking.openactive.errors import NotFoundError
from openbooking.openactive.opportunity_types import TYPE_OF_COLLECTION
from openbooking.openactive.terms import EventStatus


class CancelOpportunity(ActorCommand, frozen=True, kw_only=True):
    """Cancel an Opportunity, everything below it, and all bookings of these.

    Sessions are below their series, Slots below their facility, and the parts of an event below the event.

    Attributes:
        opportunity: The path of the Opportunity.
        message: The message to the Customers, if any.
    """

    opportunity: str
    message: str | None = None

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.OPPORTUNITY_CANCELLED

    def needs(self) -> Needs:
        """Return the Opportunity and everything below it, with the records that claim any of it."""
        paths = frozenset({self.opportunity})
        type_ = TYPE_OF_COLLECTION.get(self.opportunity.partition("/")[0])
        # A series can have thousands of bookings, of which a single session has few.
        is_alone = type_ is not None and not type_.has_children
        return Needs(opportunities=paths, claims_on=paths) if is_alone else Needs(families=paths)

    def decide(self, situation: Situation) -> Decision[None]:
        """Cancel the Opportunities that have not ended and their items in Orders, and reject their OrderProposals.

        Raises:
            NotFoundError: No Opportunity has the path.
            NothingToCancelError: All of the Opportunities have ended, or are cancelled already.
        """
        if self.opportunity not in situation.opportunities:
            raise NotFoundError(f"There is no Opportunity {self.opportunity}.")
        members = [
            member
            for member in situation.opportunities.values()
            if member.type.bookable and not member.is_over(situation.now) and self._includes(situation, member)
        ]
        published = [
            OpportunitySet(replace(member, status=EventStatus.CANCELLED, cancelled_here=True))
            for member in members
            if not (member.status is EventStatus.CANCELLED and member.cancelled_here)
        ]
        paths = {member.path for member in members}
        cancelled = cancel_bookings(situation, paths, self.stamp(situation), self.message)
        if not published and not cancelled:
            raise NothingToCancelError
        return Decision(reply=None, changes=(*published, *cancelled))

    def _includes(self, situation: Situation, member: Opportunity) -> bool:
        """Return whether `member` is the cancelled Opportunity or is below it."""
        return any(above.path == self.opportunity for above in (member, *situation.parents(member)))
