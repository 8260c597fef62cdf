"""The demo data of the weekly timetable: four weeks of classes, courts and halls (`timetable`)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple

from openbooking.booking.model.opportunity import Offer, Opportunity, Properties, Seller
from openbooking.openactive.ids import opportunity_path
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import OPENACTIVE, SCHEMA, Availability
from openbooking.sandbox.sellers import CENTRE, PARK, SITES, STUDIO, STUDIO_ROOM, TRUST

SOURCE = "demo"
TIME_ZONE = "Europe/London"
DAYS = 28

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONDAY, _TUESDAY, _WEDNESDAY, _THURSDAY, _FRIDAY, _SATURDAY, _SUNDAY = range(7)
_WORKING_DAYS = (_MONDAY, _TUESDAY, _WEDNESDAY, _THURSDAY, _FRIDAY)
_WEEKEND = (_SATURDAY, _SUNDAY)


class Concept(NamedTuple):
    """An entry of the OpenActive activity list, or of the OpenActive list of facility types."""

    scheme: str
    id: str
    label: str

    def json_ld(self) -> dict[str, str]:
        """Return the JSON-LD of the concept."""
        scheme = OPENACTIVE + self.scheme
        return {"@type": "Concept", "@id": f"{scheme}#{self.id}", "prefLabel": self.label, "inScheme": scheme}


def activity(id_: str, label: str) -> Concept:
    """Return the entry of the activity list with this id."""
    return Concept("activity-list", id_, label)


def _facility(id_: str, label: str) -> Concept:
    """Return the entry of the list of facility types with this id."""
    return Concept("facility-types", id_, label)


_SWIMMING = activity("2750229d-b725-4171-9276-376be913957c", "Swimming")
_SWIMMING_LESSONS = activity("dfaf6bb4-d2fe-4db5-a271-4ceeaaaf55b9", "Swimming Lessons")
_AQUA_FIT = activity("9a4ecdc3-5f70-48e8-9718-8542db315230", "Aqua Fit")
_INDOOR_CYCLING = activity("5f09c2ca-ceeb-4e0c-871f-e2d0b9971317", "Indoor Cycling")
_BADMINTON = activity("c0360db0-a817-4bae-9167-40f89b49fc9e", "Badminton")
_WALKING_FOOTBALL = activity("b8019b67-2ade-406f-a012-91a5c3869652", "Walking Football")
_WALKING = activity("95092977-5a20-4d6e-b312-8fddabe71544", "Walking")
_HATHA_YOGA = activity("90611f8f-fea2-402e-827f-41b487a5f3a0", "Hatha Yoga")
_VINYASA_YOGA = activity("df58ee70-fa79-423f-b146-4d719b3e7aac", "Vinyasa Yoga")
_REFORMER_PILATES = activity("2a6fbcf8-e180-4213-844d-2ea17ce519e9", "Reformer Pilates")
_SQUASH_COURT = _facility("a1f82b7a-1258-4d9a-8dc5-bfc2ae961651", "Squash Court")
_BADMINTON_COURT = _facility("9db5681e-700e-4b30-99a5-355885d94db2", "Badminton Court")
_SPORTS_HALL = _facility("da364f9b-8bb2-490e-9e2f-1068790b9e35", "Sports Hall")


class Price(NamedTuple):
    """The name, price and conditions of an Offer.

    Attributes:
        name: The name of the Offer.
        pounds: The price in pounds.
        vat: The VAT treatment.
        prepayment: Whether the price must be paid in advance.
        opens_before: How long before the start the bookings open; None if they are open.
        cancel_before: How long before the start a full refund ends; None for no refund.
    """

    name: str
    pounds: str
    vat: VatTreatment = VatTreatment.STANDARD
    prepayment: Availability | None = Availability.REQUIRED
    opens_before: timedelta | None = None
    cancel_before: timedelta | None = timedelta(days=1)

    def offer(self, owner: str) -> Offer:
        """Return the Offer of the Opportunity at the path `owner`."""
        price = Decimal(self.pounds)
        return Offer(
            key=self.name.lower().replace(" ", "-"),
            owner=owner,
            name=self.name,
            price=price,
            currency="GBP" if price else None,
            vat=self.vat,
            in_advance=Availability.OPTIONAL,
            prepayment=self.prepayment if price else None,
            valid_from_before_start=self.opens_before,
            latest_cancellation_before_start=self.cancel_before,
            full_refund_on_cancellation=self.cancel_before is not None,
        )


class _Class(NamedTuple):
    """A class of the weekly timetable. `spaces` can be booked here; the rest of `size` was sold at the desk."""

    key: str
    seller: Seller
    name: str
    about: str
    activity: Concept
    location: Properties
    days: Sequence[int]
    start: time
    minutes: int
    spaces: int
    prices: Sequence[Price]
    size: int | None = None
    minimum_age: int | None = None


_EXEMPT = VatTreatment.EXEMPT
_WINDOW = timedelta(days=8)
_SHORT_NOTICE = timedelta(hours=2)
_FREE = (Price("Free", "0", vat=_EXEMPT, cancel_before=timedelta(hours=1)),)

_CLASSES = (
    _Class(
        "early-lanes", TRUST, "Early lane swimming", "Lanes for slow, medium and fast swimmers.", _SWIMMING, CENTRE,
        _WORKING_DAYS, time(6, 45), 60, 40,
        (Price("Adult", "5.40", cancel_before=_SHORT_NOTICE), Price("Junior", "3.20", cancel_before=_SHORT_NOTICE)),
    ),
    _Class(
        "adult-lessons", TRUST, "Swimming lessons for adults", "A teacher in the water, eight learners at most.",
        _SWIMMING_LESSONS, CENTRE, (_TUESDAY,), time(19), 45, 8, (Price("Lesson", "9.80", vat=_EXEMPT),),
        minimum_age=16,
    ),
    _Class(
        "aqua-fit", TRUST, "Aqua fit", "Exercise to music in the shallow end.", _AQUA_FIT, CENTRE,
        (_WEDNESDAY, _FRIDAY), time(10), 45, 25, (Price("Adult", "6.60"), Price("Over 60", "4.90")),
    ),
    _Class(
        "spin", TRUST, "Spin", "Forty-five minutes of indoor cycling; bookings open eight days before.",
        _INDOOR_CYCLING, CENTRE, (_MONDAY, _WEDNESDAY, _FRIDAY), time(18, 15), 45, 18,
        (Price("Standard", "7.80", opens_before=_WINDOW, cancel_before=timedelta(hours=4)),),
    ),
    _Class(
        "over-60s-badminton", TRUST, "Badminton for over-60s", "Doubles in good company; rackets to borrow.",
        _BADMINTON, CENTRE, (_THURSDAY,), time(10), 90, 16,
        (Price("Over 60", "3.50", prepayment=Availability.OPTIONAL),), minimum_age=60,
    ),
    _Class(
        "walking-football", TRUST, "Walking football", "Nearly full: most spaces were sold at the desk.",
        _WALKING_FOOTBALL, CENTRE, (_TUESDAY, _THURSDAY), time(20), 60, 2, (Price("Player", "4.00"),), size=16,
    ),
    _Class(
        "baby-swim", TRUST, "Baby swim", "Full: all spaces were sold at the desk.", _SWIMMING_LESSONS, CENTRE,
        (_MONDAY,), time(11), 30, 0, (Price("Baby and adult", "8.20", vat=_EXEMPT),), size=10,
    ),
    _Class(
        "community-walk", TRUST, "Saturday community 5k walk", "Timed, friendly and free; walk it at your own speed.",
        _WALKING, PARK, (_SATURDAY,), time(9), 75, 200, _FREE,
    ),
    _Class(
        "health-walk", TRUST, "Health walk", "A gentle mile with a trained leader, and tea afterwards.", _WALKING,
        PARK, (_TUESDAY,), time(10, 30), 60, 20, _FREE,
    ),
    _Class(
        "hatha", STUDIO, "Hatha yoga", "Slow and steady; mats provided.", _HATHA_YOGA, STUDIO_ROOM,
        (_MONDAY, _THURSDAY), time(18, 30), 75, 14, (Price("Drop in", "11.00"), Price("Concession", "8.25")),
    ),
    _Class(
        "vinyasa", STUDIO, "Vinyasa yoga", "Flowing, for those who know the postures.", _VINYASA_YOGA, STUDIO_ROOM,
        (_WEDNESDAY, _SUNDAY), time(9, 30), 60, 14, (Price("Drop in", "11.00"),),
    ),
    _Class(
        "reformer", STUDIO, "Reformer Pilates", "Six machines; bookings open eight days before, no refunds.",
        _REFORMER_PILATES, STUDIO_ROOM, (_TUESDAY, _SATURDAY), time(12), 50, 6,
        (Price("Machine", "18.50", opens_before=_WINDOW, cancel_before=None),),
    ),
)  # fmt: skip


class _Hours(NamedTuple):
    """The opening hours on some days of the week. The peak price applies from the time `peak` on."""

    days: Sequence[int]
    opens: time
    closes: time
    peak: time


_OPENING_HOURS = (
    _Hours(_WORKING_DAYS, time(7), time(22), time(17)),
    _Hours(_WEEKEND, time(9), time(18), time(9)),
)


class _Facility(NamedTuple):
    """A facility that is booked in Slots of `minutes`.

    A Slot of a court has one space. A Slot of a facility without courts has `uses` spaces.
    """

    key: str
    name: str
    about: str
    type: Concept
    minutes: int
    off_peak: Price
    peak: Price
    courts: Sequence[str] = ()
    uses: int = 1


_FACILITIES = (
    _Facility(
        "squash", "Squash courts", "Two glass-backed courts.", _SQUASH_COURT, 60,
        Price("Off-peak court", "7.50", cancel_before=timedelta(hours=12)),
        Price("Peak court", "10.50", opens_before=_WINDOW, cancel_before=timedelta(hours=24)),
        courts=("Squash court 1", "Squash court 2"),
    ),
    _Facility(
        "badminton", "Badminton courts", "Sprung floor, nets up.", _BADMINTON_COURT, 60,
        Price("Off-peak court", "8.00", cancel_before=timedelta(hours=12)),
        Price("Peak court", "12.00", cancel_before=timedelta(hours=24)),
        courts=("Badminton court 1", "Badminton court 2"),
    ),
    _Facility(
        "sports-hall", "Sports hall", "Four quarters of the hall, each booked on its own.", _SPORTS_HALL, 60,
        Price("Off-peak quarter", "14.00", vat=_EXEMPT), Price("Peak quarter", "19.00", vat=_EXEMPT), uses=4,
    ),
)  # fmt: skip


def timetable(today: date, zone: tzinfo) -> list[Opportunity]:
    """Return the classes and Slots of the four weeks from tomorrow on, each parent before its children.

    A class starts at the same local time of `zone` in each week, also after a change of summer time.
    """
    days = [today + timedelta(days=number) for number in range(1, DAYS + 1)]
    found: list[Opportunity] = []
    for class_ in _CLASSES:
        found.extend(_class_sessions(class_, days, zone))
    for facility in _FACILITIES:
        found.extend(_facility_slots(facility, days, zone))
    return found


def _class_sessions(class_: _Class, days: Sequence[date], zone: tzinfo) -> Iterator[Opportunity]:
    """Yield the series of a class, and its sessions on these days."""
    series = opportunity_path(OpportunityType.SESSION_SERIES, class_.key)
    finish = (datetime.combine(days[0], class_.start) + timedelta(minutes=class_.minutes)).time()
    properties: dict[str, Any] = {
        "name": class_.name,
        "description": class_.about,
        "url": f"{SITES[class_.seller.key]}/classes/{class_.key}",
        "location": class_.location,
        "activity": [class_.activity.json_ld()],
        "eventSchedule": [
            {
                "@type": "PartialSchedule",
                "repeatFrequency": "P1W",
                "startTime": f"{class_.start:%H:%M}",
                "endTime": f"{finish:%H:%M}",
                "byDay": [f"{SCHEMA}{_WEEKDAYS[day]}" for day in class_.days],
                "scheduleTimezone": TIME_ZONE,
            }
        ],
    }
    if class_.minimum_age:
        properties["ageRange"] = {"@type": "QuantitativeValue", "minValue": class_.minimum_age}
    yield Opportunity(
        path=series,
        type=OpportunityType.SESSION_SERIES,
        seller=class_.seller.key,
        offers=tuple(price.offer(series) for price in class_.prices),
        source=SOURCE,
        properties=properties,
    )
    for day in days:
        if day.weekday() in class_.days:
            start = instant(day, class_.start, zone)
            yield Opportunity(
                path=opportunity_path(OpportunityType.SCHEDULED_SESSION, f"{class_.key}-{day:%Y%m%d}"),
                type=OpportunityType.SCHEDULED_SESSION,
                seller=class_.seller.key,
                parent=series,
                start=start,
                end=start + timedelta(minutes=class_.minutes),
                capacity=class_.spaces,
                source=SOURCE,
                properties={"maximumAttendeeCapacity": class_.size} if class_.size else {},
            )


def _facility_slots(facility: _Facility, days: Sequence[date], zone: tzinfo) -> Iterator[Opportunity]:
    """Yield a facility, its courts, and the Slots on these days."""
    whole = opportunity_path(OpportunityType.FACILITY_USE, facility.key)
    yield Opportunity(
        path=whole,
        type=OpportunityType.FACILITY_USE,
        seller=TRUST.key,
        source=SOURCE,
        properties={
            "name": facility.name,
            "description": facility.about,
            "url": f"{SITES[TRUST.key]}/courts/{facility.key}",
            "location": CENTRE,
            "facilityType": [facility.type.json_ld()],
        },
    )
    bookable = []
    for number, court in enumerate(facility.courts, 1):
        key = f"{facility.key}-{number}"
        path = opportunity_path(OpportunityType.INDIVIDUAL_FACILITY_USE, key)
        bookable.append((key, path))
        yield Opportunity(
            path=path,
            type=OpportunityType.INDIVIDUAL_FACILITY_USE,
            seller=TRUST.key,
            parent=whole,
            source=SOURCE,
            properties={"name": court},
        )
    for key, path in bookable or [(facility.key, whole)]:
        for day in days:
            yield from _slots_of_day(facility, key, path, day, zone)


def _slots_of_day(facility: _Facility, key: str, parent: str, day: date, zone: tzinfo) -> Iterator[Opportunity]:
    """Yield the Slots of a facility or court in the opening hours of a day."""
    hours = next(hours for hours in _OPENING_HOURS if day.weekday() in hours.days)
    length = timedelta(minutes=facility.minutes)
    local = datetime.combine(day, hours.opens)
    while local + length <= datetime.combine(day, hours.closes):
        path = opportunity_path(OpportunityType.SLOT, f"{key}-{local:%Y%m%d-%H%M}")
        price = facility.peak if local.time() >= hours.peak else facility.off_peak
        start = instant(day, local.time(), zone)
        yield Opportunity(
            path=path,
            type=OpportunityType.SLOT,
            seller=TRUST.key,
            parent=parent,
            start=start,
            end=start + length,
            capacity=facility.uses,
            offers=(price.offer(path),),
            source=SOURCE,
        )
        local += length


def instant(day: date, wall_clock: time, zone: tzinfo) -> datetime:
    """Return a local time as an instant in UTC.

    Python subtracts two times of one time zone as wall-clock times, which is wrong across a change of summer time.
    """
    return datetime.combine(day, wall_clock, zone).astimezone(UTC)
