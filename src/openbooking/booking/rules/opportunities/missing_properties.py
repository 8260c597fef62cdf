"""The properties that apps want to show of an Opportunity, and that are not published for it.

An Opportunity can be sold without them. Apps that filter by place, age or activity do not show it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from openbooking.booking.model.opportunity import Opportunity, applicable_offers
from openbooking.openactive.opportunity_row import Dates

_OF_ALL = ("name", "description", "image", "url")
_OF_EVENTS = ("ageRange",)
_DATES = ("startDate", "endDate")
_OF_ADDRESS = ("streetAddress", "addressLocality", "postalCode")
_OF_GEO = ("latitude", "longitude")
# A session that takes place online needs no location.
_ONLINE = ("virtualLocation", "beta:virtualLocation")


def missing_properties(opportunity: Opportunity, parents: tuple[Opportunity, ...]) -> tuple[str, ...]:
    """Return the paths of the missing properties, such as `image` and `location.geo`.

    A property that a parent has is not missing.

    Args:
        opportunity: The Opportunity, which may be a parent of others.
        parents: Its parents, nearest first.
    """
    family = (opportunity, *parents)
    missing: list[str] = []
    for name in _wanted(opportunity, parents):
        if name == "location":
            missing += _missing_of_location(family)
        elif name == "offers":
            missing += [] if applicable_offers(opportunity, parents) else [name]
        elif name in _DATES:
            missing += [] if (opportunity.start if name == "startDate" else opportunity.end) else [name]
        elif _first(family, name) is None:
            missing.append(name)
    return tuple(missing)


def _wanted(opportunity: Opportunity, parents: tuple[Opportunity, ...]) -> list[str]:
    """Return the names of the properties that an Opportunity of this type can have, each once."""
    type_, top = opportunity.type, (parents[-1] if parents else opportunity).type
    is_dated = type_.row.dates is not Dates.NONE
    is_sold = type_.bookable and not type_.row.has_parts
    names = dict.fromkeys(
        (
            *_OF_ALL,
            *(name for name in top.row.expected if name != "offers"),
            *(() if type_.is_facility else _OF_EVENTS),
            *type_.row.expected,
            *(_DATES if is_dated else ()),
            *(("offers",) if is_sold else ()),
        )
    )
    # The duration follows from the end.
    return [name for name in names if name not in {*type_.row.excluded, "duration"}]


def _missing_of_location(family: tuple[Opportunity, ...]) -> Iterator[str]:
    if any(_first(family, name) is not None for name in _ONLINE):
        return
    place = _first(family, "location")
    if not isinstance(place, Mapping):
        yield "location"
        return
    address, geo = place.get("address"), place.get("geo")
    if not address:
        yield "location.address"
    elif isinstance(address, Mapping):
        yield from (f"location.address.{name}" for name in _OF_ADDRESS if not address.get(name))
    if not isinstance(geo, Mapping) or any(geo.get(name) is None for name in _OF_GEO):
        yield "location.geo"


def _first(family: tuple[Opportunity, ...], name: str) -> Any:
    """Return the property of the Opportunity or of the nearest parent that has it; None if none has a value."""
    values = (member.properties.get(name) for member in family)
    return next((value for value in values if value not in (None, "", [], {})), None)
