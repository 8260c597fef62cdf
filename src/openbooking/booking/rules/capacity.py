"""Spaces left, and which OrderItems are in excess of them, and why (OB 10.2.2.3, AMB-55).

Of an Opportunity with five spaces, three of them leased to others, ten are asked for: two are given, three are
reserved by leases, five are beyond its capacity.
"""

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.situation import Spaces
from openbooking.openactive.errors import ItemErrorType

NONE = Spaces()


def max_spaces(opportunity: Opportunity, parent: Opportunity | None) -> int | None:
    """How many spaces of it can be sold at most: of an individual facility's Slot there is one (OB-BKBL-33)."""
    most = parent.type.row.max_spaces_of_child if parent else None
    if most is None or opportunity.capacity is None:
        return opportunity.capacity
    return min(opportunity.capacity, most)


def remaining(capacity: int, spaces: Spaces, own: Spaces) -> int:
    """How many spaces are left for an Order that itself holds `own`; never below none."""
    return max(capacity - (spaces.booked - own.booked) - (spaces.leased - own.leased), 0)


def spaces_left(opportunity: Opportunity, spaces: Spaces, own: Spaces = NONE) -> int | None:
    """How many spaces replies and feeds say are left for an Order that itself holds `own`; None where nobody counts.

    A Slot that does not take place has none left, for it has no `eventStatus` that would tell. A session whose own
    Offers are not known shows no number, because Brokers would take it for bookable at the Offers of its series.
    """
    if opportunity.capacity is None or (opportunity.offers_unknown and opportunity.type.inherits_offers):
        return None
    if not opportunity.type.row.has_status and not opportunity.takes_place:
        return 0
    return remaining(opportunity.capacity, spaces, own)


def has_room(opportunity: Opportunity | None, wanted: int, spaces: Spaces, own: Spaces) -> bool:
    """Whether that many spaces can be given, those that an Order itself holds included."""
    if opportunity is None:
        return False
    if opportunity.capacity is None:
        return opportunity.type.at_any_time
    return remaining(opportunity.capacity, spaces, own) >= wanted


def excess_errors(wanted: int, capacity: int, spaces: Spaces, own: Spaces) -> list[ItemErrorType | None]:
    """For each of the spaces wanted, in order, None if it can be given, or the class of its error."""
    unsold = capacity - (spaces.booked - own.booked)
    if unsold <= 0:
        return [ItemErrorType.OPPORTUNITY_IS_FULL] * wanted
    given = min(wanted, remaining(capacity, spaces, own))
    reserved = min(wanted - given, spaces.leased - own.leased)
    beyond = wanted - given - reserved
    return [
        *[None] * given,
        *[ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE] * reserved,
        *[ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY] * beyond,
    ]
