"""The events of the demo: each type of Opportunity that the weekly timetable does not have, and one with approval."""

from collections.abc import Sequence
from datetime import date, time, timedelta, tzinfo
from typing import Any, NamedTuple

from msgspec.structs import replace

from openbooking.booking.model.opportunity import AccessRules, Opportunity, Properties, Seller
from openbooking.openactive.ids import opportunity_path
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import FlowRequirement
from openbooking.sandbox.sellers import CENTRE, PARK, SITES, STUDIO, TRUST
from openbooking.sandbox.timetable import SOURCE, TIME_ZONE, Concept, Price, activity, instant

_SWIMMING = activity("2750229d-b725-4171-9276-376be913957c", "Swimming")
_WALKING = activity("95092977-5a20-4d6e-b312-8fddabe71544", "Walking")
_BADMINTON = activity("c0360db0-a817-4bae-9167-40f89b49fc9e", "Badminton")
_HATHA_YOGA = activity("90611f8f-fea2-402e-827f-41b487a5f3a0", "Hatha Yoga")
_FREE = Price("Free", "0", vat=VatTreatment.EXEMPT, cancel_before=timedelta(hours=1))


class _Event(NamedTuple):
    """An event. It starts `in_days` days from today, and ends `days` days after the day of its start."""

    type: OpportunityType
    key: str
    seller: Seller
    name: str
    about: str
    activity: Concept
    price: Price
    location: Properties | None = None
    in_days: int = 0
    start: time = time(10)
    end: time = time(12)
    days: int = 0
    spaces: int | None = None
    parent: tuple[OpportunityType, str] | None = None
    flow: Sequence[FlowRequirement] = ()
    access: AccessRules | None = None
    more: Properties | None = None


_GALA = (OpportunityType.HEADLINE_EVENT, "swimming-gala")
_COURSE = (OpportunityType.COURSE_INSTANCE, "badminton-course")
_WEEKLY = {
    "eventSchedule": [
        {
            "@type": "PartialSchedule",
            "repeatFrequency": "P1W",
            "startTime": "19:00",
            "endTime": "20:30",
            "scheduleTimezone": TIME_ZONE,
        }
    ]
}
_CHANNEL = {
    "@type": "VirtualLocation",
    "name": "Video library",
    "url": "https://willow.example.com/watch/{code}",
    "accessId": "{code}",
    "description": "Your own link; it opens at once and works on one device at a time.",
}

_EVENTS = (
    _Event(
        OpportunityType.EVENT, "open-day-walk", TRUST, "Open day walk", "Round the park with the rangers.",
        _WALKING, _FREE, PARK, in_days=12, end=time(11, 30), spaces=60,
    ),
    _Event(
        *_GALA, TRUST, "Swimming gala", "Heats in the morning, finals in the afternoon; this ticket is for both.",
        _SWIMMING, Price("Day ticket", "8.00"), CENTRE, in_days=19, start=time(9), end=time(17), spaces=120,
    ),
    _Event(
        OpportunityType.EVENT, "gala-heats", TRUST, "Gala: heats", "The morning alone.", _SWIMMING,
        Price("Morning", "5.00"), CENTRE, in_days=19, start=time(9), spaces=120, parent=_GALA,
    ),
    _Event(
        OpportunityType.EVENT, "gala-finals", TRUST, "Gala: finals", "The afternoon alone.", _SWIMMING,
        Price("Afternoon", "6.00"), CENTRE, in_days=19, start=time(14), end=time(17), spaces=120, parent=_GALA,
    ),
    _Event(
        *_COURSE, TRUST, "Badminton for beginners", "Three evenings; the coach looks at each request first.",
        _BADMINTON, Price("Course", "42.00"), CENTRE, in_days=8, start=time(19), end=time(20, 30), days=14, spaces=12,
        flow=(FlowRequirement.APPROVAL, FlowRequirement.NEGOTIATION, FlowRequirement.MESSAGE_EXCHANGE), more=_WEEKLY,
    ),
    _Event(
        OpportunityType.EVENT, "badminton-taster", TRUST, "Badminton for beginners: first evening", "Try it first.",
        _BADMINTON, Price("Taster", "9.00"), CENTRE, in_days=8, start=time(19), end=time(20, 30), spaces=4,
        parent=_COURSE,
    ),
    _Event(
        OpportunityType.ON_DEMAND_EVENT, "yoga-at-home", STUDIO, "Yoga at home", "Twelve films to follow at your pace.",
        _HATHA_YOGA, Price("All films", "20.00", cancel_before=None), access=AccessRules(channel=_CHANNEL),
    ),
)  # fmt: skip


def events(today: date, zone: tzinfo) -> list[Opportunity]:
    """Return all events of the demo, each parent before its children."""
    return [_opportunity(event, today, zone) for event in _EVENTS]


def _opportunity(event: _Event, today: date, zone: tzinfo) -> Opportunity:
    """Return the Opportunity of an event."""
    path = opportunity_path(event.type, event.key)
    first = today + timedelta(days=event.in_days)
    dated = not event.type.at_any_time
    return Opportunity(
        path=path,
        type=event.type,
        seller=event.seller.key,
        parent=opportunity_path(*event.parent) if event.parent else None,
        start=instant(first, event.start, zone) if dated else None,
        end=instant(first + timedelta(days=event.days), event.end, zone) if dated else None,
        capacity=event.spaces,
        offers=(replace(event.price.offer(path), flow=tuple(event.flow)),),
        source=SOURCE,
        access=event.access,
        properties=_properties(event),
    )


def _properties(event: _Event) -> dict[str, Any]:
    """Return the published properties of an event."""
    location = {"location": event.location} if event.location else {}
    return {
        "name": event.name,
        "description": event.about,
        "url": f"{SITES[event.seller.key]}/events/{event.key}",
        "activity": [event.activity.json_ld()],
        **location,
        **(event.more or {}),
    }
