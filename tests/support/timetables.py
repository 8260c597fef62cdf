"""Entries of timetables for tests."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.timetable import (
    Closure,
    Concept,
    Course,
    Court,
    Event,
    Facility,
    OnDemandItem,
    OpeningHours,
    Price,
    PriceAudience,
    PriceBand,
    TimetableEntry,
    TimetableRule,
    Venue,
    WeeklyClass,
    WeeklyTime,
)
from openbooking.timetable.occurrences import opportunities
from openbooking.timetable.surroundings import Surroundings, surroundings_of
from openbooking.timetable.wall_clock import DateRange
from support.parties import CENTRE, MANAGER

LONDON = ZoneInfo("Europe/London")
EVERY_DAY = tuple(range(7))
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = EVERY_DAY

# The centre without a web page.
WITHOUT_SITE = replace(CENTRE, properties={})

YOGA = Concept(
    id="https://openactive.io/activity-list#bf1a5e00-cdcf-465d-8c5a-6f57040b7f7e",
    label="Yoga",
)
SQUASH_COURT = Concept(
    id="https://openactive.io/facility-types#a1f82b7a-1258-4d9a-8dc5-bfc2ae961651", label="Squash Court"
)
VENUE = Venue(
    name="Riverside Centre",
    street="1 River Road",
    town="Oxford",
    postcode="OX1 1AA",
    region="Oxfordshire",
    latitude=51.75,
    longitude=-1.25,
)
ADULT = Price(name="Adult", amount=Decimal("7.50"), cancel_before=timedelta(hours=4))
JUNIOR = Price(name="Junior", amount=Decimal("4.00"))
MEMBER = Price(name="Member", amount=Decimal("2.00"), audience=PriceAudience.PROVEN)

SPIN = WeeklyClass(
    name="Spin",
    description="Indoor cycling.",
    url="https://centre.example.org/spin",
    venue="riverside",
    concepts=(YOGA,),
    leader="Mo Farrow",
    levels=("Beginner",),
    minimum_age=16,
    times=(WeeklyTime((MONDAY, WEDNESDAY), time(18, 15), 45),),
    first=date(2026, 10, 1),
    capacity=18,
    prices=(ADULT, MEMBER),
)
SQUASH = Facility(
    name="Squash courts",
    description="Two courts.",
    url="https://centre.example.org/squash",
    venue="riverside",
    concepts=(SQUASH_COURT,),
    hours=(OpeningHours(EVERY_DAY, time(9), time(12)),),
    lengths=(60,),
    prices=(PriceBand((ADULT,)),),
    courts=(Court(key="1", name="Court 1"), Court(key="2", name="Court 2")),
    first=date(2026, 10, 1),
)
HALL = Facility(
    name="Sports hall",
    url="https://centre.example.org/hall",
    venue="riverside",
    concepts=(SQUASH_COURT,),
    hours=(OpeningHours(EVERY_DAY, time(9), time(12)),),
    lengths=(60, 90),
    step=30,
    prices=(PriceBand((ADULT,)),),
    uses=4,
    first=date(2026, 10, 1),
)

SITE: dict[str, Any] = {"url": "https://centre.example.org/", "venue": "riverside", "concepts": (YOGA,)}
OPEN_DAY = Event(
    **SITE,
    name="Open day",
    start=datetime.fromisoformat("2027-03-28T10:00"),
    minutes=60,
    capacity=5,
    prices=(ADULT,),
)
BEGINNERS = Course(
    **SITE,
    name="Beginners",
    times=(WeeklyTime((MONDAY,), time(19), 90),),
    first=date(2026, 10, 20),
    dates=4,
    capacity=12,
    prices=(ADULT,),
)
FILM = OnDemandItem(**{**SITE, "venue": ""}, name="Film", prices=(replace(ADULT, cancel_before=None),))


def entry(rule: TimetableRule, key: str = "spin", seller: str = "centre") -> TimetableEntry:
    """Return an entry of the timetable of the centre."""
    return TimetableEntry(seller=seller, key=key, rule=rule, changed_by=MANAGER)


def around(*rules: TimetableRule, policy: Policy | None = None, site: str = "") -> Surroundings:
    """Return the surroundings with the Venue `riverside` and these closures."""
    others = (entry(rule, f"closure-{number}") for number, rule in enumerate(rules))
    return surroundings_of([entry(VENUE, "riverside"), *others], policy or Policy(), site)


def closed(start: str, end: str, **where: Any) -> Closure:
    """Return a closure from one local time to another; `where` has the keys of its place."""
    return Closure(name="Closed", start=datetime.fromisoformat(start), end=datetime.fromisoformat(end), **where)


def days(first: date, count: int = 7) -> DateRange:
    """Return a range of days."""
    return DateRange(first, first + timedelta(days=count))


def occurrences_of(rule: TimetableRule, dates: DateRange, *closures: TimetableRule) -> list[Opportunity]:
    """Return the sessions and Slots of a rule on these dates."""
    found = opportunities(entry(rule), around(*closures), dates)
    return [item for item in found if item.type.is_dated]


def local_starts(items: list[Opportunity]) -> list[str]:
    """Return the starts of Opportunities on London's wall clock."""
    return [f"{item.start.astimezone(LONDON):%m-%d %H:%M}" for item in items if item.start]
