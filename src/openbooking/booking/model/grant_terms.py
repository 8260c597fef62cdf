"""The terms that one Seller and one Booking Partner have agreed on.

The settings `offer_overrides` and `dynamic_accounts` limit the terms: terms that they do not allow have no effect.
"""

from collections.abc import Iterable

import msgspec

from openbooking.booking.model.opportunity import Offer, Opportunity
from openbooking.openactive.ids import OfferRef


class GrantTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The terms of one grant. The default terms allow no prices of the partner's own, and exclude nothing.

    Attributes:
        offer_overrides: Whether the partner may set its own prices (OB-OVR-01).
        dynamic_accounts: The accountIds with which the partner may book without a price (OB-DYN-01).
        venues: The values of `Opportunity.venue` that the partner may book; None for all.
        activities: The partner may book an Opportunity with any of these `activities`; None for all.
        offers: The published Offers that the partner may book; None for all. An Offer of a parent includes the Offers
            with the same key that its children have, such as the Offers of the Slots of a facility.
        open_quotes: How many OrderQuotes of the partner may hold spaces; None for the limit of the settings.
        open_proposals: How many OrderProposals of the partner may hold spaces; None for the limit of the settings.
    """

    offer_overrides: bool = False
    dynamic_accounts: frozenset[str] = frozenset()
    venues: frozenset[str] | None = None
    activities: frozenset[str] | None = None
    offers: frozenset[OfferRef] | None = None
    open_quotes: int | None = None
    open_proposals: int | None = None

    def include(self, offer: Offer, parents: Iterable[Opportunity]) -> bool:
        """Return whether the partner may book this published Offer.

        Args:
            offer: The Offer.
            parents: The parents of the Opportunity that is booked.
        """
        return self.offers is None or self.names_offer(offer, parents)

    def names_offer(self, offer: Offer, parents: Iterable[Opportunity]) -> bool:
        """Return whether the terms name this published Offer.

        Args:
            offer: The Offer.
            parents: The parents of the Opportunity that is booked.
        """
        refs = {offer.ref, *(OfferRef(parent.path, offer.key) for parent in parents)}
        return self.offers is not None and not self.offers.isdisjoint(refs)


NO_TERMS = GrantTerms()
