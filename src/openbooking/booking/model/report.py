"""The reports of publishing and withdrawing, one for each Opportunity. An import prints the reports."""

from collections.abc import Mapping

import msgspec

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey


class AffectedOrders(msgspec.Struct, frozen=True, kw_only=True):
    """The Orders and OrderProposals for an Opportunity that a command affects, by the effect.

    Attributes:
        cancelled: Orders with an item that was cancelled.
        changed: Orders with an item whose name, time or location has changed.
        kept: Orders that stay unchanged although their Opportunity has left the open feeds.
        rejected: OrderProposals that were rejected.
    """

    cancelled: frozenset[OrderKey] = frozenset()
    changed: frozenset[OrderKey] = frozenset()
    kept: frozenset[OrderKey] = frozenset()
    rejected: frozenset[OrderKey] = frozenset()


class OpportunityReport(msgspec.Struct, frozen=True, kw_only=True):
    """The report on one Opportunity.

    Attributes:
        opportunity: The Opportunity after the command, or before it if it was removed.
        why_not: Why the Opportunity cannot be booked now; None if it can be booked.
        orders: The Orders for the Opportunity.
    """

    opportunity: Opportunity
    why_not: str | None = None
    orders: AffectedOrders = AffectedOrders()


# By the paths of the Opportunities.
Reports = Mapping[str, OpportunityReport]
