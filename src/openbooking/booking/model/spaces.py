"""The numbers of sold and leased spaces of an Opportunity, and of Slots that share one court.

Slots of a court that overlap in time take the same spaces: a Slot of 90 minutes and one of 60 minutes that begins half
an hour later cannot both be sold. `Opportunity.court` names the court.
"""

from collections.abc import Iterable

import msgspec

from openbooking.booking.model.opportunity import CourtTime


class Spaces(msgspec.Struct, frozen=True):
    """The number of sold spaces of an Opportunity, and the number of spaces in holds that have not ended."""

    booked: int = 0
    leased: int = 0

    def plus(self, other: "Spaces") -> "Spaces":
        """Return the sums of the numbers. Negative numbers release spaces."""
        return Spaces(self.booked + other.booked, self.leased + other.leased)


def busiest_spaces(time: CourtTime, taken: Iterable[tuple[CourtTime, Spaces]]) -> Spaces:
    """Return the most spaces of a court that are taken at one moment of a Slot.

    Example: A hall has four spaces. Two Slots of 30 minutes, one after the other, have two booked spaces each. Two
    spaces are taken at each moment of the hour.

    Args:
        time: The time of the Slot.
        taken: The times of the Slots that overlap the Slot, with its own time, and the spaces of each one.

    Returns:
        The most sold spaces at one moment. `leased` is the difference to the most spaces that are sold or leased.
    """
    members = [(other, spaces) for other, spaces in taken if spaces.booked or spaces.leased]
    # The number of taken spaces grows only at the starts of Slots.
    moments = {time.start, *(other.start for other, _ in members if time.start < other.start)}
    booked = total = 0
    for moment in moments:
        present = [spaces for other, spaces in members if other.start <= moment < other.end]
        booked = max(booked, sum(spaces.booked for spaces in present))
        total = max(total, sum(spaces.booked + spaces.leased for spaces in present))
    return Spaces(booked, total - booked)
