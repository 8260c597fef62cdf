"""Where the spaces left of an Opportunity are computed, and the errors of OrderItems that exceed them (OB 10.2.2.3).

Spaces left are the capacity minus the sold spaces minus the spaces in Leases that have not ended. Spaces that the Order
itself holds count as left for this Order. Slots that overlap on one court share its spaces (`model.spaces`).

Example (AMB-55): of five spaces, three are leased to others, and a request has ten items. Two items get a space, three
have the error for leased spaces, and five have the error for a capacity that is too small.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.situation import Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.opportunity_types import OpportunityType

_LEASED_AWAY = ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE
# Stores find the Slots that overlap a Slot among those that start within this time before its end.
LONGEST_SHARED_SLOT = timedelta(days=1)


def max_spaces(opportunity: Opportunity, parent: Opportunity | None) -> int | None:
    """Return the capacity of an Opportunity, which is at most one for a Slot of an individual facility (OB-BKBL-33)."""
    most = parent.type.row.max_spaces_of_child if parent else None
    if most is None or opportunity.capacity is None:
        return opportunity.capacity
    return min(opportunity.capacity, most)


def court_of(opportunity: Opportunity) -> str:
    """Return the path of the facility whose spaces a Slot shares with overlapping Slots; empty if it shares none.

    An IndividualFacilityUse is one court, so its Slots share it. A FacilityUse may have several courts: its Slots share
    spaces only if their publisher says so (`Opportunity.court`). A Slot of more than a day shares none.
    """
    if opportunity.type is not OpportunityType.SLOT or opportunity.start is None or opportunity.end is None:
        return ""
    if not opportunity.start < opportunity.end <= opportunity.start + LONGEST_SHARED_SLOT:
        return ""
    if opportunity.parent and opportunity.parent.startswith(f"{OpportunityType.INDIVIDUAL_FACILITY_USE.collection}/"):
        return opportunity.parent
    return opportunity.court


def remaining_spaces(capacity: int, taken: Spaces) -> int:
    """Return how many spaces are left, at least 0."""
    return max(capacity - taken.booked - taken.leased, 0)


def spaces_left(opportunity: Opportunity, taken: Spaces) -> int | None:
    """Return the number of spaces left that replies and feeds show, or None if they show no number.

    A cancelled Slot shows 0, because Slots have no `eventStatus`. A session whose own Offers are unknown shows no
    number: with a number, Brokers would book it with the Offers of its series.

    Args:
        opportunity: The Opportunity.
        taken: The sold and leased spaces (`Situation.spaces_taken`), without those that the Order of a reply has.
    """
    if opportunity.capacity is None or (opportunity.offers_unknown and opportunity.type.inherits_offers):
        return None
    if not opportunity.type.row.has_status and not opportunity.takes_place:
        return 0
    return remaining_spaces(opportunity.capacity, taken)


def first_without_spaces(
    situation: Situation, wanted: Mapping[str, int], released: Mapping[str, Spaces] | None = None
) -> str | None:
    """Return the path of the first Opportunity with too few spaces for an Order; None if the Order can have all.

    Args:
        situation: The situation.
        wanted: How many spaces the Order needs in all, by path.
        released: The spaces that the Order has already, as changes of `Situation.spaces_taken`.
    """
    changes = dict(released or {})
    for path, spaces in wanted.items():
        opportunity = situation.opportunities.get(path)
        if opportunity is None:
            return path
        if opportunity.capacity is None:
            if not opportunity.type.at_any_time:
                return path
            continue
        if remaining_spaces(opportunity.capacity, situation.spaces_taken(path, changes)) < spaces:
            return path
        _add(changes, path, Spaces(booked=spaces))
    return None


def excess_errors(
    situation: Situation, paths: Iterable[str], released: Mapping[str, Spaces]
) -> Iterator[ItemErrorType | None]:
    """Yield the error of each requested space, in the order of the items; None for a space that is left.

    Args:
        situation: The situation.
        paths: The path of the Opportunity of each item. Each Opportunity has a capacity.
        released: The spaces that the Order has already, as changes of `Situation.spaces_taken`.
    """
    given, refused = dict(released), dict(released)
    for path in paths:
        capacity = situation.opportunities[path].capacity or 0
        if situation.spaces_taken(path, released).booked >= capacity:
            yield ItemErrorType.OPPORTUNITY_IS_FULL
        elif remaining_spaces(capacity, situation.spaces_taken(path, given)) > 0:
            _add(given, path, Spaces(booked=1))
            _add(refused, path, Spaces(booked=1))
            yield None
        elif situation.spaces_taken(path, refused).booked < capacity:
            _add(refused, path, Spaces(booked=1))
            yield _LEASED_AWAY
        else:
            yield ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY


def _add(changes: dict[str, Spaces], path: str, spaces: Spaces) -> None:
    changes[path] = changes.get(path, Spaces()).plus(spaces)
