"""Items as providers publish them: made-up items, which are valid unless a test changes them, and the folder of real
items.
"""

import json
from pathlib import Path
from typing import Any

from support.builders import ACTIVITY, FACILITY_TYPE, PLACE, SCHEDULE

# Items of real providers are in a folder beside the repository, if they exist on this machine. They are not part of it.
_SHARED = Path(__file__).parents[4] / "shared"
PUBLISHED_ITEMS = _SHARED / "data" / "published-items"
# The percentage of real objects of a type that have a property.
FIELD_USAGE = _SHARED / "data" / "field-usage.json"
# Inputs on which the importer once failed.
CASES = _SHARED / "cases"

SERIES_ID = "https://provider.example.com/series/1"
FACILITY_ID = "https://provider.example.com/facilities/1"
START = "2027-03-04T18:00:00Z"
SELLER = {
    "@type": "Organization",
    "@id": "https://provider.example.com/organisation",
    "name": "Riverside Centre",
    "legalName": "Riverside Leisure Trust",
    "taxMode": "https://openactive.io/TaxGross",
    "url": "https://provider.example.com/",
    "address": PLACE["address"],
}
OFFER = {
    "@type": "Offer",
    "@id": f"{SERIES_ID}#adult",
    "name": "Adult",
    "price": 5.5,
    "priceCurrency": "GBP",
    "allowCustomerCancellationFullRefund": True,
}


def _thing(made: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the thing with these changes; a property that is changed to None is left out."""
    changed = {"@context": "https://openactive.io/", **made, **changes}
    return {name: value for name, value in changed.items() if value is not None}


def series(**changes: Any) -> dict[str, Any]:
    """Return a SessionSeries with its Seller and an Offer."""
    made = {
        "@type": "SessionSeries",
        "@id": SERIES_ID,
        "url": SERIES_ID,
        "name": "Yoga",
        "location": PLACE,
        "activity": [ACTIVITY],
        "organizer": SELLER,
        "offers": [OFFER],
        "eventSchedule": [SCHEDULE],
    }
    return _thing(made, changes)


def session(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a ScheduledSession of the series."""
    made = {
        "@type": "ScheduledSession",
        "@id": f"https://provider.example.com/sessions/{number}",
        "superEvent": SERIES_ID,
        "startDate": START,
        "duration": "PT1H",
        "remainingAttendeeCapacity": 5,
    }
    return _thing(made, changes)


def facility(**changes: Any) -> dict[str, Any]:
    """Return a FacilityUse with its Seller."""
    made = {
        "@type": "FacilityUse",
        "@id": FACILITY_ID,
        "url": FACILITY_ID,
        "name": "Squash",
        "location": PLACE,
        "facilityType": [FACILITY_TYPE],
        "provider": SELLER,
    }
    return _thing(made, changes)


def slot(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a Slot of the facility, with its own Offer."""
    made = {
        "@type": "Slot",
        "@id": f"https://provider.example.com/slots/{number}",
        "facilityUse": FACILITY_ID,
        "startDate": START,
        "duration": "PT30M",
        "remainingUses": 2,
        "offers": [{**OFFER, "@id": f"https://provider.example.com/slots/{number}#hire"}],
    }
    return _thing(made, changes)


def event(**changes: Any) -> dict[str, Any]:
    """Return an Event without a parent, with its Seller and an Offer."""
    made = {
        "@type": "Event",
        "@id": "https://provider.example.com/events/1",
        "url": "https://provider.example.com/events/1",
        "name": "Run",
        "location": PLACE,
        "activity": [ACTIVITY],
        "organizer": SELLER,
        "offers": [{**OFFER, "@id": "https://provider.example.com/events/1#adult"}],
        "startDate": START,
        "duration": "PT1H",
        "remainingAttendeeCapacity": 5,
    }
    return _thing(made, changes)


def course(**changes: Any) -> dict[str, Any]:
    """Return a CourseInstance of a week."""
    id_ = "https://provider.example.com/courses/1"
    made = {
        "@type": "CourseInstance",
        "@id": id_,
        "startDate": "2027-03-04",
        "endDate": "2027-03-11",
        "duration": None,
        "eventSchedule": [SCHEDULE],
    }
    return event(**{**made, **changes})


def on_demand_event(**changes: Any) -> dict[str, Any]:
    """Return an OnDemandEvent."""
    gone = dict.fromkeys(("location", "startDate", "duration", "remainingAttendeeCapacity"))
    return event(**{"@type": "OnDemandEvent", "@id": "https://provider.example.com/films/1", **gone, **changes})


def rpde(data: dict[str, Any], /, **changes: Any) -> dict[str, Any]:
    """Return the item in its RPDE envelope."""
    made = {"state": "updated", "kind": data["@type"], "id": str(data.get("@id")), "modified": 1, "data": data}
    return made | changes


def deleted(data: dict[str, Any], /, **changes: Any) -> dict[str, Any]:
    """Return the RPDE item after its deletion."""
    made = rpde(data, state="deleted", modified=2)
    del made["data"]
    return made | changes


def page(*items: Any, next_: str | None = None) -> bytes:
    """Return an RPDE page."""
    return json.dumps({"items": items, "next": next_, "license": "https://example.com/licence"}).encode()
