"""Conditions of published Offers: the time, the channel, the quantity and the availability of a booking.

An Offer is imported only if all its properties are known here:

- Harmless properties restrict nothing.
- Conditions on time and quantity become fields of the Offer.
- Conditions on channel and availability are checked during the import.

An Offer with any other property is left out, because the property may restrict the Offer to some Customers.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from openbooking.openactive.published.values import (
    MAX_COUNT,
    Instant,
    JsonObject,
    UnreadableError,
    display_text,
    members,
    read_count,
    read_instant,
    read_price,
    read_text,
    term_names,
)

# Properties that this system publishes from the fields of its own Offers.
RENDERED = frozenset(
    {
        "@context", "@type", "@id", "name", "price", "priceCurrency", "advanceBooking", "openBookingInAdvance",
        "prepayment", "openBookingPrepayment", "validFromBeforeStartDate", "validThroughBeforeStartDate",
        "latestCancellationBeforeStartDate", "allowCustomerCancellationFullRefund", "openBookingFlowRequirement",
        "ageRange",
    }
)  # fmt: skip
# Properties that do not restrict a booking here. Brokers show and check age restrictions.
_HARMLESS = RENDERED | {
    "acceptedPaymentMethod", "ageRestriction", "aggregateRating", "alternateName", "beta:formattedDescription",
    "category", "checkoutPageURLTemplate", "dateCreated", "dateModified", "datePublished", "description",
    "disambiguatingDescription", "gtin", "identifier", "image", "mainEntityOfPage", "mpn", "potentialAction", "review",
    "reviews", "sameAs", "sku", "subjectOf", "termsOfService", "url",
}  # fmt: skip
_STARTS = ("validFrom", "availabilityStarts")
_ENDS = ("validThrough", "availabilityEnds", "priceValidUntil")
# Providers publish the first or last date of a date type if an Offer has no start or no end.
_NO_START, _NO_END = re.compile(r"0001-01-01"), re.compile(r"9999-12-3[01]")
_AVAILABLE = frozenset({"InStock", "LimitedAvailability", "OnlineOnly"})
_CHANNELS = ("OpenBooking", "Online")
_SELLS = frozenset({"http://purl.org/goodrelations/v1#Sell", "gr:Sell", "Sell"})
_OF_QUANTITY = frozenset({"@type", "@id", "value", "minValue", "maxValue", "unitCode", "unitText"})
_OF_PRICE = frozenset({"@type", "@id", "name", "description", "price", "priceCurrency"})
# Units of which each is one OrderItem.
_UNITS = frozenset(
    {
        "C62", "EA", "H87", "NMP", "item", "items", "piece", "pieces", "place", "places", "space", "spaces", "spot",
        "spots", "ticket", "tickets", "unit", "units",
    }
)  # fmt: skip
# Units that count people. Each person is one OrderItem, unless a facility is hired.
_PEOPLE = frozenset(
    {"IE", "attendee", "attendees", "participant", "participants", "people", "person", "persons", "pax"}
)


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of an Offer as fields.

    Attributes:
        valid_from: The first instant at which the Offer can be booked; None for no start.
        valid_through: The instant from which the Offer cannot be booked; None for no end.
        min_quantity: The least number of OrderItems of one Opportunity in an Order.
        max_quantity: The greatest number of these; None for no greatest number.
        remarks: Remarks on values that were assumed.
    """

    valid_from: datetime | None = None
    valid_through: datetime | None = None
    min_quantity: int = 1
    max_quantity: int | None = None
    remarks: tuple[str, ...] = ()


def read_conditions(offer: JsonObject, *, of_facility: bool) -> Conditions:
    """Return the conditions of an Offer.

    Args:
        offer: The Offer as published, with the names of properties in OpenActive's context.
        of_facility: Whether the Offer belongs to a facility. OrderItems of a facility count hires, not people.

    Raises:
        UnreadableError: A condition is unknown, or this system cannot enforce the condition.
    """
    unknown = unknown_properties(offer)
    if unknown:
        raise UnreadableError(f"its {', '.join(map(display_text, unknown))} may be a condition, and is not understood")
    for name, check in _CHECKS.items():
        if name in offer:
            check(offer[name], offer)
    remarks: list[str] = []
    starts = [read.at for name in _STARTS if (read := _read_limit(offer, name, _NO_START, remarks))]
    # The Offer cannot be booked from the end on. A date without a time includes that day.
    ends = [read.until for name in _ENDS if (read := _read_limit(offer, name, _NO_END, remarks))]
    least, most = (
        _read_quantity(offer["eligibleQuantity"], of_facility=of_facility) if "eligibleQuantity" in offer else (1, None)
    )
    return Conditions(
        valid_from=max(starts, default=None),
        valid_through=min(ends, default=None),
        min_quantity=least,
        max_quantity=most,
        remarks=tuple(remarks),
    )


