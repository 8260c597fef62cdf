"""The rule of prepayment: whether an Offer or an Order is paid in advance (OB 7.2, OB-PREP-02 to OB-PREP-08).

`dry_run` checks that the items of one Order do not contradict each other (OB-PREP-09).
"""

from collections.abc import Iterable
from decimal import Decimal

from msgspec.structs import replace

from openbooking.booking.model.opportunity import Offer
from openbooking.openactive.terms import Availability


def can_be_prepaid(price: Decimal, in_advance: Availability | None) -> bool:
    """Return whether an Offer may have a `prepayment`.

    A free Offer may not (OB-BKBL-21), nor an Offer that cannot be booked in advance (OB-BKBL-23).

    Args:
        price: The price of the Offer.
        in_advance: The `openBookingInAdvance` of the Offer.
    """
    return bool(price) and in_advance is not Availability.UNAVAILABLE


def drop_invalid_prepayment(offer: Offer, *, supported: bool) -> Offer:
    """Return the Offer, without its `prepayment` if the Offer may not have a `prepayment`.

    Args:
        offer: The Offer as its provider publishes it.
        supported: Whether this Booking System publishes `openBookingPrepayment` (OB-PREP-02).
    """
    if supported and can_be_prepaid(offer.price, offer.in_advance):
        return offer
    return replace(offer, prepayment=None)


def prepayment_of(offer: Offer) -> Availability:
    """Return the effective prepayment of an Offer: Unavailable if it is free, and by default Required (OB-PREP-08)."""
    if offer.price == 0:
        return Availability.UNAVAILABLE
    return offer.prepayment or Availability.REQUIRED


def prepayment_of_all(offers: Iterable[Offer]) -> Availability:
    """Return the effective prepayment of an Order: the strictest of its Offers (OB-PREP-03 to OB-PREP-05)."""
    found = {prepayment_of(offer) for offer in offers}
    if Availability.REQUIRED in found:
        return Availability.REQUIRED
    return Availability.OPTIONAL if Availability.OPTIONAL in found else Availability.UNAVAILABLE
