"""The Seller changes the name, time or location of an Opportunity (OB-NOTIF-06, AMB-19)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.errors import UnacceptableLogisticsError
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.situation import Change, Needs, OpportunitySet, Situation, evolve_all
from openbooking.booking.rules.opportunities.logistics import update_orders
from openbooking.booking.rules.opportunities.matching_keys import set_matching_keys
from openbooking.openactive.errors import NotFoundError


class ChangeLogistics(ActorCommand, frozen=True, kw_only=True):
    """Change the name, time or location of an Opportunity, in its feed item and in all its Orders.

    A Slot has the name and location of its facility. A new name or location of a Slot therefore changes the facility
    and all its Slots. Only a Slot without a known facility has a name and location of its own.

    Attributes:
        opportunity: The path of the Opportunity.
        name: The new name; None leaves the name as it is.
        location: The new location, as JSON-LD; None leaves the location as it is.
        start: The new start; None leaves the start as it is.
        end: The new end; None leaves the end as it is.
    """

    opportunity: str
    name: str | None = None
    location: Mapping[str, Any] | None = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.LOGISTICS_CHANGED

    def needs(self) -> Needs:
        """Return the whole family of the Opportunity, with the records that claim any of it."""
        return Needs(families=frozenset({self.opportunity}))

    def decide(self, situation: Situation) -> Decision[None]:
        """Change the Opportunity and its Orders, which enter the Orders feeds.

        Raises:
            NotFoundError: No Opportunity has the path.
            UnacceptableLogisticsError: The Opportunity cannot have this time or location.
        """
        opportunity = situation.opportunities.get(self.opportunity)
        if opportunity is None:
            raise NotFoundError(f"There is no Opportunity {self.opportunity}.")
        if self.location and opportunity.type.at_any_time:
            raise UnacceptableLogisticsError("An Opportunity that is available at any time has no location.")
        rescheduled = self._reschedule(opportunity)
        parent = rescheduled.type.row.parent
        by_parent = parent is not None and parent.gives_description
        described = next(iter(situation.parents(rescheduled)), rescheduled) if by_parent else rescheduled
        given = {"name": self.name, "location": self.location}
        properties = {**described.properties, **{name: value for name, value in given.items() if value}}
        renamed = set_matching_keys(replace(described, properties=properties))
        new = {now.path: now for now in (rescheduled, renamed) if now != situation.opportunities[now.path]}
        published: list[Change] = [OpportunitySet(changed) for changed in new.values()]
        situation = evolve_all(situation, published)
        orders = update_orders(situation, new.keys(), self.stamp(situation))
        return Decision(reply=None, changes=(*published, *orders))

    def _reschedule(self, opportunity: Opportunity) -> Opportunity:
        """Return the Opportunity with its new start and end, or unchanged if the command has no new time."""
        if self.start is None and self.end is None:
            return opportunity
        start, end = self.start or opportunity.start, self.end or opportunity.end
        if opportunity.over_at is None or start is None or (end and end <= start):
            raise UnacceptableLogisticsError("The Opportunity has no date, or its end would not be after its start.")
        return replace(opportunity, start=start, end=end)
