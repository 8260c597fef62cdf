"""Commands that look Opportunities up and change nothing."""

from collections.abc import Mapping

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.situation import Needs, Situation
from openbooking.openactive.errors import NotFoundError


class GetOpportunity(ActorCommand, frozen=True):
    """An Opportunity as it is published."""

    path: str

    def needs(self) -> Needs:
        """The Opportunity."""
        return Needs(opportunities=frozenset({self.path}), likely_read_only=True)

    def decide(self, situation: Situation) -> Decision[Opportunity]:
        """Answer with it, or raise NotFoundError."""
        opportunity = situation.opportunities.get(self.path)
        if opportunity is None or opportunity.withdrawn:
            raise NotFoundError("There is no such Opportunity.")
        return Decision(reply=opportunity)


class GetOpportunities(ActorCommand, frozen=True):
    """The published Opportunities with these paths, those off sale too."""

    paths: frozenset[str]

    def needs(self) -> Needs:
        """The Opportunities."""
        return Needs(opportunities=self.paths, likely_read_only=True)

    def decide(self, situation: Situation) -> Decision[Mapping[str, Opportunity]]:
        """The reply has the Opportunities that exist, by their paths."""
        known = situation.opportunities
        return Decision(reply={path: known[path] for path in self.paths & known.keys() if not known[path].withdrawn})


class FindBySource(ActorCommand, frozen=True):
    """The published Opportunities whose sources have names that begin with one of these prefixes."""

    prefixes: frozenset[str]

    def needs(self) -> Needs:
        """The Opportunities."""
        return Needs(source_prefixes=self.prefixes, likely_read_only=True)

    def decide(self, situation: Situation) -> Decision[Mapping[str, Opportunity]]:
        """The reply has the Opportunities by their paths, without their parents."""
        return Decision(
            reply={
                path: member
                for path, member in situation.opportunities.items()
                if member.source.startswith(tuple(self.prefixes)) and not member.withdrawn
            }
        )
