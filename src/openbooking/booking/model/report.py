"""What publishing and withdrawing report of each Opportunity.

An import shows it to people, and a dry run of the import shows the same.
"""

from collections.abc import Mapping

import msgspec

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey


class OrdersReached(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of the Orders and OrderProposals for an Opportunity that a command has reached.

    Orders feeds show all of them to their Brokers, except `kept` ones.

    Attributes:
        cancelled: Orders of which an item was cancelled.
        changed: Orders of which an item has another name, time or location.
        kept: Orders that stay as they are, though their Opportunity has left the open feeds.
        rejected: OrderProposals that were rejected.
    """

    cancelled: frozenset[OrderKey] = frozenset()
    changed: frozenset[OrderKey] = frozenset()
    kept: frozenset[OrderKey] = frozenset()
    rejected: frozenset[OrderKey] = frozenset()


class OpportunityReport(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of one Opportunity; `why_not` says why it cannot be booked now, and is None if it can."""

    opportunity: Opportunity
    why_not: str | None = None
    orders: OrdersReached = OrdersReached()


# By the paths of the Opportunities.
Reports = Mapping[str, OpportunityReport]
