"""The events of the demo: each type of Opportunity that the weekly timetable does not have, and one with approval."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from openbooking.booking.model.opportunity import AccessRules, Opportunity, Properties, Seller
from openbooking.booking.model.timetable import Price, Venue
from openbooking.openactive.ids import opportunity_path
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import FlowRequirement
from openbooking.sandbox.sellers import SITES, STUDIO, TRUST
from openbooking.sandbox.timetable import TIME_ZONE
from openbooking.timetable.concepts import Vocabulary
from openbooking.timetable.files.words import read_concept
from openbooking.timetable.offers import offers_of
from openbooking.timetable.properties import concept_json, place
from openbooking.timetable.wall_clock import instant

SOURCE = "demo"
_DAY = timedelta(days=1)


def _price(name: str, pounds: str, cancel_before: timedelta | None = _DAY) -> Price:
    """Return a price; by default it is refunded until a day before the start."""
    return Price(name=name, amount=Decimal(pounds), cancel_before=cancel_before)


class _Event(NamedTuple):
    """An event. It starts `in_days` days from today, and ends `days` days after the day of its start."""

    type: OpportunityType
    key: str
    seller: Seller
    name: str
    about: str
    activity: str
    price: Price
    venue: str | None = None
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
        *_GALA, TRUST, "Swimming gala", "Heats in the morning, finals in the afternoon; this ticket is for both.",
        "Swimming", _price("Day ticket", "8.00"), "centre", in_days=19, start=time(9), end=time(17), spaces=120,
    ),
    _Event(
        OpportunityType.EVENT, "gala-heats", TRUST, "Gala: heats", "The morning alone.", "Swimming",
        _price("Morning", "5.00"), "centre", in_days=19, start=time(9), spaces=120, parent=_GALA,
    ),
    _Event(
        OpportunityType.EVENT, "gala-finals", TRUST, "Gala: finals", "The afternoon alone.", "Swimming",
        _price("Afternoon", "6.00"), "centre", in_days=19, start=time(14), end=time(17), spaces=120, parent=_GALA,
    ),
    _Event(
        *_COURSE, TRUST, "Badminton for beginners", "Three evenings; the coach looks at each request first.",
        "Badminton", _price("Course", "42.00"), "centre", in_days=8, start=time(19), end=time(20, 30), days=14,
        spaces=12, more=_WEEKLY,
        flow=(FlowRequirement.APPROVAL, FlowRequirement.NEGOTIATION, FlowRequirement.MESSAGE_EXCHANGE),
    ),
    _Event(
        OpportunityType.EVENT, "badminton-taster", TRUST, "Badminton for beginners: first evening", "Try it first.",
        "Badminton", _price("Taster", "9.00"), "centre", in_days=8, start=time(19), end=time(20, 30), spaces=4,
        parent=_COURSE,
    ),
    _Event(
        OpportunityType.ON_DEMAND_EVENT, "yoga-at-home", STUDIO, "Yoga at home", "Twelve films to follow at your pace.",
        "Hatha Yoga",
        _price("All films", "20.00", cancel_before=None), access=AccessRules(channel=_CHANNEL),
    ),
)  # fmt: skip


def events(today: date, zone: ZoneInfo, venues: Mapping[str, Venue]) -> list[Opportunity]:
    """Return all events of the demo, each parent before its children.

    Args:
        today: The present date.
        zone: The time zone of the demo.
        venues: The Venues of the leisure centre, by key.
    """
    return [_opportunity(event, today, zone, venues) for event in _EVENTS]


def _opportunity(event: _Event, today: date, zone: ZoneInfo, venues: Mapping[str, Venue]) -> Opportunity:
    """Return the Opportunity of an event."""
    path = opportunity_path(event.type, event.key)
    first = today + timedelta(days=event.in_days)
    dated = not event.type.at_any_time
    return Opportunity(
        path=path,
        type=event.type,
        seller=event.seller.key,
        parent=opportunity_path(*event.parent) if event.parent else None,
        start=instant(datetime.combine(first, event.start), zone) if dated else None,
        end=instant(datetime.combine(first + timedelta(days=event.days), event.end), zone) if dated else None,
        capacity=event.spaces,
        offers=tuple(
            replace(offer, flow=tuple(event.flow)) for offer in offers_of([event.price], path, prepayment=True)
        ),
        source=SOURCE,
        access=event.access,
        properties=_properties(event, venues),
    )


def _properties(event: _Event, venues: Mapping[str, Venue]) -> dict[str, Any]:
    """Return the published properties of an event."""
    return {
        "name": event.name,
        "description": event.about,
        "url": f"{SITES[event.seller.key]}/events/{event.key}",
        "activity": [concept_json(read_concept(event.activity, Vocabulary.ACTIVITIES))],
        **({"location": place(venues[event.venue])} if event.venue else {}),
        **(event.more or {}),
    }
