"""Prices as Offers, and the terms of an occurrence: its capacity and its prices."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from openbooking.booking.model.opportunity import Offer
from openbooking.booking.model.timetable import ChangeFrom, OccurrenceTerms, Price, PriceAudience, PriceBand, Terms
from openbooking.booking.rules.orders.prepayment import drop_invalid_prepayment
from openbooking.openactive.terms import Availability
from openbooking.timetable.wall_clock import instant

CURRENCY = "GBP"
_KEY_LENGTH = 60


def offer_key(name: str) -> str:
    """Return the key of the Offer of a price with this name: its letters and digits, or a digest if it has none."""
    letters = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    key = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")
    if key and len(key) <= _KEY_LENGTH:
        return key
    return f"price-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def offers_of(prices: Iterable[Price], owner: str, *, prepayment: bool) -> tuple[Offer, ...]:
    """Return the Offers of prices.

    Args:
        prices: The prices.
        owner: The path of the Opportunity that has the Offers.
        prepayment: Whether the policy publishes `openBookingPrepayment`.
    """
    return tuple(drop_invalid_prepayment(_offer(price, owner), supported=prepayment) for price in prices)


def _offer(price: Price, owner: str) -> Offer:
    is_restricted = price.audience is PriceAudience.PROVEN
    return Offer(
        key=offer_key(price.name),
        owner=owner,
        name=price.name,
        price=price.amount,
        currency=CURRENCY if price.amount else None,
        vat=price.vat,
        in_advance=Availability.UNAVAILABLE if is_restricted else Availability.OPTIONAL,
        prepayment=price.prepayment,
        valid_from_before_start=price.opens_before,
        valid_through_before_start=price.closes_before,
        latest_cancellation_before_start=price.cancel_before,
        full_refund_on_cancellation=price.cancel_before is not None,
        restricted=is_restricted,
    )


def prices_of_slot(bands: Iterable[PriceBand], local: datetime, minutes: int) -> tuple[Price, ...]:
    """Return the prices of the first band that fits a Slot; none if no band fits.

    Args:
        bands: The price bands of the facility.
        local: The start on the wall clock.
        minutes: The length.
    """
    return next((band.prices for band in bands if _fits(band, local, minutes)), ())


def _fits(band: PriceBand, local: datetime, minutes: int) -> bool:
    begins, at = band.begins or time.min, local.time()
    return (
        (not band.days or local.weekday() in band.days)
        and begins <= at
        and (band.ends is None or at < band.ends)
        and band.minutes in (None, minutes)
    )


class ChangedTerms:
    """The terms of the occurrences of a class or facility that differ from the rule.

    Args:
        changes: Terms from a date on. A capacity or price applies until a later change has another one.
        single: Terms of single occurrences, which apply before those from a date on.
        zone: The time zone of the wall clock.
    """

    def __init__(self, changes: Sequence[ChangeFrom], single: Iterable[OccurrenceTerms], zone: ZoneInfo) -> None:
        self._changes = sorted(changes, key=lambda change: change.date)
        # Two readings of a start that exists twice, or does not exist, are one instant.
        self._single: Mapping[tuple[datetime, str], Terms] = {
            (instant(each.start, zone), each.court): each.terms for each in single
        }

    def at(self, day: date, start: datetime, court: str = "") -> Terms:
        """Return the terms of an occurrence; None stands for those of the rule.

        Args:
            day: The date on the wall clock.
            start: The start.
            court: The key of the court, if the occurrence is a Slot of one.
        """
        found = [change.terms for change in self._changes if change.date <= day]
        if (start, court) in self._single:
            found.append(self._single[start, court])
        return Terms(
            capacity=next((terms.capacity for terms in reversed(found) if terms.capacity is not None), None),
            prices=next((terms.prices for terms in reversed(found) if terms.prices is not None), None),
        )
