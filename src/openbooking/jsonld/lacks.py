"""What published things lack of what validators, and Brokers, want of them (MOD, tables P-05 to P-21).

A thing is imported all the same: most of what is published today lacks something.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from openbooking.booking.opportunity import Opportunity
from openbooking.jsonld.read_values import members, shown, type_names
from openbooking.spec.terms import OpportunityType

_EVENT = ("name", "url", "location", "activity")
_FACILITY = ("name", "url", "location", "facilityType")
_OF_OPPORTUNITY: Mapping[OpportunityType, tuple[str, ...]] = {
    OpportunityType.SESSION_SERIES: (*_EVENT, "eventSchedule"),
    OpportunityType.FACILITY_USE: _FACILITY,
    OpportunityType.INDIVIDUAL_FACILITY_USE: _FACILITY,
}
_WITH_OFFERS = (OpportunityType.SESSION_SERIES, OpportunityType.SLOT)
_WITH_DURATION = (OpportunityType.SLOT,)
_OF_OTHERS: Mapping[str, tuple[str, ...]] = {
    "Brand": ("name", "url"),
    "Concept": ("@id", "prefLabel", "inScheme"),
    "GeoCoordinates": ("latitude", "longitude"),
    "ImageObject": ("url",),
    "LocationFeatureSpecification": ("name", "value"),
    "MediaObject": ("url",),
    "OpeningHoursSpecification": ("dayOfWeek", "opens", "closes"),
    "Place": ("name",),
    "PostalAddress": ("streetAddress", "addressLocality", "addressRegion", "postalCode", "addressCountry"),
    "Schedule": ("scheduledEventType", "startTime", "endTime", "scheduleTimezone"),
    "VideoObject": ("url",),
}


def lacks(opportunity: Opportunity, parents: tuple[Opportunity, ...]) -> Iterator[str]:
    """What it lacks, itself and in what it embeds; what its parents tell is not missing."""
    told = {name for thing in (opportunity, *parents) for name in thing.properties}
    missing = [name for name in _OF_OPPORTUNITY.get(opportunity.type, ()) if name not in told]
    if opportunity.type in _WITH_OFFERS and not opportunity.offers:
        missing.append("offers")
    if opportunity.type in _WITH_DURATION and opportunity.end is None:
        missing.append("duration")
    if missing:
        yield f"no {', '.join(missing)}"
    if opportunity.type.is_facility and "activity" in opportunity.properties:
        yield "activity: facilities have facilityType instead"
    for name, value in opportunity.properties.items():
        yield from _within(name, value)


def _within(path: str, value: Any) -> Iterator[str]:
    for member in members(value):
        if not isinstance(member, dict):
            continue
        wanted = [name for type_ in type_names(member) for name in _OF_OTHERS.get(type_, ())]
        missing = [name for name in wanted if name not in member]
        if missing:
            yield f"{path}: no {', '.join(missing)}"
        for name, inner in member.items():
            if isinstance(inner, dict | list):
                yield from _within(f"{path}.{shown(name)}", inner)
