"""Commands that return Opportunities, and change nothing."""

from collections.abc import Mapping

import msgspec

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
            raise NotFoundError(f"There is no Opportunity {self.path}.")
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


class FoundOccurrences(msgspec.Struct, frozen=True):
    """The Opportunities of a timetable that are stored.

    Attributes:
        opportunities: The Opportunities by path, also withdrawn ones.
        booked: How many spaces are booked, by path.
    """

    opportunities: Mapping[str, Opportunity]
    booked: Mapping[str, int]


class FindOccurrences(ActorCommand, frozen=True, kw_only=True):
    """Return the Opportunities that entries of a timetable have made, with the numbers of their booked spaces.

    Attributes:
        sources: The sources of the Opportunities (`TimetableEntry.source`); None for any source.
        paths: The paths of Opportunities without a parent.
        periods: The periods in which their children start.
    """

    sources: frozenset[str] | None = None
    paths: frozenset[str] = frozenset()
    periods: frozenset[DatedChildren] = frozenset()

    def needs(self) -> Needs:
        """Return the Opportunities."""
        return Needs(opportunities=self.paths, dated_children=self.periods, likely_read_only=True)

    def decide(self, situation: Situation) -> Decision[FoundOccurrences]:
        """Return the Opportunities of these sources at these paths and in these periods, and the parents of these."""
        known = situation.opportunities
        found = {
            path: member for path, member in known.items() if self.sources is None or member.source in self.sources
        }
        booked = {path: situation.spaces_of(path).booked for path in found}
        return Decision(reply=FoundOccurrences(found, booked))