def unknown_properties(names: Iterable[str]) -> list[str]:
    """Return the names, of those given, of properties that prevent the import of an Offer."""
    return sorted(name for name in names if name not in _HARMLESS and name not in ENFORCED)


def harmless_properties(offer: JsonObject) -> dict[str, Any]:
    """Return the properties of an Offer that restrict nothing, without those that this system publishes itself."""
    return {name: value for name, value in offer.items() if name in _HARMLESS and name not in RENDERED}


def _read_limit(offer: JsonObject, name: str, no_limit: re.Pattern[str], remarks: list[str]) -> Instant | None:
    """Return the instant at which the Offer starts or ends by this property; None if it states no limit."""
    if name not in offer or no_limit.match(str(offer[name])):
        return None
    read = read_instant(offer[name])
    if read.assumed:
        remarks.append(f"{name}: {read.assumed}")
    return read


def _read_quantity(value: Any, *, of_facility: bool) -> tuple[int, int | None]:
    """Return the least and the greatest number of OrderItems. The greatest is None if there is no limit."""
    fault = UnreadableError(f"its eligibleQuantity {display_text(value)} is not understood")
    stated = members(value)
    if len(stated) != 1:
        raise fault
    asked = stated[0] if isinstance(stated[0], dict) else {"value": stated[0]}
    units = {str(asked[name]).strip() for name in ("unitCode", "unitText") if name in asked}
    known = _UNITS if of_facility else _UNITS | _PEOPLE
    if not asked.keys() <= _OF_QUANTITY or not all(unit in known or unit.lower() in known for unit in units):
        raise fault
    exactly, least, most = (_read_number(asked, name, fault) for name in ("value", "minValue", "maxValue"))
    if exactly is not None and (least, most) == (None, None):
        least = most = exactly
    elif exactly is not None:
        raise fault
    if (least is None and most is None) or (most is not None and (most < 1 or most < (least or 1))):
        raise fault
    return max(least or 1, 1), most


def _read_number(asked: JsonObject, name: str, fault: UnreadableError) -> int | None:
    if name not in asked:
        return None
    try:
        number = read_count(asked[name])
    except UnreadableError:
        raise fault from None
    return None if name == "maxValue" and number == MAX_COUNT else number


def _check_channel(value: Any, offer: JsonObject) -> None:
    """Raise UnreadableError if the Offer cannot be booked online."""
    del offer
    if not any(name.startswith(_CHANNELS) for name in term_names(value)):
        raise UnreadableError(f"its availableChannel {display_text(value)} is not online")


def _check_availability(value: Any, offer: JsonObject) -> None:
    """Raise UnreadableError if the Offer is not available."""
    del offer
    if not set(term_names(value)) <= _AVAILABLE:
        raise UnreadableError(f"its availability is {display_text(value)}")


def _check_inventory(value: Any, offer: JsonObject) -> None:
    """Raise UnreadableError always: this system counts spaces by Opportunity and cannot limit a single Offer."""
    del offer
    level = value.get("value", value.get("maxValue")) if isinstance(value, dict) else value
    try:
        sold_out = read_count(level) == 0
    except UnreadableError:
        sold_out = False
    raise UnreadableError(
        "it is sold out" if sold_out else f"its inventoryLevel {display_text(value)} cannot be enforced"
    )


def _check_function(value: Any, offer: JsonObject) -> None:
    """Raise UnreadableError if the Offer is no sale, such as a lease."""
    del offer
    if not set(term_names(value)) <= _SELLS:
        raise UnreadableError(f"its businessFunction {display_text(value)} is no sale")


def _check_price(value: Any, offer: JsonObject) -> None:
    """Raise UnreadableError if a priceSpecification states a different price from the Offer."""
    for stated in members(value):
        known = isinstance(stated, dict) and stated.keys() <= _OF_PRICE and "price" in stated and "price" in offer
        currency = read_text(stated.get("priceCurrency", offer.get("priceCurrency"))) if known else None
        same = currency == read_text(offer.get("priceCurrency"))
        if not known or not same or read_price(stated["price"]) != read_price(offer["price"]):
            raise UnreadableError(f"its priceSpecification {display_text(stated)} is another price")


_CHECKS: Mapping[str, Callable[[Any, JsonObject], None]] = {
    "availability": _check_availability,
    "availableChannel": _check_channel,
    "businessFunction": _check_function,
    "inventoryLevel": _check_inventory,
    "priceSpecification": _check_price,
}
ENFORCED = frozenset({*_CHECKS, *_STARTS, *_ENDS, "eligibleQuantity"})
