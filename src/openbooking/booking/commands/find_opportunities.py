"""Commands that return Opportunities, and change nothing."""

from collections.abc import Mapping

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.situation import DatedChildren, Needs, Situation
from openbooking.openactive.errors import NotFoundError


class GetOpportunity(ActorCommand, frozen=True):
    """Return the Opportunity with a path, on sale or not."""

    path: str

    def needs(self) -> Needs:
        """Return the Opportunity."""
        return Needs(opportunities=frozenset({self.path}), likely_read_only=True)

    def decide(self, situation: Situation) -> Decision[Opportunity]:
        """Return the Opportunity, or raise NotFoundError."""
        opportunity = situation.opportunities.get(self.path)
        if opportunity is None or opportunity.withdrawn:
            raise NotFoundError("There is no such Opportunity.")
        return Decision(reply=opportunity)


class GetOpportunities(ActorCommand, frozen=True):
    """Return the Opportunities with some paths, on sale or not."""

    paths: frozenset[str]

    def needs(self) -> Needs:
        """Return the Opportunities."""
        return Needs(opportunities=self.paths, likely_read_only=True)

    def decide(self, situation: Situation) -> Decision[Mapping[str, Opportunity]]:
        """Return the Opportunities by their paths. Unknown paths are omitted."""
        known = situation.opportunities
        return Decision(reply={path: known[path] for path in self.paths & known.keys() if not known[path].withdrawn})


class FindOccurrences(ActorCommand, frozen=True, kw_only=True):
    """Return the Opportunities with some paths, and those that start in some periods, with all their parents.

    Attributes:
        paths: Paths of Opportunities.
        periods: The periods, each with the path of a parent.
    """

    paths: frozenset[str] = frozenset()
    periods: frozenset[DatedChildren] = frozenset()

    def needs(self) -> Needs:
        """Return the Opportunities."""
        return Needs(opportunities=self.paths, dated_children=self.periods, likely_read_only=True)

    def decide(self, situation: Situation) -> Decision[Mapping[str, Opportunity]]:
        """Return the Opportunities by their paths. Unknown paths are omitted."""
        known = situation.opportunities
        return Decision(reply={path: member for path, member in known.items() if not member.withdrawn})


class FindBySource(ActorCommand, frozen=True):
    """Return the Opportunities of all sources whose names begin with one of the prefixes."""

    prefixes: frozenset[str]

    def needs(self) -> Needs:
        """Return the Opportunities."""
        return Needs(source_prefixes=self.prefixes, likely_read_only=True)

    def decide(self, situation: Situation) -> Decision[Mapping[str, Opportunity]]:
        """Return the Opportunities by their paths, without their parents."""
        return Decision(
            reply={
                path: member
                for path, member in situation.opportunities.items()
                if member.source.startswith(tuple(self.prefixes)) and not member.withdrawn
            }
        )
