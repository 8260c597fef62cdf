"""The entries of a Seller's timetable, from which Opportunities are made (`openbooking.timetable`).

Times of day and dates are those of the wall clock in `Policy.time_zone`. An entry never changes an Opportunity by
itself: `commands.timetable` stores entries, and `commands.publish_occurrences` publishes the Opportunities.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

import msgspec

from openbooking.booking.model.actor import Actor
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import Availability

# The `published_until` of an entry that has published all its dates.
NO_END = date.max
# How long after its last date all occurrences of a rule have started. Opening hours can end on the next day.
_LATEST_START = timedelta(days=2)
# The start of the source of all Opportunities that a timetable makes.
SOURCE_PREFIX = "timetable:"


class Concept(msgspec.Struct, frozen=True):
    """An entry of an OpenActive vocabulary: of the activity list, or of the list of facility types.

    Attributes:
        id: The URI of the entry.
        label: The `prefLabel`.
    """

    id: str
    label: str


class PriceAudience(StrEnum):
    """The people for whom a price is.

    EVERYONE: anybody can book it. PROVEN: only people who prove something, such as a membership or an age. Such a price
    is sold at the front desk, and by a Booking Partner whose grant names the Offer.
    """

    EVERYONE = "everyone"
    PROVEN = "proven"


class Price(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A price of a class, a court, an event or a course. It becomes an Offer.

    Attributes:
        name: The name that Customers see. It is unique among the prices of one occurrence.
        amount: The price of one space, in pounds.
        audience: The people for whom the price is.
        vat: The VAT treatment.
        prepayment: Whether the price is paid in advance; None for a free Offer.
        opens_before: How long before the start booking opens; None if it is open.
        closes_before: How long before the start booking closes; None for no limit before the start.
        cancel_before: How long before the start a full refund ends; None if there is no refund.
    """

    name: str
    amount: Decimal
    audience: PriceAudience = PriceAudience.EVERYONE
    vat: VatTreatment = VatTreatment.STANDARD
    prepayment: Availability | None = Availability.REQUIRED
    opens_before: timedelta | None = None
    closes_before: timedelta | None = None
    cancel_before: timedelta | None = None


class WeeklyTime(msgspec.Struct, frozen=True, omit_defaults=True):
    """A time on some days of each week.

    Attributes:
        days: The days of the week; 0 is Monday.
        start: The time of day.
        minutes: The length.
    """

    days: tuple[int, ...]
    start: time
    minutes: int


class OpeningHours(msgspec.Struct, frozen=True, omit_defaults=True):
    """Opening hours on some days of each week. A closing time that is not after `opens` is on the next day.

    Attributes:
        days: The days of the week; 0 is Monday.
        opens: The time of day at which the first Slot may start.
        closes: The time of day at which the last Slot ends at the latest.
    """

    days: tuple[int, ...]
    opens: time
    closes: time


class PriceBand(msgspec.Struct, frozen=True, omit_defaults=True):
    """The prices of the Slots that start at some times. The first band that fits a Slot counts.

    Attributes:
        prices: The prices.
        days: The days of the week; all if empty.
        begins: The first time of day; None for the start of the day.
        ends: The time of day from which the band fits no more; None for the end of the day.
        minutes: The length of the Slots; None for all lengths.
    """

    prices: tuple[Price, ...]
    days: tuple[int, ...] = ()
    begins: time | None = None
    ends: time | None = None
    minutes: int | None = None


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """Another capacity, or other prices, of occurrences.

    Attributes:
        capacity: The capacity; None if it does not change.
        prices: The prices; None if they do not change.
    """

    capacity: int | None = None
    prices: tuple[Price, ...] | None = None


class ChangeFrom(msgspec.Struct, frozen=True):
    """Terms that apply to the occurrences from a date on, until the next such change."""

    date: date
    terms: Terms


class OccurrenceTerms(msgspec.Struct, frozen=True):
    """Terms that apply to one occurrence.

    Attributes:
        start: The start on the wall clock.
        terms: The terms.
        court: The key of the court, if the occurrence is a Slot of one.
    """

    start: datetime
    terms: Terms
    court: str = ""


