"""The terms that one Seller and one Booking Partner have agreed on.

By default nothing is agreed on. The settings `offer_overrides` and `dynamic_accounts` are upper bounds: what they do
not allow cannot be agreed on.
"""

import msgspec

from openbooking.booking.model.opportunity import Offer
from openbooking.openactive.ids import OfferRef


class GrantTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The terms of one grant; by default nothing is agreed on, and nothing is narrowed.

    Attributes:
        offer_overrides: Whether the partner may name a price of its own (OB-OVR-01).
        dynamic_accounts: The accountIds with which it may book without a price (OB-DYN-01).
        venues: The venues at which it may book, by `Opportunity.venue`; None for every venue.
        activities: The activities of which it may book some, by `Opportunity.activities`; None for every activity.
        offers: The published Offers at which it may book; None for every Offer.
        open_quotes: How many OrderQuotes it may have that hold spaces; None for the system's own bound.
        open_proposals: How many OrderProposals it may have that hold spaces; None for the system's own bound.
    """

    offer_overrides: bool = False
    dynamic_accounts: frozenset[str] = frozenset()
    venues: frozenset[str] | None = None
    activities: frozenset[str] | None = None
    offers: frozenset[OfferRef] | None = None
    open_quotes: int | None = None
    open_proposals: int | None = None

    def include(self, offer: Offer) -> bool:
        """Whether the partner may book at this published Offer."""
        return self.offers is None or offer.ref in self.offers


NO_TERMS = GrantTerms()
