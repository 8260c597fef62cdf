"""The published properties of Opportunities of a timetable, as JSON-LD (MOD)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from openbooking.booking.model.opportunity import Properties
from openbooking.booking.model.timetable import Concept, Described, OnDemandItem, Venue, WeeklyTime
from openbooking.openactive.terms import SCHEMA
from openbooking.timetable.surroundings import Surroundings
from openbooking.timetable.wall_clock import TimeSpan

_INSTANT = "%Y-%m-%dT%H:%M:%SZ"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def described(rule: Described, around: Surroundings, *, concepts: str = "activity") -> dict[str, Any]:
    """Return the properties that describe a class, a facility, an event, a course or an on-demand item.

    An on-demand item has no location.

    Args:
        rule: The rule.
        around: The surroundings of the Seller's timetable.
        concepts: The name of the property of the concepts: `activity` or `facilityType`.
    """
    venue = None if isinstance(rule, OnDemandItem) else around.venues.get(rule.venue)
    ages = {"minValue": rule.minimum_age, "maxValue": rule.maximum_age}
    known_ages = {name: age for name, age in ages.items() if age is not None}
    written = {
        "name": rule.name,
        "description": rule.description,
        "url": rule.url or around.site,
        "image": [{"@type": "ImageObject", "url": rule.image}] if rule.image else None,
        "location": place(venue) if venue else None,
        concepts: [concept_json(concept) for concept in rule.concepts],
        "leader": [{"@type": "Person", "name": rule.leader}] if rule.leader else None,
        "level": list(rule.levels),
        "ageRange": {"@type": "QuantitativeValue", **known_ages} if known_ages else None,
    }
    return {**rule.properties, **{name: value for name, value in written.items() if value}}


def place(venue: Venue) -> Properties:
    """Return the location of a Venue."""
    address = {
        "streetAddress": venue.street,
        "addressLocality": venue.town,
        "addressRegion": venue.region,
        "postalCode": venue.postcode,
        "addressCountry": venue.country,
    }
    written: dict[str, Any] = {
        "@type": "Place",
        "name": venue.name,
        "address": {"@type": "PostalAddress", **{name: value for name, value in address.items() if value}},
    }
    if venue.latitude is not None and venue.longitude is not None:
        written["geo"] = {"@type": "GeoCoordinates", "latitude": venue.latitude, "longitude": venue.longitude}
    return written


def concept_json(concept: Concept) -> Properties:
    """Return a concept of an OpenActive vocabulary."""
    scheme = concept.id.partition("#")[0]
    return {"@type": "Concept", "@id": concept.id, "prefLabel": concept.label, "inScheme": scheme}


def schedules(
    times: Iterable[WeeklyTime], zone: ZoneInfo, first: date, last: date | None = None
) -> list[dict[str, Any]]:
    """Return the `eventSchedule` of a class or course.

    Args:
        times: The times of the week.
        zone: The time zone of the wall clock.
        first: The first date.
        last: The last date; None for no end.
    """
    return [_schedule(each, zone, first, last) for each in times]


def _schedule(weekly: WeeklyTime, zone: ZoneInfo, first: date, last: date | None) -> dict[str, Any]:
    finish = datetime.combine(first, weekly.start) + timedelta(minutes=weekly.minutes)
    written = {
        "@type": "PartialSchedule",
        "repeatFrequency": "P1W",
        "startDate": f"{first:%Y-%m-%d}",
        "startTime": f"{weekly.start:%H:%M}",
        "endTime": f"{finish:%H:%M}",
        "duration": f"PT{weekly.minutes}M",
        "byDay": [f"{SCHEMA}{WEEKDAYS[day]}" for day in weekly.days],
        "scheduleTimezone": zone.key,
    }
    return {**written, "endDate": f"{last:%Y-%m-%d}"} if last else written


def part(time: TimeSpan) -> Properties:
    """Return a date of a course (`subEvent`)."""
    return {"@type": "Event", "startDate": f"{time.start:{_INSTANT}}", "endDate": f"{time.end:{_INSTANT}}"}