class Venue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="venue"):
    """A place at which classes and facilities are.

    Attributes:
        name: The name.
        street: The street address.
        town: The town (`addressLocality`).
        postcode: The postcode.
        region: The county or region.
        country: The ISO 3166-1 code of the country.
        latitude: The latitude, in degrees; None if unknown.
        longitude: The longitude, in degrees; None if unknown.
    """

    name: str
    street: str = ""
    town: str = ""
    postcode: str = ""
    region: str = ""
    country: str = "GB"
    latitude: float | None = None
    longitude: float | None = None


class Described(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What people read about a class, a facility, an event, a course or an on-demand item.

    Attributes:
        name: The name.
        description: A text for Customers.
        url: The web page; empty for that of the Seller.
        image: The address of a picture; empty for none.
        venue: The key of the Venue; empty for none.
        concepts: The activities, or the types of the facility.
        leader: The name of the leader.
        levels: The levels, such as `Beginner`.
        minimum_age: The least age of an attendee, in years.
        maximum_age: The greatest age of an attendee, in years.
        properties: Further published properties, as JSON-LD.
    """

    name: str
    description: str = ""
    url: str = ""
    image: str = ""
    venue: str = ""
    concepts: tuple[Concept, ...] = ()
    leader: str = ""
    levels: tuple[str, ...] = ()
    minimum_age: int | None = None
    maximum_age: int | None = None
    properties: Mapping[str, Any] = {}


class WeeklyClass(Described, frozen=True, kw_only=True, omit_defaults=True, tag="class"):
    """A class that takes place each week: a SessionSeries with a ScheduledSession for each date.

    Attributes:
        times: When the class takes place.
        first: The first date on which it may take place.
        last: The last such date; None for no end.
        without: Dates on which it does not take place.
        capacity: How many spaces of each session are sold.
        prices: The prices.
        changes: Other terms from a date on, in the order of dates.
        single: Other terms of single sessions.
    """

    times: tuple[WeeklyTime, ...]
    first: date
    last: date | None = None
    without: tuple[date, ...] = ()
    capacity: int
    prices: tuple[Price, ...]
    changes: tuple[ChangeFrom, ...] = ()
    single: tuple[OccurrenceTerms, ...] = ()


class Court(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A court of a facility, which becomes an IndividualFacilityUse.

    Attributes:
        key: The key, which is unique in the facility.
        name: The name.
        hours: Its own opening hours; those of the facility if empty.
    """

    key: str
    name: str
    hours: tuple[OpeningHours, ...] = ()


class Facility(Described, frozen=True, kw_only=True, omit_defaults=True, tag="facility"):
    """A facility that is booked in Slots: courts, or a hall with several uses at a time.

    Attributes:
        hours: The opening hours.
        lengths: The lengths of the Slots, in minutes. Slots of several lengths overlap, and share the court.
        step: How many minutes after a Slot the next one of the same length starts; None for the length of the Slot.
        prices: The prices by time.
        courts: The courts; none if the facility is sold as a whole.
        uses: How many uses at a time the facility has if it has no courts.
        first: The first date with Slots.
        last: The last such date; None for no end.
        changes: Other terms from a date on, in the order of dates.
        single: Other terms of single Slots.
    """

    hours: tuple[OpeningHours, ...]
    lengths: tuple[int, ...]
    step: int | None = None
    prices: tuple[PriceBand, ...]
    courts: tuple[Court, ...] = ()
    uses: int = 1
    first: date
    last: date | None = None
    changes: tuple[ChangeFrom, ...] = ()
    single: tuple[OccurrenceTerms, ...] = ()


class Event(Described, frozen=True, kw_only=True, omit_defaults=True, tag="event"):
    """A single event.

    Attributes:
        start: The start on the wall clock.
        minutes: The length.
        capacity: How many spaces are sold.
        prices: The prices.
    """

    start: datetime
    minutes: int
    capacity: int
    prices: tuple[Price, ...]


class Course(Described, frozen=True, kw_only=True, omit_defaults=True, tag="course"):
    """A course of several dates that is booked as a whole (CourseInstance).

    Attributes:
        times: When the course takes place.
        first: The first date on which it may take place.
        dates: How many dates it has.
        without: Dates on which it does not take place; the course then ends later.
        capacity: How many spaces are sold.
        prices: The prices of the whole course.
    """

    times: tuple[WeeklyTime, ...]
    first: date
    dates: int
    without: tuple[date, ...] = ()
    capacity: int
    prices: tuple[Price, ...]


class OnDemandItem(Described, frozen=True, kw_only=True, omit_defaults=True, tag="on-demand"):
    """An item that is available at any time, such as a recorded class (OnDemandEvent)."""

    prices: tuple[Price, ...]


class Nation(StrEnum):
    """The nations of the United Kingdom, by the codes of ISO 3166-2."""

    ENGLAND = "GB-ENG"
    WALES = "GB-WLS"
    SCOTLAND = "GB-SCT"
    NORTHERN_IRELAND = "GB-NIR"


class Closure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="closure"):
    """A time at which nothing takes place: at a court, a facility, a venue, or anywhere.

    Attributes:
        name: The reason, such as `Floor repair`.
        start: The start on the wall clock; None for a closure on bank holidays.
        end: The end on the wall clock; None for a closure on bank holidays.
        bank_holidays: The nation on whose bank holidays it is closed; None for a closure of one time.
        venue: The key of the Venue; empty for any.
        entry: The key of the class or facility; empty for any.
        court: The key of the court of the facility; empty for all.
    """

    name: str
    start: datetime | None = None
    end: datetime | None = None
    bank_holidays: Nation | None = None
    venue: str = ""
    entry: str = ""
    court: str = ""


