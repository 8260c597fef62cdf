"""The checks of prices, price bands and changed terms."""

from collections.abc import Collection, Sequence

from openbooking.booking.model.timetable import ChangeFrom, OccurrenceTerms, Price, PriceBand, Terms
from openbooking.openactive.money import is_price
from openbooking.timetable.checking.faults import LONGEST_MINUTES, Faults
from openbooking.timetable.offers import offer_key

MOST_SPACES = 100_000
_BEFORE_START = ("opens_before", "closes_before", "cancel_before")


def check_prices(prices: Sequence[Price], faults: Faults, *, has_start: bool = True) -> None:
    """Check the prices of one occurrence.

    Args:
        prices: The prices.
        faults: The faults of the part that has the prices.
        has_start: Whether that which is sold has a start.
    """
    faults.require(bool(prices), "prices", "Give at least one price. A free one has the amount 0.")
    keys = [offer_key(price.name) for price in prices]
    for number, price in enumerate(prices):
        part = faults.part("prices", number)
        _check_price(price, part, has_start=has_start)
        is_unique = keys[number] not in keys[:number]
        part.require(is_unique, "name", "Another price has this name, or one that differs only in punctuation.")


def _check_price(price: Price, faults: Faults, *, has_start: bool) -> None:
    faults.require_name(price.name)
    faults.require(is_price(price.amount), "amount", "Give an amount in pounds and whole pence, not below 0.")
    for field in _BEFORE_START:
        value = getattr(price, field)
        faults.require_duration(value, field)
        faults.require(has_start or value is None, field, "Leave this out: an on-demand item has no start.")
    opens, closes = price.opens_before, price.closes_before
    is_open = opens is None or closes is None or opens > closes
    faults.require(is_open, "closes_before", "Booking closes before it opens.")


def check_bands(bands: Sequence[PriceBand], lengths: Collection[int], faults: Faults) -> None:
    """Check the price bands of a facility with Slots of these lengths."""
    faults.require(bool(bands), "prices", "Give at least one price.")
    for number, band in enumerate(bands):
        part = faults.part("prices", number)
        part.require_days(band.days)
        for field, at in (("begins", band.begins), ("ends", band.ends)):
            if at is not None:
                part.require_time(at, field)
        in_order = band.begins is None or band.ends is None or band.begins < band.ends
        part.require(in_order, "ends", "The band ends before it begins. Use two bands for times after midnight.")
        is_known = band.minutes is None or not lengths or band.minutes in lengths
        part.require(is_known, "minutes", "No Slot has this length.")
        check_prices(band.prices, part)


def check_changes(changes: Sequence[ChangeFrom], faults: Faults, *, most: int = MOST_SPACES) -> None:
    """Check the terms that apply from dates on.

    Args:
        changes: The changes.
        faults: The faults of the rule.
        most: The greatest capacity.
    """
    for number, change in enumerate(changes):
        part = faults.part("changes", number)
        part.require_date(change.date, "date")
        later = number == 0 or changes[number - 1].date < change.date
        part.require(later, "date", "Give the changes in the order of their dates, each date once.")
        _check_terms(change.terms, part.part("terms"), most)


def check_single(
    single: Sequence[OccurrenceTerms], courts: Collection[str], faults: Faults, *, most: int = MOST_SPACES
) -> None:
    """Check the terms of single occurrences.

    Args:
        single: The terms.
        courts: The keys of the courts of the facility; none for a class, or for a facility without courts.
        faults: The faults of the rule.
        most: The greatest capacity.
    """
    for number, each in enumerate(single):
        part = faults.part("single", number)
        part.require_date(each.start, "start")
        part.require_time(each.start, "start")
        part.require(each.court in (courts or ("",)), "court", "Give the key of a court of this facility.")
        _check_terms(each.terms, part.part("terms"), most)
    faults.require_unique(((each.start, each.court) for each in single), "single", "starts of single occurrences")


def _check_terms(terms: Terms, faults: Faults, most: int) -> None:
    is_change = terms.capacity is not None or terms.prices is not None
    faults.require(is_change, "", "Give a capacity or prices.")
    faults.require_number(terms.capacity, "capacity", 0, most)
    if terms.prices is not None:
        check_prices(terms.prices, faults)


def check_minutes(minutes: int, field: str, faults: Faults, *, most: int = LONGEST_MINUTES) -> None:
    """Check a length."""
    faults.require(1 <= minutes <= most, field, f"Give a length from 1 to {most:,} minutes.")
