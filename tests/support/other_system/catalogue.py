"""The Opportunities and Sellers of the other Booking System."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from support.other_system.differences import Differences
from support.other_system.spelling import OPENACTIVE, SCHEMA, Reference, without_none

# The ids need not resolve (OB-ID-02), and are not below the Base URI of the API.
IDS = "https://ids.overture.example"
ACTIVITY = "https://openactive.io/activity-list"
FACILITY = "https://openactive.io/facility-types"

_CAPACITY = ("maximumAttendeeCapacity", "remainingAttendeeCapacity")
_ADDRESS = {
    "@type": "PostalAddress",
    "streetAddress": "3 Rue Lané",
    "addressLocality": "Calais",
    "addressRegion": "Hauts-de-France",
    "postalCode": "62100",
    "addressCountry": "FR",
}
_PLACE = {
    "@type": "Place",
    "name": "Café Lané ☕",
    "address": _ADDRESS,
    "geo": {"@type": "GeoCoordinates", "latitude": 50.9513, "longitude": 1.8587},
}
# A schedule that names no dates. Sessions are not generated from it.
_SCHEDULE = {
    "@type": "PartialSchedule",
    "startTime": "18:00",
    "endTime": "19:00",
    "repeatFrequency": "P1W",
    "scheduleTimezone": "Europe/Paris",
}
_TERMS = {
    "@type": "Terms",
    "name": "House rules",
    "url": "https://overture.example/rules",
    "requiresExplicitConsent": False,
}

# A Seller that is a person, and one that is an organisation. Neither has an `identifier`.
COACH, CLUB = f"{IDS}/people/zoe", f"{IDS}/organisations/club"
SELLERS: dict[str, dict[str, Any]] = {
    COACH: {
        "@type": "Person",
        "@id": COACH,
        "name": "Zoë Lané",
        "legalName": "Zoë Lané",
        "taxMode": f"{OPENACTIVE}TaxGross",
        "address": _ADDRESS,
    },
    CLUB: {
        "@type": "Organization",
        "@id": CLUB,
        "name": "Café Club",
        "legalName": "Café Club Ltd",
        "taxMode": f"{OPENACTIVE}TaxGross",
        "email": "club@overture.example",
        "vatID": "GB 123 4567 89",
        "address": _ADDRESS,
        "termsOfService": [_TERMS],
    },
}

LEVEL, SHOES, SWIMS = (f"{IDS}/questions/{name}" for name in ("level", "shoes", "swims"))
QUESTIONS: tuple[dict[str, Any], ...] = (
    {"@type": "ShortAnswerFormFieldSpecification", "@id": LEVEL, "name": "Your grade", "valueRequired": True},
    {"@type": "DropdownFormFieldSpecification", "@id": SHOES, "name": "Shoes", "valueOption": ["38", "39", "40½"]},
    {"@type": "BooleanFormFieldSpecification", "@id": SWIMS, "name": "I can swim"},
)
ATTENDEE_DETAILS = (f"{SCHEMA}givenName", f"{SCHEMA}familyName")

APPROVAL = f"{OPENACTIVE}OpenBookingApproval"
DETAILS = (f"{OPENACTIVE}OpenBookingAttendeeDetails", f"{OPENACTIVE}OpenBookingIntakeForm")
WAIVER = "https://overture.example/ns#PaperWaiver"


class Opportunity(NamedTuple):
    """A session or a Slot, with one Offer.

    Attributes:
        parent_type: The class of the parent, which is a series or a facility.
        embeds_parent: Whether the open feed has the parent within the Opportunity, and not in a feed of its own.
        requirements: The `openBookingFlowRequirement` of the Offer.
        prepayment: `Required`, `Optional` or `Unavailable`; empty if the Offer does not say (OB-PREP-08).
        taken: How many spaces are booked.
    """

    key: str
    parent_type: str
    embeds_parent: bool
    name: str
    seller: str
    start: datetime
    price: Decimal
    requirements: tuple[str, ...] = ()
    prepayment: str = ""
    capacity: int = 4
    taken: int = 0

    @property
    def is_slot(self) -> bool:
        return self.parent_type != "SessionSeries"

    @property
    def type(self) -> str:
        return "Slot" if self.is_slot else "ScheduledSession"

    @property
    def id(self) -> str:
        return f"{IDS}/{'bookable-slots' if self.is_slot else 'lessons'}/{self.key}"

    @property
    def parent_id(self) -> str:
        return f"{IDS}/{'facilities' if self.is_slot else 'series'}/{self.key}"

    @property
    def offer_id(self) -> str:
        return f"{IDS}/rates/{self.key}"

    @property
    def spaces(self) -> int:
        return self.capacity - self.taken


def opportunities(now: datetime) -> Iterator[Opportunity]:
    """Yield the Opportunities at the opening of the system."""
    start = now.astimezone(UTC).replace(hour=18, minute=0, second=0, microsecond=0) + timedelta(days=3)
    series, cheap = "SessionSeries", Decimal("6.50")
    yield Opportunity("yoga", series, True, "Yoga", CLUB, start, cheap)
    yield Opportunity("climbing", series, True, "Climbing", CLUB, start, Decimal(15), DETAILS)
    yield Opportunity("walk", series, True, "Walk (für jeden)", CLUB, start, Decimal(0))
    yield Opportunity("sauna", series, True, "Sauna", CLUB, start, Decimal("3.50"), prepayment="Unavailable")
    yield Opportunity("trampoline", series, True, "Trampoline", CLUB, start, cheap, (WAIVER,))
    yield Opportunity("pilates", series, False, "Pilates", COACH, start, Decimal(8))
    yield Opportunity("coaching", series, False, "Coaching", COACH, start, Decimal(40), (APPROVAL,))
    yield Opportunity("badminton", "FacilityUse", True, "Badminton", CLUB, start, Decimal("12.00"))
    court = "IndividualFacilityUse"
    yield Opportunity("tennis", court, False, "Court 1", CLUB, start, Decimal("9.25"), capacity=1)


def offer(found: Opportunity, differences: Differences, *, published: bool = False) -> dict[str, Any]:
    """Return the Offer; only the open feed says what it requires of the booking flow (OB-VAL-39)."""
    return without_none(
        **{"@type": "Offer", "@id": found.offer_id},
        name="Prix unique",
        price=found.price,
        priceCurrency="GBP" if found.price else None,
        **prepayment_property(found.prepayment, differences),
        allowCustomerCancellationFullRefund=found.price > 0,
        latestCancellationBeforeStartDate="P1D" if found.price else None,
        openBookingFlowRequirement=list(found.requirements) if published else None,
    )


def prepayment_property(value: str, differences: Differences) -> dict[str, str]:
    """Return the property of an Offer or of a total that says whether a payment is needed (OB 7.6)."""
    return {differences.prepayment: f"{OPENACTIVE}{value}"} if value and differences.prepayment else {}


def parent(found: Opportunity, differences: Differences, *, published: bool = False) -> dict[str, Any]:
    """Return the series or the facility.

    Only the open feed names the Seller here (P-21), and shows Offers: those of sessions are the Offers of their series.
    """
    about: dict[str, Any] = {
        "location": _PLACE,
        "url": f"https://overture.example/{found.key}",
        "description": f"{found.name} für jeden",
    }
    if found.is_slot:
        court = {"@type": "Concept", "prefLabel": "Badminton Court", "inScheme": FACILITY}
        about["facilityType"] = [court | {"@id": f"{FACILITY}#9db5681e-700e-4b30-99a5-355885d94db2"}]
    else:
        kind = {"@type": "Concept", "prefLabel": "Badminton", "inScheme": ACTIVITY}
        about["activity"] = [kind | {"@id": f"{ACTIVITY}#c0360db0-a817-4bae-9167-40f89b49fc9e"}]
    if published:
        seller = {name: SELLERS[found.seller][name] for name in ("@type", "@id", "name", "taxMode")}
        about["provider" if found.is_slot else "organizer"] = seller | {"isOpenBookingAllowed": True}
        if not found.is_slot:
            about |= {"offers": [offer(found, differences, published=True)], "eventSchedule": [_SCHEDULE]}
    document = {"@type": found.parent_type, "@id": found.parent_id, "name": found.name, **about}
    if found.parent_type == "IndividualFacilityUse":
        document["aggregateFacilityUse"] = {
            "@type": "FacilityUse",
            "@id": f"{IDS}/facilities",
            "name": "Courts",
            **about,
        }
    return document


def opportunity(
    found: Opportunity, differences: Differences, *, published: bool = False, spaces: bool = True
) -> dict[str, Any]:
    """Return the Opportunity with its parent. Only the open feed may refer to the parent (OB-MT-17)."""
    link: Any = Reference(found.parent_type, found.parent_id)
    if found.embeds_parent or not published:
        link = parent(found, differences, published=published)
    counted = ("maximumUses", "remainingUses") if found.is_slot else _CAPACITY
    return {
        "@type": found.type,
        "@id": found.id,
        "startDate": found.start,
        "endDate": found.start + timedelta(hours=1),
        "duration": "PT1H",
        **({} if found.is_slot else {"eventStatus": f"{SCHEMA}EventScheduled"}),
        **(dict(zip(counted, (found.capacity, found.spaces), strict=True)) if spaces else {}),
        **({"offers": [offer(found, differences, published=True)]} if published and found.is_slot else {}),
        "facilityUse" if found.is_slot else "superEvent": link,
    }
