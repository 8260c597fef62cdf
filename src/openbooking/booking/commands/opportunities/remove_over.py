"""Where Opportunities that are over leave the open feeds (OB-FEED, `Opportunity.leaves_feed_at`).

Their feed items become deleted items. An Opportunity without bookings is removed. Orders keep what they booked.
"""

from openbooking.booking.command import BaseCommand, Decision
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.situation import Change, Needs, OpportunityRemoved, OpportunitySet, Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.opportunities.sale_states import opportunity_when_over, withdrawn_opportunity

SWEEPER = Actor(ActorKind.SYSTEM, "sweeper")


class RemoveOver(BaseCommand, frozen=True):
    """Take Opportunities that are over out of the open feeds, and remove those without bookings.

    A store loads some of these Opportunities at once. The reply is the number of those that left the feeds. The caller
    repeats the command until the reply is 0.
    """

    @property
    def actor(self) -> Actor:
        """The sweeper."""
        return SWEEPER

    def needs(self) -> Needs:
        """Return some of the Opportunities that leave the open feeds now, and everything below these."""
        return Needs(leaving=True)

    def decide(self, situation: Situation) -> Decision[int]:
        """Remove the Opportunities, or mark them as over."""
        leaving = [
            member
            for member in situation.opportunities.values()
            if member.leaves_feed_at is not None and member.leaves_feed_at <= situation.now
        ]
        changes = tuple(_removal(situation, member) for member in sorted(leaving, key=lambda member: member.path))
        return Decision(reply=len(changes), changes=changes)


def _removal(situation: Situation, member: Opportunity) -> Change:
    """Return the change that removes an Opportunity, or that marks it as over because something depends on it."""
    has_bookings = situation.spaces_of(member.path) != Spaces()
    if has_bookings or member.type.has_children or withdrawn_opportunity(member):
        return OpportunitySet(opportunity_when_over(member))
    return OpportunityRemoved(member.path)
