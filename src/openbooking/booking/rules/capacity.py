"""Where the spaces left of an Opportunity are computed, and the errors of OrderItems that exceed them (OB 10.2.2.3).

Spaces left are the capacity minus the sold spaces minus the spaces in Leases that have not ended. Spaces that the Order
itself holds (`own`) count as left for this Order.

Example (AMB-55): of five spaces, three are leased to others, and a request has ten items. Two items get a space, three
have the error for leased spaces, and five have the error for a capacity that is too small.
"""

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.situation import Spaces
from openbooking.openactive.errors import ItemErrorType

NONE = Spaces()


def max_spaces(opportunity: Opportunity, parent: Opportunity | None) -> int | None:
    """Return the capacity of an Opportunity, which is at most one for a Slot of an individual facility (OB-BKBL-33)."""
    most = parent.type.row.max_spaces_of_child if parent else None
    if most is None or opportunity.capacity is None:
        return opportunity.capacity
    return min(opportunity.capacity, most)


def remaining_spaces(capacity: int, spaces: Spaces, own: Spaces) -> int:
    """Return how many spaces are left for an Order, at least 0; `own` are the spaces that the Order itself holds."""
    return max(capacity - (spaces.booked - own.booked) - (spaces.leased - own.leased), 0)


def spaces_left(opportunity: Opportunity, spaces: Spaces, own: Spaces = NONE) -> int | None:
    """Return the number of spaces left that replies and feeds show, or None if they show no number.

    A cancelled Slot shows 0, because Slots have no `eventStatus`. A session whose own Offers are unknown shows no
    number: with a number, Brokers would book it with the Offers of its series.

    Args:
        opportunity: The Opportunity.
        spaces: The sold and leased spaces of the Opportunity.
        own: The spaces that the Order of this reply itself holds.
    """
    if opportunity.capacity is None or (opportunity.offers_unknown and opportunity.type.inherits_offers):
        return None
    if not opportunity.type.row.has_status and not opportunity.takes_place:
        return 0
    return remaining_spaces(opportunity.capacity, spaces, own)


def has_spaces(opportunity: Opportunity | None, wanted: int, spaces: Spaces, own: Spaces) -> bool:
    """Return whether an Order can have `wanted` spaces in all, including the spaces that it holds already (`own`)."""
    if opportunity is None:
        return False
    if opportunity.capacity is None:
        return opportunity.type.at_any_time
    return remaining_spaces(opportunity.capacity, spaces, own) >= wanted


def excess_errors(wanted: int, capacity: int, spaces: Spaces, own: Spaces) -> list[ItemErrorType | None]:
    """Return the error of each requested space, in the order of the items; None for a space that is left."""
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
