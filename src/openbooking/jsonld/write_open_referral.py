"""Writes services as Open Referral UK: the Human Services Data Specification (HSDS) 3.0 with its UK profile.

A service is what people can take part in: a series of sessions, a facility, an event, a course or a video. It is made
from its published JSON-LD, of which this module reads nothing but what it finds in the expected form. The ids are UUIDs
that are made from the `@id`, so that they stay the same.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from openbooking.openactive.contact_details import is_email
from openbooking.openactive.web_addresses import is_web_address

HSDS_VERSION = "3.0"

# The properties of a service and of an organization that are objects or lists, which lists of services leave out.
_NESTED = frozenset({"schedules", "service_at_locations", "cost_options", "attributes"})
_DAYS = {
    "Monday": "MO",
    "Tuesday": "TU",
    "Wednesday": "WE",
    "Thursday": "TH",
    "Friday": "FR",
    "Saturday": "SA",
    "Sunday": "SU",
}
_FREQUENCY = re.compile(r"P(\d{1,3})([DWM])")
_TIME = re.compile(r"\d\d:\d\d(:\d\d)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?")
_ICAL_DAY = re.compile(r"[+-]?\d?(MO|TU|WE|TH|FR|SA|SU)")

Json = Mapping[str, Any]


def write_service(item: Json) -> dict[str, Any] | None:
    """Return the fully nested service of an item of an open feed; None for an item without a name or an `@id`."""
    url, name = _text(item.get("@id")), _text(item.get("name"))
    if not url or not name:
        return None
    id_ = uuid_of(url)
    seller = item.get("organizer") or item.get("provider")
    organization = write_organization(seller) if isinstance(seller, Mapping) else None
    ages = _object(item.get("ageRange"))
    service = {
        "id": id_,
        "organization_id": organization["id"] if organization else None,
        "name": name,
        "description": _text(item.get("description")),
        "url": _url(item.get("url")),
        "email": organization["email"] if organization and "email" in organization else None,
        "status": "inactive" if str(item.get("eventStatus")).endswith("EventCancelled") else "active",
        "minimum_age": _number(ages.get("minValue")),
        "maximum_age": _number(ages.get("maxValue")),
        "organization": organization,
        "schedules": [*_schedules(item, id_, url)],
        "service_at_locations": [*_locations(item, id_, url)],
        "cost_options": [*_costs(item, id_, url)],
        "attributes": [*_attributes(item, id_, url)],
    }
    return _without_nothing(service)


def write_organization(seller: Json) -> dict[str, Any] | None:
    """Return the organization of a Seller; None for a Seller without a name or an `@id`."""
    url, name = _text(seller.get("@id")), _text(seller.get("name"))
    if not url or not name:
        return None
    email = _text(seller.get("email"))
    return _without_nothing(
        {
            "id": uuid_of(url),
            "name": name,
            "description": _text(seller.get("description")) or _text(seller.get("legalName")) or name,
            "email": email if email and is_email(email) else None,
            "website": _url(seller.get("url")),
            "logo": _url(_object(seller.get("logo")).get("url")),
            "uri": url,
        }
    )


def write_summary(service: Json) -> dict[str, Any]:
    """Return a service as lists of services have it, without its lists."""
    return {name: value for name, value in service.items() if name not in _NESTED}


def uuid_of(url: str) -> str:
    """Return the UUID that stands for a URL."""
    return str(uuid5(NAMESPACE_URL, url))


def _schedules(item: Json, service: str, url: str) -> Iterator[dict[str, Any]]:
    written = [
        *map(_schedule, _objects(item.get("eventSchedule"))),
        *map(_opening, _objects(item.get("hoursAvailable"))),
    ]
    if not written and _INSTANT.fullmatch(_text(item.get("startDate")) or ""):
        written = [_single(item)]
    link = _url(item.get("url"))
    for number, each in enumerate(written):
        yield _without_nothing(
            {"id": uuid_of(f"{url}#/schedules/{number}"), "service_id": service, "schedule_link": link, **each}
        )


def _schedule(schedule: Json) -> dict[str, Any]:
    """Return a Schedule or PartialSchedule of OpenActive. HSDS knows weekly and monthly frequencies only."""
    repeat = _FREQUENCY.fullmatch(_text(schedule.get("repeatFrequency")) or "")
    number, unit = (int(repeat[1]), repeat[2]) if repeat else (0, "")
    if unit == "D" and number % 7 == 0:
        number, unit = number // 7, "W"
    days = ",".join(_days(schedule.get("byDay")))
    if (unit, number) == ("D", 1):
        number, unit, days = 1, "W", ",".join(_DAYS.values())
    frequency = {"W": "WEEKLY", "M": "MONTHLY"}.get(unit) if number else None
    month_days = [str(day) for day in _list(schedule.get("byMonthDay")) if isinstance(day, int)]
    zone = _text(schedule.get("scheduleTimezone"))
    return {
        "freq": frequency,
        "interval": number if frequency else None,
        "byday": days,
        "bymonthday": ",".join(month_days),
        "dtstart": _date(schedule.get("startDate")),
        "valid_from": _date(schedule.get("startDate")),
        "valid_to": _date(schedule.get("endDate")),
        "opens_at": _time(schedule.get("startTime")),
        "closes_at": _time(schedule.get("endTime")),
        "notes": f"Times are those of {zone}." if zone else None,
    }


def _opening(hours: Json) -> dict[str, Any]:
    """Return an OpeningHoursSpecification."""
    return {
        "freq": "WEEKLY",
        "interval": 1,
        "byday": ",".join(_days(hours.get("dayOfWeek"))),
        "valid_from": _date(hours.get("validFrom")),
        "valid_to": _date(hours.get("validThrough")),
        "opens_at": _time(hours.get("opens")),
        "closes_at": _time(hours.get("closes")),
    }


def _single(item: Json) -> dict[str, Any]:
    """Return the schedule of something that takes place once, with the times as they are published."""
    start = _INSTANT.fullmatch(str(item.get("startDate")))
    end = _INSTANT.fullmatch(str(item.get("endDate")))
    return {
        "dtstart": start[1] if start else None,
        "valid_from": start[1] if start else None,
        "valid_to": end[1] if end else None,
        "opens_at": f"{start[2]}{start[3] or ''}" if start else None,
        "closes_at": f"{end[2]}{end[3] or ''}" if end else None,
    }


def _locations(item: Json, service: str, url: str) -> Iterator[dict[str, Any]]:
    place = item.get("location")
    if not isinstance(place, Mapping):
        return
    # Places have an `@id` only if their provider gave one; then services at one place share the location.
    location_id = uuid_of(_text(place.get("@id")) or f"{url}#/location")
    geo = _object(place.get("geo"))
    location = {
        "id": location_id,
        "location_type": "physical",
        "name": _text(place.get("name")),
        "url": _url(place.get("url")),
        "latitude": _number(geo.get("latitude")),
        "longitude": _number(geo.get("longitude")),
        "addresses": [*_addresses(place.get("address"), location_id)],
    }
    yield {
        "id": uuid_of(f"{url}#/service_at_location"),
        "service_id": service,
        "location_id": location_id,
        "location": _without_nothing(location),
    }


def _addresses(address: Any, location: str) -> Iterator[dict[str, Any]]:
    """Yield the address, if it says where the place is. HSDS requires all of its parts, also if one is unknown."""
    if not isinstance(address, Mapping):
        return
    parts = {
        "address_1": _text(address.get("streetAddress")) or "",
        "city": _text(address.get("addressLocality")) or "",
        "state_province": _text(address.get("addressRegion")) or "",
        "postal_code": _text(address.get("postalCode")) or "",
        "country": _text(address.get("addressCountry")) or "GB",
    }
    if parts["address_1"] or parts["postal_code"]:
        id_ = uuid_of(f"urn:uuid:{location}#/address")
        yield {"id": id_, "location_id": location, **parts, "address_type": "physical"}


def _costs(item: Json, service: str, url: str) -> Iterator[dict[str, Any]]:
    for number, offer in enumerate(_objects(item.get("offers"))):
        price = _number(offer.get("price"))
        if price is not None:
            yield _without_nothing(
                {
                    "id": uuid_of(_text(offer.get("@id")) or f"{url}#/offers/{number}"),
                    "service_id": service,
                    "option": _text(offer.get("name")),
                    "currency": _text(offer.get("priceCurrency")),
                    "amount": price,
                }
            )


def _attributes(item: Json, service: str, url: str) -> Iterator[dict[str, Any]]:
    """Yield the activities and the facility types, as terms of the OpenActive vocabularies."""
    for concept in [*_objects(item.get("activity")), *_objects(item.get("facilityType"))]:
        term, label = _text(concept.get("@id")), _text(concept.get("prefLabel"))
        if term and label:
            term_id = uuid_of(term)
            yield {
                "id": uuid_of(f"{url}#/attributes/{term}"),
                "link_id": service,
                "link_entity": "service",
                "taxonomy_term_id": term_id,
                "taxonomy_term": _without_nothing(
                    {
                        "id": term_id,
                        "code": term.rpartition("#")[2],
                        "name": label,
                        "description": label,
                        "taxonomy": _text(concept.get("inScheme")),
                        "term_uri": _url(term),
                    }
                ),
            }


def _days(value: Any) -> Iterator[str]:
    """Yield days of the week as iCalendar writes them, from names of schema.org or from iCalendar days."""
    for day in _list(value):
        name = str(day).rpartition("/")[2]
        if name in _DAYS:
            yield _DAYS[name]
        elif _ICAL_DAY.fullmatch(name):
            yield name


def _without_nothing(written: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in written.items() if value not in (None, "", [])}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _objects(value: Any) -> list[Json]:
    return [each for each in _list(value) if isinstance(each, Mapping)]


def _object(value: Any) -> Json:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _url(value: Any) -> str | None:
    return value if isinstance(value, str) and is_web_address(value) and " " not in value else None


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _date(value: Any) -> str | None:
    text = (_text(value) or "")[:10]
    return text if _DATE.fullmatch(text) else None


def _time(value: Any) -> str | None:
    text = _text(value) or ""
    return text[:5] if _TIME.fullmatch(text) else None
