"""The bookings that the terms between a Seller and a Booking Partner exclude."""

from collections.abc import Sequence

from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.booking.model.opportunity import Offer, Opportunity, applicable_offers
from openbooking.booking.rules.matching_keys import activities_of, venue_of


def why_outside_terms(
    terms: GrantTerms, opportunity: Opportunity, parents: Sequence[Opportunity], offer: Offer
) -> str | None:
    """Return why the terms exclude the Opportunity with this Offer, in words for the Broker, or None.

    Terms with venues or activities exclude an Opportunity without a venue or without activities. An Offer that the
    Broker sets replaces the published ones, so that one of these must be within the terms.
    """
    family = (opportunity, *parents)
    if terms.venues is not None and venue_of(family) not in terms.venues:
        return "The Seller has not agreed to bookings at this venue."
    if terms.activities is not None and terms.activities.isdisjoint(activities_of(family)):
        return "The Seller has not agreed to bookings of this activity."
    offers = applicable_offers(opportunity, tuple(parents)) if offer.override else (offer,)
    if terms.offers is not None and not any(map(terms.include, offers)):
        return "The Seller has not agreed to bookings at this Offer."
    return None
