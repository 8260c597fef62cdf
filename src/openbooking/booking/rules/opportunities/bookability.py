"""The reasons against booking an Opportunity with an Offer: conditions, quantity, and the terms of the grant (OB 8.1).

Each condition is a function that takes a `Pair` and the time. It returns the reason why the pair cannot be booked, in
words for the Broker, or None. `CONDITIONS` lists the conditions in the order in which they are checked. `capacity`
checks the spaces that are left.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.booking.model.opportunity import Offer, Opportunity, Seller, applicable_offers, is_on_sale
from openbooking.booking.rules.opportunities.matching_keys import activities_of, venue_of
from openbooking.openactive.terms import Availability


class Pair(NamedTuple):
    """An Opportunity and an Offer that applies to it, with its Seller and its parents, nearest first."""

    opportunity: Opportunity
    offer: Offer
    seller: Seller
    parents: tuple[Opportunity, ...]


def opportunity_is_of_a_bookable_type(pair: Pair, now: datetime) -> str | None:
    """Return a reason if the Opportunity is a parent: only its children can be booked (OB-BKBL-03)."""
    del now
    return None if pair.opportunity.type.bookable else f"A {pair.opportunity.type} cannot be booked itself."


def opportunity_is_on_sale(pair: Pair, now: datetime) -> str | None:
    """Return a reason if the Opportunity or one of its parents is off sale."""
    del now
    return None if is_on_sale(pair.opportunity, pair.parents) else "The Opportunity is not on sale."


def opportunity_has_not_ended(pair: Pair, now: datetime) -> str | None:
    """Return a reason if the Opportunity has ended (OB-BKBL-10), or lacks a date although its type has dates."""
    if pair.opportunity.type.at_any_time:
        return None
    if pair.opportunity.over_at is None:
        return "The Opportunity has no date."
    return "The Opportunity has ended." if pair.opportunity.is_over(now) else None


def opportunity_takes_place(pair: Pair, now: datetime) -> str | None:
    """Return a reason if the Opportunity is cancelled or postponed (OB-BKBL-11)."""
    del now
    return None if pair.opportunity.takes_place else "The Opportunity is cancelled or postponed."


def capacity_is_known(pair: Pair, now: datetime) -> str | None:
    """Return a reason if the capacity of the Opportunity is not known (OB-BKBL-12)."""
    del now
    known = pair.opportunity.capacity is not None or pair.opportunity.type.at_any_time
    return None if known else "The Opportunity's capacity is not known."


def offers_are_known(pair: Pair, now: datetime) -> str | None:
    """Return a reason if the Opportunity's own Offers are not known (OB-BKBL-32).

    An OfferOverride cannot replace them, because it has the requirements of the published Offers.
    """
    del now
    return "The Opportunity's Offers are not known." if pair.opportunity.offers_unknown else None


def seller_allows_open_booking(pair: Pair, now: datetime) -> str | None:
    """Return a reason unless the Seller publishes `isOpenBookingAllowed` (OB-BKBL-40)."""
    del now
    return None if pair.seller.open_booking_allowed else "The Seller does not offer booking through this API."


def offer_can_be_booked_in_advance(pair: Pair, now: datetime) -> str | None:
    """Return a reason if the `openBookingInAdvance` of the Offer is Unavailable (OB-BKBL-06)."""
    del now
    unavailable = pair.offer.in_advance is Availability.UNAVAILABLE
    return "The Offer cannot be booked in advance." if unavailable else None


def booking_window_has_opened(pair: Pair, now: datetime) -> str | None:
    """Return a reason before booking opens, `validFromBeforeStartDate` before the start (OB-BKBL-07)."""
    start, lead = pair.opportunity.start, pair.offer.valid_from_before_start
    early = start is not None and lead is not None and start - lead > now
    return "The booking window has not opened yet." if early else None


def booking_window_has_not_closed(pair: Pair, now: datetime) -> str | None:
    """Return a reason after booking closes, `validThroughBeforeStartDate` before the start (OB-BKBL-41)."""
    start, lead = pair.opportunity.start, pair.offer.valid_through_before_start
    late = start is not None and lead is not None and start - lead <= now
    return "The booking window has closed." if late else None


def offer_has_begun(pair: Pair, now: datetime) -> str | None:
    """Return a reason before the `validFrom` of the Offer."""
    early = pair.offer.valid_from is not None and pair.offer.valid_from > now
    return "The Offer is not valid yet." if early else None


def offer_has_not_ended(pair: Pair, now: datetime) -> str | None:
    """Return a reason from the `validThrough` of the Offer on."""
    late = pair.offer.valid_through is not None and pair.offer.valid_through <= now
    return "The Offer is not valid any more." if late else None


Conditions = tuple[Callable[[Pair, datetime], str | None], ...]

CONDITIONS: Conditions = (
    opportunity_is_of_a_bookable_type,
    opportunity_is_on_sale,
    opportunity_has_not_ended,
    opportunity_takes_place,
    capacity_is_known,
    offers_are_known,
    seller_allows_open_booking,
    offer_can_be_booked_in_advance,
    booking_window_has_opened,
    booking_window_has_not_closed,
    offer_has_begun,
    offer_has_not_ended,
)
# A Lease guarantees its Offer even after the Offer has ended (OB-LEASE-10).
CONDITIONS_OF_LEASED = tuple(condition for condition in CONDITIONS if condition is not offer_has_not_ended)

# Whether and when an Offer is open to Brokers does not concern the front desk, which also sells to those who just came.
CONDITIONS_AT_DESK = tuple(
    condition
    for condition in CONDITIONS
    if condition
    not in (
        seller_allows_open_booking,
        offer_can_be_booked_in_advance,
        booking_window_has_opened,
        booking_window_has_not_closed,
    )
)


def conditions_of(offer: Offer, conditions: Conditions = CONDITIONS, *, is_entitled: bool) -> Conditions:
    """Return the conditions of an Offer: those who are entitled to a restricted Offer can book it in advance.

    Args:
        offer: The Offer.
        conditions: The conditions of other Offers.
        is_entitled: Whether the grant of the Booking Partner names the Offer, or a restricted Offer was booked before.
    """
    is_open = offer.restricted and is_entitled
    return tuple(each for each in conditions if not (is_open and each is offer_can_be_booked_in_advance))


# B of an accepted OrderProposal checks the Opportunity again, but neither its Offer nor the booking window.
CONDITIONS_AFTER_APPROVAL = (opportunity_is_on_sale, opportunity_has_not_ended, opportunity_takes_place)


def why_not_bookable(
    pair: Pair, now: datetime, conditions: Iterable[Callable[[Pair, datetime], str | None]] = CONDITIONS
) -> str | None:
    """Return the reason of the first of the conditions that the pair does not meet, or None."""
    for condition in conditions:
        reason = condition(pair, now)
        if reason:
            return reason
    return None


def why_wrong_quantity(offer: Offer, items: int) -> str | None:
    """Return why this number of OrderItems of one Opportunity cannot be booked with the Offer, or None."""
    if items < offer.min_quantity:
        return f"The Offer is for {offer.min_quantity} spaces or more of one Opportunity in one Order, not {items}."
    if offer.max_quantity is not None and items > offer.max_quantity:
        return f"The Offer is for {offer.max_quantity} spaces or fewer of one Opportunity in one Order, not {items}."
    return None


def why_outside_terms(
    terms: GrantTerms, opportunity: Opportunity, parents: Sequence[Opportunity], offer: Offer
) -> str | None:
    """Return why the terms of the grant exclude the Opportunity with this Offer, in words for the Broker, or None.

    Terms that name venues exclude Opportunities without a venue, and terms that name activities exclude those without
    activities. An Offer with a price that the Broker sets is not published: one of the published Offers must then be
    within the terms.
    """
    family = (opportunity, *parents)
    if terms.venues is not None and venue_of(family) not in terms.venues:
        return "The Seller has not agreed to bookings at this venue."
    if terms.activities is not None and terms.activities.isdisjoint(activities_of(family)):
        return "The Seller has not agreed to bookings of this activity."
    offers = applicable_offers(opportunity, tuple(parents)) if offer.override else (offer,)
    if terms.offers is not None and not any(terms.include(each, parents) for each in offers):
        return "The Seller has not agreed to bookings at this Offer."
    return None
