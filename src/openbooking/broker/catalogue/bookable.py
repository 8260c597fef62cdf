"""The rule which Offers of an Opportunity a Broker can book (OB 8.1 "Definition of a bookable Opportunity and Offer").

The functions are pure. They work on published properties, together with those inherited from parents. A value that
cannot be read makes an Offer or an Opportunity not bookable, because the Booking System might refuse it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from openbooking.openactive.opportunity_row import Dates
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.published.times import read_period
from openbooking.openactive.published.values import (
    JsonObject,
    UnreadableError,
    members,
    read_count,
    read_duration,
    read_flag,
    read_instant,
    read_price,
    read_text,
    term_names,
    type_names,
)
from openbooking.openactive.terms import FlowRequirement

_TAKES_PLACE = frozenset({"EventScheduled", "EventRescheduled", "EventMovedOnline"})
_CHANNEL = "OpenBookingPrepayment"
_UNAVAILABLE = "Unavailable"
_FLOW_REQUIREMENTS: dict[str, str] = {term.rpartition("/")[2]: term.value for term in FlowRequirement}
_TAX_MODES = frozenset({"TaxGross", "TaxNet"})


class Offer(NamedTuple):
    """An Offer that a Broker may be able to book.

    Attributes:
        id: The `@id`.
        name: The name; empty if absent.
        price: The price in the major unit of the currency.
        currency: The ISO 4217 code; empty for a free Offer without one.
        opens: The instant from which the Offer can be booked; None for no such instant.
        closes: The instant from which the Offer cannot be booked any more; None for no such instant.
        requirements: The `openBookingFlowRequirement`, as URIs.
        properties: All properties as published.
    """

    id: str
    name: str
    price: Decimal
    currency: str
    opens: datetime | None
    closes: datetime | None
    requirements: frozenset[str]
    properties: JsonObject


class Dated(NamedTuple):
    """When an Opportunity takes place; both are None if it has no date."""

    start: datetime | None
    end: datetime | None


class Terms(NamedTuple):
    """What a Broker asks for.

    Attributes:
        now: The current time, with a zone.
        requirements: The flow requirements that the Broker supports (OB-BRK-16).
        spaces: The number of spaces to book.
    """

    now: datetime
    requirements: frozenset[str] = frozenset()
    spaces: int = 1


def dates_of(opportunity: JsonObject, type_: OpportunityType) -> Dated | None:
    """Return when an Opportunity takes place; None if its type has dates and it has no date that can be read."""
    if not type_.is_dated:
        return Dated(None, None)
    try:
        period = read_period(opportunity, in_days=type_.row.dates is Dates.DAYS)
    except UnreadableError:
        return None
    return Dated(period.start, period.end) if period.start else None


def spaces_left(opportunity: JsonObject, type_: OpportunityType) -> int | None:
    """Return the spaces that are left; None if they are not stated."""
    names = type_.row.capacity
    if names is None or names.remaining not in opportunity:
        return None
    try:
        left = read_count(opportunity[names.remaining])
        return min(left, read_count(opportunity[names.maximum])) if names.maximum in opportunity else left
    except UnreadableError:
        return 0


def seller_of(opportunity: JsonObject) -> JsonObject | None:
    """Return the Seller of an Opportunity; None if it has none, or only a name."""
    stated = (member for name in ("organizer", "provider") for member in members(opportunity.get(name)))
    return next((member for member in stated if isinstance(member, dict)), None)


def can_be_sold(opportunity: JsonObject, type_: OpportunityType) -> bool:
    """Return whether an Opportunity is one that can be booked at some time, by some Offer.

    Its type is bookable (OB-BKBL-03), it has an `@id` (OB-BKBL-08), its Seller has an `@id` and a `taxMode`
    (OB-BKBL-09), and it is neither cancelled nor postponed (OB-BKBL-11).
    """
    seller = seller_of(opportunity)
    if not type_.bookable or seller is None:
        return False
    is_named = bool(read_text(opportunity.get("@id")) and read_text(seller.get("@id")))
    takes_place = set(term_names(opportunity.get("eventStatus"))) <= _TAKES_PLACE
    return is_named and takes_place and bool(_TAX_MODES.intersection(term_names(seller.get("taxMode"))))


def read_offers(opportunity: JsonObject, dated: Dated) -> tuple[Offer, ...]:
    """Return the Offers of an Opportunity that can be booked at some time.

    An Offer has an `@id` (OB-BKBL-04) and a price (OB-BKBL-20), can be booked in advance (OB-BKBL-06), and is open to
    Brokers: its Seller allows open booking (OB-BKBL-40), or, where the Seller does not say, the Offer has the channel
    of earlier versions of the specification (OB-BKBL-05).
    """
    allowed = _is_open_booking_allowed(seller_of(opportunity) or {})
    return tuple(
        offer
        for published in members(opportunity.get("offers"))
        if isinstance(published, dict)
        if allowed or (allowed is None and _CHANNEL in term_names(published.get("availableChannel")))
        if (offer := _read_offer(published, dated))
    )


def bookable_offers(opportunity: JsonObject, type_: OpportunityType, terms: Terms) -> tuple[Offer, ...]:
    """Return the Offers with which a Broker can book an Opportunity now (OB-BKBL-02).

    Args:
        opportunity: The Opportunity, with what it inherits.
        type_: The type of the Opportunity.
        terms: What the Broker asks for.
    """
    dated = dates_of(opportunity, type_)
    if dated is None or not can_be_sold(opportunity, type_) or not _has_spaces(opportunity, type_, terms.spaces):
        return ()
    if (over := dated.end or dated.start) is not None and over <= terms.now:
        return ()
    return tuple(offer for offer in read_offers(opportunity, dated) if _is_open(offer, terms))


def _is_open(offer: Offer, terms: Terms) -> bool:
    """Return whether an Offer is current (OB-BKBL-07, OB-BKBL-41), and needs only what is supported (OB-BRK-16)."""
    has_opened = offer.opens is None or offer.opens <= terms.now
    has_closed = offer.closes is not None and offer.closes <= terms.now
    return has_opened and not has_closed and offer.requirements <= terms.requirements


def _has_spaces(opportunity: JsonObject, type_: OpportunityType, wanted: int) -> bool:
    """Return whether enough spaces are left (OB-BKBL-12). An Opportunity of a type without a capacity has enough."""
    if type_.row.capacity is None:
        return True
    left = spaces_left(opportunity, type_)
    return left is not None and left >= wanted


def _is_open_booking_allowed(seller: JsonObject) -> bool | None:
    if "isOpenBookingAllowed" not in seller:
        return None
    try:
        return read_flag(seller["isOpenBookingAllowed"])
    except UnreadableError:
        return False


def _read_offer(published: JsonObject, dated: Dated) -> Offer | None:
    """Return an Offer; None if it can never be booked."""
    id_ = read_text(published.get("@id"))
    in_advance = [
        term for name in ("openBookingInAdvance", "advanceBooking") for term in term_names(published.get(name))
    ]
    if not id_ or type_names(published) not in ([], ["Offer"]) or _UNAVAILABLE in in_advance:
        return None
    try:
        price = read_price(published.get("price"))
        opens, closes = _limits(published, dated)
    except UnreadableError:
        return None
    currency = read_text(published.get("priceCurrency")) or ""
    if price and not currency:
        return None
    name = read_text(published.get("name")) or ""
    return Offer(id_, name, price, currency, opens, closes, frozenset(_requirements(published)), published)


def _limits(published: JsonObject, dated: Dated) -> tuple[datetime | None, datetime | None]:
    """Return when an Offer opens and closes, by the time before the start and by fixed dates."""
    opens = [_before(published, "validFromBeforeStartDate", dated.start)]
    closes = [_before(published, "validThroughBeforeStartDate", dated.start)]
    if "validFrom" in published:
        opens.append(read_instant(published["validFrom"]).at)
    if "validThrough" in published:
        closes.append(read_instant(published["validThrough"]).until)
    return max(_stated(opens), default=None), min(_stated(closes), default=None)


def _stated(limits: Iterable[datetime | None]) -> Sequence[datetime]:
    return [limit for limit in limits if limit is not None]


def _before(published: JsonObject, name: str, start: datetime | None) -> datetime | None:
    if name not in published or start is None:
        return None
    lead: timedelta = read_duration(published[name])
    return start - lead


def _requirements(published: JsonObject) -> Iterable[str]:
    """Yield the flow requirements as URIs. A requirement that is not known is kept, and is supported by nobody."""
    for name in term_names(published.get("openBookingFlowRequirement")):
        yield _FLOW_REQUIREMENTS.get(name, name)
