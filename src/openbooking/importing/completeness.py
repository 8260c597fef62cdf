"""Remarks on properties that are missing, although validators and Brokers expect them (MOD, tables P-05 to P-21).

A missing property does not prevent the import, because most published Opportunities lack some.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from openbooking.booking.model.opportunity import Opportunity
from openbooking.openactive.published.values import display_text, members, type_names

_EXPECTED: Mapping[str, tuple[str, ...]] = {
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


def missing_properties(opportunity: Opportunity, parents: tuple[Opportunity, ...]) -> Iterator[str]:
    """Yield a remark for each object in an Opportunity that lacks properties.

    A property that a parent has is not missing.
    """
    present = {name for thing in (opportunity, *parents) for name in thing.properties}
    if opportunity.offers:
        present.add("offers")
    if opportunity.end:
        present |= {"endDate", "duration"}
    missing = [name for name in opportunity.type.row.expected if name not in present]
    if missing:
        yield f"no {', '.join(missing)}"
    if opportunity.type.is_facility and "activity" in opportunity.properties:
        yield "activity: facilities have facilityType instead"
    for name, value in opportunity.properties.items():
        yield from _missing_within(name, value)


def _missing_within(path: str, value: Any) -> Iterator[str]:
    """Yield the remarks on the objects in a property. `path` names the property in the remarks."""
    for member in members(value):
        if not isinstance(member, dict):
            continue
        expected = [name for type_ in type_names(member) for name in _EXPECTED.get(type_, ())]
        missing = [name for name in expected if name not in member]
        if missing:
            yield f"{path}: no {', '.join(missing)}"
        for name, inner in member.items():
            if isinstance(inner, dict | list):
                yield from _missing_within(f"{path}.{display_text(name)}", inner)
