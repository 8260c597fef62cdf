"""The spaces that the integrity check compares: of Opportunities, and of Slots that share a court."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from openbooking.booking.model.opportunity import CourtTime, Opportunity
from openbooking.booking.model.spaces import Spaces, busiest_spaces
from openbooking.booking.rules.opportunities.capacity import spaces_left

# The indexes in the pairs of `SpacesOfPage.elsewhere`.
_SHOWN, _NOW = 0, 1


class SpacesOfPage(NamedTuple):
    """The sold and leased spaces of some Opportunities, and of the Slots that overlap them on their courts.

    Attributes:
        sold: The sold spaces in claims, by path.
        leases: The Leases, by path: when each one ends, and its spaces.
        elsewhere: The spaces that other software has sold, by path: as the feed shows them, and now.
        times: The times of Slots that share courts, by path.
        now: The time of the check.
    """

    sold: Mapping[str, int]
    leases: Mapping[str, Sequence[tuple[int, int]]]
    elsewhere: Mapping[str, tuple[int, int]]
    times: Mapping[str, CourtTime]
    now: int

    def possible_spaces(self, opportunity: Opportunity) -> set[int | None]:
        """Return the numbers of spaces left that a feed item may show now.

        The item may still count Leases that have ended since the item last changed.
        """
        sharing = self._sharing(opportunity)
        ends = {expires for path in sharing for expires, _ in self.leases.get(path, ()) if expires <= self.now}
        return {
            spaces_left(opportunity, self._taken(opportunity, sharing, end, state))
            for end in (*(end - 1 for end in ends), self.now)
            for state in (_SHOWN, _NOW)
        }

    def sold_twice(self, opportunity: Opportunity) -> bool:
        """Return whether more spaces of the court are sold at one moment than the sold Slot has."""
        sharing = self._sharing(opportunity)
        if len(sharing) == 1 or not self.sold[opportunity.path]:
            return False
        # If the Slot alone has sold more spaces than it has, its Seller has reduced the capacity.
        most = max(opportunity.capacity or 0, *(self.sold[path] for path in sharing))
        return self._taken(opportunity, sharing, self.now).booked > most

    def _sharing(self, opportunity: Opportunity) -> list[str]:
        """Return the path of the Opportunity, and those of the Slots that overlap it on its court."""
        time = opportunity.court_time
        if time is None:
            return [opportunity.path]
        others = (path for path, other in self.times.items() if path != opportunity.path and time.overlaps(other))
        return [opportunity.path, *others]

    def _taken(
        self, opportunity: Opportunity, sharing: Iterable[str], expired: int, elsewhere: int | None = None
    ) -> Spaces:
        """Return the taken spaces, with the Leases that end after `expired`.

        Args:
            opportunity: The Opportunity.
            sharing: The paths of the Slots that share its court, and its own path.
            expired: A time.
            elsewhere: The numbers of `elsewhere` that count: _SHOWN, _NOW, or None for none.
        """
        spaces = {
            path: Spaces(
                self.sold.get(path, 0) + (0 if elsewhere is None else self.elsewhere.get(path, (0, 0))[elsewhere]),
                sum(held for expires, held in self.leases.get(path, ()) if expires > expired),
            )
            for path in sharing
        }
        time = opportunity.court_time
        if time is None:
            return spaces[opportunity.path]
        return busiest_spaces(time, [(self.times.get(path, time), taken) for path, taken in spaces.items()])
