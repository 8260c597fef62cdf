"""The spaces that are left, and the errors of OrderItems that exceed them (OB 10.2.2.3, AMB-55).

Example: an Opportunity has five spaces, of which three are leased to others, and ten are requested. Two items get a
space, three have the error for leased spaces, and five the error for a capacity that is too small.
"""

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.situation import Spaces
from openbooking.openactive.errors import ItemErrorType

NONE = Spaces()


def max_spaces(opportunity: Opportunity, parent: Opportunity | None) -> int | None:
    """Return the largest number of spaces that can be sold: one for a Slot of an individual facility (OB-BKBL-33)."""
    most = parent.type.row.max_spaces_of_child if parent else None
    if most is None or opportunity.capacity is None:
        return opportunity.capacity
    return min(opportunity.capacity, most)


def remaining_spaces(capacity: int, spaces: Spaces, own: Spaces) -> int:
    """Return how many spaces are left for an Order that itself holds `own`; never less than 0."""
    return max(capacity - (spaces.booked - own.booked) - (spaces.leased - own.leased), 0)


def spaces_left(opportunity: Opportunity, spaces: Spaces, own: Spaces = NONE) -> int | None:
    """Return how many spaces replies and feeds show as left for an Order that itself holds `own`; None for no number.

    A Slot that does not take place has no spaces left, because Slots have no `eventStatus`. A session whose own Offers
    are unknown shows no number, because Brokers would otherwise book it with the Offers of its series.
    """
    if opportunity.capacity is None or (opportunity.offers_unknown and opportunity.type.inherits_offers):
        return None
    if not opportunity.type.row.has_status and not opportunity.takes_place:
        return 0
    return remaining_spaces(opportunity.capacity, spaces, own)


def has_spaces(opportunity: Opportunity | None, wanted: int, spaces: Spaces, own: Spaces) -> bool:
    """Whether an Order that itself holds `own` can get this number of spaces in all."""
    if opportunity is None:
        return False
    if opportunity.capacity is None:
        return opportunity.type.at_any_time
    return remaining_spaces(opportunity.capacity, spaces, own) >= wanted


def excess_errors(wanted: int, capacity: int, spaces: Spaces, own: Spaces) -> list[ItemErrorType | None]:
    """Return, for each of the requested spaces in order, None or the error of its item."""
    unsold = capacity - (spaces.booked - own.booked)
    if unsold <= 0:
        return [ItemErrorType.OPPORTUNITY_IS_FULL] * wanted
    given = min(wanted, remaining_spaces(capacity, spaces, own))
    reserved = min(wanted - given, spaces.leased - own.leased)
    beyond = wanted - given - reserved
    return [
        *[None] * given,
        *[ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE] * reserved,
        *[ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY] * beyond,
    ]
