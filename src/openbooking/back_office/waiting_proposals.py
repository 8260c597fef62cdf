"""The OrderProposals that wait for the Seller: the time that is left, and what the others leave."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from openbooking.back_office.descriptions import opportunity_name
from openbooking.back_office.pages import OccurrencesOnce, read_rows
from openbooking.booking.model.record import ProposalRecord
from openbooking.booking.views import SellerViews
from openbooking.openactive.terms import OrderProposalStatus

_AN_HOUR = timedelta(hours=1)


class Shortage(NamedTuple):
    """Too few spaces for all waiting proposals of one Opportunity.

    Attributes:
        name: The name of the Opportunity.
        left: The number of spaces that are left.
        wanted: The number of spaces that this proposal asks for.
        others: The number of spaces that the other waiting proposals ask for.
    """

    name: str
    left: int
    wanted: int
    others: int


def time_left(record: ProposalRecord, now: datetime) -> str:
    """Return how long the proposal still waits, such as `3 hours`; empty if it does not wait."""
    expires = record.proposal.expires
    if expires is None:
        return ""
    left = expires - now
    if left <= timedelta():
        return "over"
    if left >= 2 * timedelta(days=1):
        return f"{left.days} days"
    amount, unit = (left // _AN_HOUR, "hour") if left >= _AN_HOUR else (left // timedelta(minutes=1), "minute")
    return f"{amount} {unit}{'' if amount == 1 else 's'}"


async def wanted_spaces(views: SellerViews) -> Counter[str]:
    """Return the number of spaces that all waiting proposals ask for, by the paths of the Opportunities."""
    wanted: Counter[str] = Counter()
    async for record in read_rows(views.proposals):
        wanted.update(record.wanted())
    return wanted


async def shortages(occurrences: OccurrencesOnce, record: ProposalRecord, wanted: Mapping[str, int]) -> list[Shortage]:
    """Return the Opportunities at which this proposal and the other waiting ones cannot all be accepted.

    Args:
        occurrences: The occurrences of the Seller.
        record: The proposal.
        wanted: The number of spaces that all waiting proposals ask for (`wanted_spaces`).
    """
    found: list[Shortage] = []
    is_waiting = record.proposal.status is OrderProposalStatus.AWAITING
    for path, own in record.wanted().items():
        occurrence = await occurrences.occurrence(path)
        if occurrence is None or occurrence.capacity is None:
            continue
        left = max(occurrence.capacity - occurrence.sold, 0)
        others = wanted.get(path, 0) - (own if is_waiting else 0)
        if own + others > left:
            name = opportunity_name(occurrence.opportunity, occurrence.parents)
            found.append(Shortage(name, left, own, others))
    return found