TimetableRule: TypeAlias = Venue | WeeklyClass | Facility | Event | Course | OnDemandItem | Closure


class EntryKey(NamedTuple):
    """The key of an entry: the key of the Seller, and a key that is unique in the timetable of the Seller."""

    seller: str
    key: str

    @property
    def source(self) -> str:
        """The source of the Opportunities of the entry (`Opportunity.source`)."""
        return f"{SOURCE_PREFIX}{self.seller}/{self.key}"


class TimetableEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule of a Seller's timetable, with the state of its publication.

    Attributes:
        seller: The key of the Seller.
        key: The key, of lower-case letters, digits and hyphens.
        rule: The rule.
        changed_by: Who changed the rule last.
        revision: How often the rule, or one that it depends on, has changed. A publication of an earlier revision does
            nothing.
        published_until: Its occurrences before this date follow the rule; None if no date has been published since the
            last change, and `NO_END` if no date is left to publish.
        stored_until: The date before which the occurrences of earlier revisions start. They follow each change of the
            rule, also if they are later than `Policy.publish_ahead` says now.
        ended: Whether the rule was removed. Its coming occurrences are still to be removed.
        former_courts: The keys of courts that a change removed. Their coming Slots are still to be removed.
        message: The message to Customers whose bookings the last change cancels.
        fault: Why the entry cannot be published; None if it can.
    """

    seller: str
    key: str
    rule: TimetableRule
    changed_by: Actor
    revision: int = 1
    published_until: date | None = None
    stored_until: date | None = None
    ended: bool = False
    former_courts: tuple[str, ...] = ()
    message: str | None = None
    fault: str | None = None

    @property
    def entry_key(self) -> EntryKey:
        """The key of the entry."""
        return EntryKey(self.seller, self.key)

    @property
    def source(self) -> str:
        """The source of its Opportunities (`Opportunity.source`)."""
        return self.entry_key.source

    @property
    def next_date(self) -> date | None:
        """The first date that is not published; `date.min` if it is due at once, and None if no date is left."""
        if self.published_until == NO_END or self.fault is not None:
            return None
        if self.published_until is None or (self.stored_until and self.published_until < self.stored_until):
            return date.min
        return self.published_until

    @property
    def ends_before(self) -> date | None:
        """The date before which the last occurrence of the rule starts; None if the rule has no end."""
        last = self.rule.last if isinstance(self.rule, WeeklyClass | Facility) else None
        return min(last, NO_END - _LATEST_START) + _LATEST_START if last else None

    @property
    def reached(self) -> date | None:
        """The date before which all occurrences start that are stored; None if nothing was published."""
        until = self.ends_before if self.published_until == NO_END else self.published_until
        return max((day for day in (until, self.stored_until) if day), default=None)
