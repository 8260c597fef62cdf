"""What published things lack of what validators, and Brokers, want of them (MOD, tables P-05 to P-21).

A thing is imported all the same: most of what is published today lacks something.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from openbooking.booking.model.opportunity import Opportunity
from openbooking.importing.reading.values import members, shown, type_names

_OF_OTHERS: Mapping[str, tuple[str, ...]] = {
    "Brand": ("name", "url"),
    "Concept": ("@id", "prefLabel", "inScheme"),
    "Event": ("startDate",),
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
    if opportunity.offers:
        told.add("offers")
    if opportunity.end:
        told |= {"endDate", "duration"}
    missing = [name for name in opportunity.type.row.expected if name not in told]
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
