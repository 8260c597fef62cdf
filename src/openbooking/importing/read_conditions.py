"""The conditions at which providers publish Offers: who may have one, when, through which channel and how many.

An Offer is sold only where all of its properties are known. The harmless ones change nothing about that; conditions on
time, quantity, channel and availability are kept or checked here. With any other the Offer is left out.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from openbooking.importing.read_values import (
    MAX_COUNT,
    JsonObject,
    UnreadableError,
    members,
    read_count,
    read_instant,
    read_price,
    read_text,
    shown,
    term_names,
)

# What this system renders itself.
RENDERED = frozenset(
    {
        "@context", "@type", "@id", "name", "price", "priceCurrency", "advanceBooking", "openBookingInAdvance",
        "prepayment", "openBookingPrepayment", "validFromBeforeStartDate", "validThroughBeforeStartDate",
        "latestCancellationBeforeStartDate", "allowCustomerCancellationFullRefund", "openBookingFlowRequirement",
        "ageRange",
    }
)  # fmt: skip
# What changes nothing about who may have an Offer, when, how and how many. Brokers show and check age restrictions.
_HARMLESS = RENDERED | {
    "acceptedPaymentMethod", "ageRestriction", "aggregateRating", "alternateName", "beta:formattedDescription",
    "category", "checkoutPageURLTemplate", "dateCreated", "dateModified", "datePublished", "description",
    "disambiguatingDescription", "gtin", "identifier", "image", "mainEntityOfPage", "mpn", "potentialAction", "review",
    "reviews", "sameAs", "sku", "subjectOf", "termsOfService", "url",
}  # fmt: skip
_STARTS = ("validFrom", "availabilityStarts")
_ENDS = ("validThrough", "availabilityEnds", "priceValidUntil")
# The first and the last year that dates can have stand for no start and no end.
_NO_START, _NO_END = re.compile(r"0001-01-01"), re.compile(r"9999-12-3[01]")
_AVAILABLE = frozenset({"InStock", "LimitedAvailability", "OnlineOnly"})
_CHANNELS = ("OpenBooking", "Online")
_SELLS = frozenset({"http://purl.org/goodrelations/v1#Sell", "gr:Sell", "Sell"})
_OF_QUANTITY = frozenset({"@type", "@id", "value", "minValue", "maxValue", "unitCode", "unitText"})
_OF_PRICE = frozenset({"@type", "@id", "name", "description", "price", "priceCurrency"})
# Units that count what is ordered, of which each is one OrderItem.
_UNITS = frozenset(
    {
        "C62", "EA", "H87", "NMP", "item", "items", "piece", "pieces", "place", "places", "space", "spaces", "spot",
        "spots", "ticket", "tickets", "unit", "units",
    }
)  # fmt: skip
# Units that count people, of whom each has one OrderItem, unless it is a facility that is hired.
_PEOPLE = frozenset(
    {"IE", "attendee", "attendees", "participant", "participants", "people", "person", "persons", "pax"}
)


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """When an Offer is valid, and for how many OrderItems; with remarks on how that was understood."""

    valid_from: datetime | None = None
    valid_through: datetime | None = None
    least: int = 1
    most: int | None = None
    remarks: tuple[str, ...] = ()


def read_conditions(offer: JsonObject, *, of_facility: bool) -> Conditions:
    """The conditions of an Offer, or raise UnreadableError where one of them cannot be honoured."""
    unknown = unknown_properties(offer)
    if unknown:
        raise UnreadableError(f"its {', '.join(map(shown, unknown))} may be a condition, and is not understood")
    for name, check in _CHECKS.items():
        if name in offer:
            check(offer[name], offer)
    remarks: list[str] = []
    starts = [at for name in _STARTS if (at := _start(offer, name, remarks))]
    ends = [at for name in _ENDS if (at := _end(offer, name, remarks))]
    least, most = (
        _quantity(offer["eligibleQuantity"], of_facility=of_facility) if "eligibleQuantity" in offer else (1, None)
    )
    return Conditions(
        valid_from=max(starts, default=None),
        valid_through=min(ends, default=None),
        least=least,
        most=most,
        remarks=tuple(remarks),
    )


def unknown_properties(names: Iterable[str]) -> list[str]:
    """Those of the names of properties with which an Offer is left out, whatever their values."""
    return sorted(name for name in names if name not in _HARMLESS and name not in HONOURED)


def harmless_properties(offer: JsonObject) -> dict[str, Any]:
    """What an Offer tells besides its conditions and what this system renders itself."""
    return {name: value for name, value in offer.items() if name in _HARMLESS and name not in RENDERED}


def _start(offer: JsonObject, name: str, remarks: list[str]) -> datetime | None:
    if name not in offer or _NO_START.match(str(offer[name])):
        return None
    read = read_instant(offer[name])
    if read.assumed:
        remarks.append(f"{name}: {read.assumed}")
    return read.at


def _end(offer: JsonObject, name: str, remarks: list[str]) -> datetime | None:
    """When it ends; a day is part of it."""
    if name not in offer or _NO_END.match(str(offer[name])):
        return None
    read = read_instant(offer[name])
    if read.assumed:
        remarks.append(f"{name}: {read.assumed}")
    return read.until


def _quantity(value: Any, *, of_facility: bool) -> tuple[int, int | None]:
    """How many may be ordered at least, and at most."""
    fault = UnreadableError(f"its eligibleQuantity {shown(value)} is not understood")
    told = members(value)
    if len(told) != 1:
        raise fault
    asked = told[0] if isinstance(told[0], dict) else {"value": told[0]}
    units = {str(asked[name]).strip() for name in ("unitCode", "unitText") if name in asked}
    known = _UNITS if of_facility else _UNITS | _PEOPLE
    if not asked.keys() <= _OF_QUANTITY or not all(unit in known or unit.lower() in known for unit in units):
        raise fault
    exactly, least, most = (_number(asked, name, fault) for name in ("value", "minValue", "maxValue"))
    if exactly is not None and (least, most) == (None, None):
        least = most = exactly
    elif exactly is not None:
        raise fault
    if (least is None and most is None) or (most is not None and (most < 1 or most < (least or 1))):
        raise fault
    return max(least or 1, 1), most


def _number(asked: JsonObject, name: str, fault: UnreadableError) -> int | None:
    if name not in asked:
        return None
    try:
        number = read_count(asked[name])
    except UnreadableError:
        raise fault from None
    return None if name == "maxValue" and number == MAX_COUNT else number


def _check_channel(value: Any, offer: JsonObject) -> None:
    del offer
    if not any(name.startswith(_CHANNELS) for name in term_names(value)):
        raise UnreadableError(f"its availableChannel {shown(value)} is not online")


def _check_availability(value: Any, offer: JsonObject) -> None:
    del offer
    if not set(term_names(value)) <= _AVAILABLE:
        raise UnreadableError(f"its availability is {shown(value)}")


def _check_inventory(value: Any, offer: JsonObject) -> None:
    """What is left of an Offer is not counted here, so that it cannot be sold until nothing is."""
    del offer
    level = value.get("value", value.get("maxValue")) if isinstance(value, dict) else value
    try:
        sold_out = read_count(level) == 0
    except UnreadableError:
        sold_out = False
    raise UnreadableError("it is sold out" if sold_out else f"its inventoryLevel {shown(value)} cannot be kept to")


def _check_function(value: Any, offer: JsonObject) -> None:
    del offer
    if not set(term_names(value)) <= _SELLS:
        raise UnreadableError(f"its businessFunction {shown(value)} is no sale")


def _check_price(value: Any, offer: JsonObject) -> None:
    """A price in more words must be the same."""
    for told in members(value):
        known = isinstance(told, dict) and told.keys() <= _OF_PRICE and "price" in told and "price" in offer
        currency = read_text(told.get("priceCurrency", offer.get("priceCurrency"))) if known else None
        same = currency == read_text(offer.get("priceCurrency"))
        if not known or not same or read_price(told["price"]) != read_price(offer["price"]):
            raise UnreadableError(f"its priceSpecification {shown(told)} is another price")


_CHECKS: Mapping[str, Callable[[Any, JsonObject], None]] = {
    "availability": _check_availability,
    "availableChannel": _check_channel,
    "businessFunction": _check_function,
    "inventoryLevel": _check_inventory,
    "priceSpecification": _check_price,
}
HONOURED = frozenset({*_CHECKS, *_STARTS, *_ENDS, "eligibleQuantity"})
