"""The forms of the entries of a timetable, as data."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from openbooking.booking.model.timetable import (
    Closure,
    Course,
    Court,
    Event,
    Facility,
    Nation,
    OnDemandItem,
    OpeningHours,
    Price,
    PriceAudience,
    PriceBand,
    TimetableRule,
    Venue,
    WeeklyClass,
    WeeklyTime,
)
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import Availability
from openbooking.timetable.concepts import Vocabulary
from openbooking.timetable.offers import offer_key
from openbooking.web.console.timetable.kinds import (
    AMOUNT,
    CONCEPTS,
    DATE,
    DATES,
    DAYS,
    DEGREES,
    HIDDEN,
    HOURS,
    LONG_TEXT,
    MOMENT,
    NUMBER,
    NUMBERS,
    TEXTS,
    TIME,
    choice,
)
from openbooking.web.console.timetable.parts import Field, Group, Part


class RuleKind(StrEnum):
    """The kinds of entries, as the addresses of pages name them."""

    VENUE = "venue"
    CLASS = "class"
    FACILITY = "facility"
    EVENT = "event"
    COURSE = "course"
    ON_DEMAND = "on-demand"
    CLOSURE = "closure"


class RuleForm(NamedTuple):
    """The form of a kind of entries.

    Attributes:
        noun: The kind in words, such as `weekly class`.
        part: The fields.
    """

    noun: str
    part: Part


NATIONS: Mapping[str, str] = {
    "": "No: at one time",
    Nation.ENGLAND: "Bank holidays in England",
    Nation.WALES: "Bank holidays in Wales",
    Nation.SCOTLAND: "Bank holidays in Scotland",
    Nation.NORTHERN_IRELAND: "Bank holidays in Northern Ireland",
}
_AUDIENCES: Mapping[str, str] = {
    PriceAudience.EVERYONE: "Everybody",
    PriceAudience.PROVEN: "People who prove it, at the front desk and with chosen partners",
}
_PREPAYMENTS: Mapping[str, str] = {
    Availability.REQUIRED: "Required",
    Availability.OPTIONAL: "Possible",
    Availability.UNAVAILABLE: "Not possible: people pay at the venue",
    "": "Not stated",
}
_VAT: Mapping[str, str] = {each: each.label for each in VatTreatment}

_PRICE = Part(
    Price,
    (
        Field("name", "Name of the price", hint="Such as Adult."),
        Field("amount", "Pounds", AMOUNT, required=True),
        Field("audience", "For", choice(PriceAudience), fresh=PriceAudience.EVERYONE, choices=_AUDIENCES, folded=True),
        Field("vat", "VAT", choice(VatTreatment), fresh=VatTreatment.STANDARD, choices=_VAT, folded=True),
        Field(
            "prepayment",
            "Payment in advance",
            choice(Availability),
            blank=None,
            fresh=Availability.REQUIRED,
            choices=_PREPAYMENTS,
            folded=True,
        ),
        Field("opens_before", "Booking opens, hours before the start", HOURS, optional=True, blank=None, folded=True),
        Field("closes_before", "Booking closes, hours before the start", HOURS, optional=True, blank=None, folded=True),
        Field(
            "cancel_before",
            "Full refund until, hours before the start",
            HOURS,
            "Empty: no refund.",
            optional=True,
            blank=None,
            folded=True,
        ),
    ),
)
PRICES = Group("prices", "Prices", "Price", _PRICE, "Type 0 if it is free.", spare=2)
_TIMES = Group(
    "times",
    "Times",
    "Time",
    Part(
        WeeklyTime,
        (
            Field("days", "Days", DAYS),
            Field("start", "Start", TIME, required=True),
            Field("minutes", "Minutes", NUMBER, required=True),
        ),
    ),
    spare=2,
)
_HOURS_PART = Part(
    OpeningHours,
    (
        Field("days", "Days", DAYS),
        Field("opens", "Opens", TIME, required=True),
        Field("closes", "Closes", TIME, required=True),
    ),
)
_BANDS = Group(
    "prices",
    "Prices by time",
    "Prices for a time",
    Part(
        PriceBand,
        (
            Field("days", "Only on these days", DAYS, "None ticked: on all days.", optional=True),
            Field("begins", "From", TIME, "Empty: all day.", optional=True, blank=None),
            Field("ends", "Until", TIME, "Empty: all day.", optional=True, blank=None),
            Field(
                "minutes",
                "Only for this length, in minutes",
                NUMBER,
                "Empty: all lengths.",
                optional=True,
                blank=None,
            ),
        ),
        (PRICES,),
    ),
    "The first that fits a time counts.",
)


def _court(*, key: str, name: str, hours: tuple[OpeningHours, ...]) -> Court:
    """Return a court. A new one gets a key that is made of its name."""
    return Court(key=key or offer_key(name) or "court", name=name, hours=hours)


_COURTS = Group(
    "courts",
    "Courts",
    "Court",
    Part(
        _court,
        (
            Field("key", "Key", HIDDEN),
            Field("name", "Name of the court", hint="Such as Squash court 1. Lists show it alone."),
        ),
        (Group("hours", "Its own opening hours", "Hours", _HOURS_PART, folded=True),),
    ),
    "Leave them out if the facility is sold as a whole.",
    spare=4,
)
_FIRST = Field("first", "First date", DATE, required=True)
_LAST = Field("last", "Last date", DATE, "Empty: no end.", optional=True, blank=None)
_CAPACITY = Field("capacity", "Spaces", NUMBER, "How many people can book.", required=True)
_WITHOUT = Field(
    "without",
    "Dates on which it does not take place",
    DATES,
    "One on each line.",
    optional=True,
    blank=(),
    folded=True,
)
_VENUE = Field("venue", "Venue", choice(), choices={"": "Choose"})
_STEP = Field("step", "Minutes from one start to the next", NUMBER, "Empty: the length.", optional=True, blank=None)
_FACILITY_TYPES = Vocabulary.FACILITY_TYPES
_PAGE_HINT = "An address of your site that begins with https://. Empty: the web page in your details."


def _described(*, has_venue: bool = True, vocabulary: Vocabulary = Vocabulary.ACTIVITIES) -> tuple[Field, ...]:
    """Return the fields that people read."""
    what = "Types of facility" if vocabulary is _FACILITY_TYPES else "Activities"
    return (
        Field("name", "Name", hint="The name that customers see."),
        Field("description", "Description", LONG_TEXT, "A text for customers.", optional=True),
        Field("url", "Web page", hint=_PAGE_HINT, optional=True),
        Field("image", "Picture (web address)", hint="It begins with https://. Apps show it.", optional=True),
        *((_VENUE,) if has_venue else ()),
        Field("concepts", what, CONCEPTS, "Apps search by OpenActive's list.", vocabulary=vocabulary),
        Field("leader", "Leader", optional=True, folded=True),
        Field("levels", "Levels", TEXTS, "Such as Beginner, Intermediate.", optional=True, blank=(), folded=True),
        Field("minimum_age", "Least age", NUMBER, optional=True, blank=None, folded=True),
        Field("maximum_age", "Greatest age", NUMBER, optional=True, blank=None, folded=True),
    )


FORMS: Mapping[RuleKind, RuleForm] = {
    RuleKind.VENUE: RuleForm(
        "venue",
        Part(
            Venue,
            (
                Field("name", "Name"),
                Field("street", "Street and number"),
                Field("town", "Town"),
                Field("region", "County"),
                Field("postcode", "Postcode"),
                Field("country", "Country", hint="Two letters, such as GB.", fresh="GB"),
                Field(
                    "latitude",
                    "Latitude",
                    DEGREES,
                    "Such as 51.752. Apps show it on a map.",
                    optional=True,
                    blank=None,
                ),
                Field("longitude", "Longitude", DEGREES, "Such as -1.258.", optional=True, blank=None),
            ),
        ),
    ),
    RuleKind.CLASS: RuleForm(
        "weekly class",
        Part(WeeklyClass, (*_described(), _CAPACITY, _FIRST, _LAST, _WITHOUT), (_TIMES, PRICES)),
    ),
    RuleKind.FACILITY: RuleForm(
        "facility",
        Part(
            Facility,
            (
                *_described(vocabulary=_FACILITY_TYPES),
                Field("lengths", "Lengths in minutes", NUMBERS, "Such as 60, or 60, 90.", required=True),
                _STEP,
                Field("uses", "Uses at a time, if it has no courts", NUMBER, optional=True, blank=1, fresh="1"),
                _FIRST,
                _LAST,
            ),
            (Group("hours", "Opening hours", "Hours", _HOURS_PART, spare=2), _COURTS, _BANDS),
        ),
    ),
    RuleKind.EVENT: RuleForm(
        "event",
        Part(
            Event,
            (
                *_described(),
                Field("start", "Start", MOMENT, required=True),
                Field("minutes", "Minutes", NUMBER, required=True),
                _CAPACITY,
            ),
            (PRICES,),
        ),
    ),
    RuleKind.COURSE: RuleForm(
        "course",
        Part(
            Course,
            (
                *_described(),
                _FIRST,
                Field("dates", "Number of dates", NUMBER, required=True),
                _WITHOUT,
                _CAPACITY,
            ),
            (_TIMES, PRICES),
        ),
    ),
    RuleKind.ON_DEMAND: RuleForm(
        "on-demand item",
        Part(OnDemandItem, _described(has_venue=False), (PRICES,)),
    ),
    RuleKind.CLOSURE: RuleForm(
        "closure",
        Part(
            Closure,
            (
                Field("name", "Reason", hint="Such as Floor repair."),
                Field("bank_holidays", "On bank holidays", choice(Nation), blank=None, choices=NATIONS),
                Field("start", "Closed from", MOMENT, "Empty for bank holidays.", blank=None),
                Field("end", "Closed until", MOMENT, "Empty for bank holidays.", blank=None),
                Field("venue", "Venue", choice(), choices={"": "All venues"}),
                Field("entry", "Class or facility", choice(), choices={"": "All"}),
                Field("court", "Court of the facility", choice(), choices={"": "All courts"}),
            ),
        ),
    ),
}
# A closure of one facility or court, which all staff can make.
COURT_CLOSURE = RuleForm(
    "closure",
    Part(
        Closure,
        (
            Field("name", "Reason", hint="Such as Floor repair.", fresh="Closed"),
            Field("entry", "Class or facility", choice(), required=True, choices={"": "Choose"}),
            Field("court", "Court", choice(), choices={"": "All courts"}),
            Field("start", "Closed from", MOMENT, required=True),
            Field("end", "Closed until", MOMENT, required=True),
        ),
    ),
)


def kind_of(rule: TimetableRule) -> RuleKind:
    """Return the kind of a rule."""
    return RuleKind(str(rule.__struct_config__.tag))
