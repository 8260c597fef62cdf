"""A search as conditions of SQL statements: on subjects, and on the dates of subjects."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple, TypedDict

from openbooking.broker.catalogue.bookable import Terms
from openbooking.broker.catalogue.rows import (
    ANY_TIME,
    UNLIMITED,
    concept_number,
    fold,
    hundredths,
    requirement_bits,
    seconds,
    storable,
)
from openbooking.broker.errors import SearchError
from openbooking.broker.store.database import Transaction
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.published.values import LOCAL_ZONE

_EARTH_KM = 6371.0088
_KM_A_DEGREE = _EARTH_KM * math.pi / 180
_LEAST_COSINE = 1e-6
MOST_LIMIT = 1_000
MOST_OFFSET = 2**31
MOST_TEXT = 1_000


class Near(NamedTuple):
    """A circle on the map.

    Attributes:
        latitude: The latitude of the centre in degrees.
        longitude: The longitude of the centre in degrees.
        km: The radius in kilometres.
    """

    latitude: float
    longitude: float
    km: float

    def distance(self, latitude: float, longitude: float) -> float:
        """Return the kilometres from the centre to a point."""
        north, here = math.radians(latitude - self.latitude), math.radians(self.latitude)
        east, there = math.radians(longitude - self.longitude), math.radians(latitude)
        chord = math.sin(north / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(east / 2) ** 2
        return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(chord)))


class Search(NamedTuple):
    """What a search looks for. Without a value, an attribute restricts nothing.

    Attributes:
        activity: The URI or the label of an activity or facility type. Narrower concepts count too.
        near: The circle in which the place is.
        day: The day of the start.
        starts_from: The earliest start. Without it and without a day, Opportunities start now or later.
        starts_before: The instant before which the start is.
        hours: The earliest and the latest time of the day of the start.
        spaces: The least number of spaces left.
        type: The type.
        seller: The `@id` of the Seller.
        text: A text that is part of the name. Capital and small letters, and accents, are the same.
        max_price: The highest price of an Offer.
        bookable: Whether the Broker can book the Opportunity now, by one of the Offers of the hit.
        requirements: The flow requirements that the Broker supports; see `bookable`.
        sort: Whether hits are sorted by start or by distance.
        limit: The most hits.
        offset: The number of hits to leave out, for further pages.
    """

    activity: str | None = None
    near: Near | None = None
    day: date | None = None
    starts_from: datetime | None = None
    starts_before: datetime | None = None
    hours: tuple[time, time] | None = None
    spaces: int | None = None
    type: OpportunityType | None = None
    seller: str | None = None
    text: str | None = None
    max_price: Decimal | None = None
    bookable: bool = False
    requirements: frozenset[str] = frozenset()
    sort: Literal["start", "distance"] = "start"
    limit: int = 20
    offset: int = 0

    def terms(self, now: datetime) -> Terms:
        """Return what the Broker asks for, if only bookable Opportunities are wanted."""
        return Terms(now, self.requirements, self.spaces or 1)


def check(search: Search) -> None:
    """Check that the terms of a search are values that can be looked for.

    Raises:
        SearchError: One of them is not; the message names it.
    """
    for message, is_wrong in _FAULTS.items():
        if is_wrong(search):
            raise SearchError(message)


class SearchTerms(TypedDict, total=False):
    """The terms of a `Search` as named arguments."""

    activity: str | None
    near: Near | None
    day: date | None
    starts_from: datetime | None
    starts_before: datetime | None
    hours: tuple[time, time] | None
    spaces: int | None
    type: OpportunityType | None
    seller: str | None
    text: str | None
    max_price: Decimal | None
    bookable: bool
    requirements: frozenset[str]
    sort: Literal["start", "distance"]
    limit: int
    offset: int


class Condition(NamedTuple):
    """A condition of SQL and its parameters."""

    text: str
    parameters: tuple[object, ...]


class Interval(NamedTuple):
    """The starts that a search accepts, in seconds since 1970: from the first, and before the second."""

    first: int
    before: int


def interval_of(search: Search, now: datetime) -> Interval:
    """Return the starts that a search accepts. Opportunities at any time start at `ANY_TIME`."""
    first, before = seconds(search.starts_from or now), ANY_TIME + 1
    if search.day is not None:
        midnight = datetime.combine(search.day, time(), LOCAL_ZONE)
        first = max(first, seconds(midnight)) if search.starts_from else seconds(midnight)
        if search.day < date.max:
            before = seconds(datetime.combine(search.day + timedelta(days=1), time(), LOCAL_ZONE))
        else:
            before = ANY_TIME
    if search.starts_before is not None:
        before = min(before, seconds(search.starts_before))
    return Interval(first, before)


def is_within_hours(search: Search, starts: int) -> bool:
    """Return whether a start is at a time of the day that a search accepts."""
    if search.hours is None:
        return True
    if starts == ANY_TIME:
        return False
    earliest, latest = search.hours
    return earliest <= datetime.fromtimestamp(starts, LOCAL_ZONE).time() <= latest


def on_subjects(transaction: Transaction, system: str, search: Search) -> Condition:
    """Return the condition on subjects, which are called `subject` in the statement."""
    parts = [Condition("subject.system = ?", (system,))]
    if search.type is not None:
        parts.append(Condition("subject.type = ?", (search.type.value,)))
    if search.seller is not None:
        parts.append(Condition("subject.seller = ?", (storable(search.seller),)))
    if search.text is not None:
        pattern = storable(fold(search.text)).replace("!", "!!").replace("%", "!%").replace("_", "!_")
        parts.append(Condition("subject.name LIKE ? ESCAPE '!'", (f"%{pattern}%",)))
    if search.near is not None:
        parts.append(_in_box(search.near))
    if search.activity is not None:
        concepts = _narrower(transaction, search.activity)
        marks = ", ".join("?" * len(concepts))
        within = f"SELECT subject FROM catalogue_activity WHERE concept IN ({marks})"  # noqa: S608 - marks only
        parts.append(Condition(f"subject.subject IN ({within})", tuple(concepts)))
    return _all(parts)


def on_things(search: Search, now: datetime) -> Condition:
    """Return the condition on things, which are called `thing` in the statement."""
    parts = [Condition("thing.shown = 1", ())]
    wanted = search.spaces if search.spaces is not None else int(search.bookable)
    if wanted:
        parts.append(Condition("thing.spaces >= ?", (min(wanted, UNLIMITED),)))
    if search.max_price is not None:
        parts.append(Condition("thing.price >= 0 AND thing.price <= ?", (hundredths(search.max_price),)))
    if search.bookable:
        unsupported = ~requirement_bits(search.requirements) & 0x7FFFFFFF
        parts.append(
            Condition(
                "thing.opens <= ? AND thing.closes > ? AND (thing.requirements & ?) = 0",
                (seconds(now), seconds(now), unsupported),
            )
        )
    return _all(parts)


def _has_no_zone(instant: datetime | None) -> bool:
    return instant is not None and instant.tzinfo is None


def _is_no_circle(near: Near) -> bool:
    return not (
        -90 <= near.latitude <= 90  # noqa: PLR2004 - degrees
        and math.isfinite(near.longitude)
        and math.isfinite(near.km)
        and near.km >= 0
    )


_FAULTS: Mapping[str, Callable[[Search], bool]] = {
    f"`limit` must be from 1 to {MOST_LIMIT}.": lambda search: not 1 <= search.limit <= MOST_LIMIT,
    f"`offset` must be from 0 to {MOST_OFFSET}.": lambda search: not 0 <= search.offset <= MOST_OFFSET,
    f"`text` must have at most {MOST_TEXT} characters.": lambda search: len(search.text or "") > MOST_TEXT,
    "`spaces` must not be negative.": lambda search: (search.spaces or 0) < 0,
    "`max_price` must be a number.": lambda search: Decimal(search.max_price or 0).is_nan(),
    "`starts_from` must have a time zone.": lambda search: _has_no_zone(search.starts_from),
    "`starts_before` must have a time zone.": lambda search: _has_no_zone(search.starts_before),
    "`hours` must be times without a zone: they are local times.": lambda search: any(
        each.tzinfo for each in search.hours or ()
    ),
    "`near` must be a latitude from -90 to 90, a longitude, and a radius of at least 0 km.": lambda search: (
        search.near is not None and _is_no_circle(search.near)
    ),
    "Hits are sorted by distance from a place: name the place with `near`.": lambda search: (
        search.sort == "distance" and search.near is None
    ),
}


def _all(parts: Sequence[Condition]) -> Condition:
    parameters = tuple(parameter for part in parts for parameter in part.parameters)
    return Condition(" AND ".join(part.text for part in parts), parameters)


def _in_box(near: Near) -> Condition:
    """Return the condition that a subject is in a box around a circle. Boxes across the date line reach round it."""
    north = near.km / _KM_A_DEGREE
    widest = min(90.0, abs(near.latitude) + north)
    east = near.km / (_KM_A_DEGREE * max(math.cos(math.radians(widest)), _LEAST_COSINE))
    west_edge, east_edge = near.longitude - east, near.longitude + east
    if west_edge < -180 or east_edge > 180:  # noqa: PLR2004 - degrees
        west_edge, east_edge = -180.0, 180.0
    return Condition(
        "subject.latitude BETWEEN ? AND ? AND subject.longitude BETWEEN ? AND ?",
        (near.latitude - north, near.latitude + north, west_edge, east_edge),
    )


def _narrower(transaction: Transaction, activity: str) -> list[int]:
    """Return the concepts with this URI or label, all narrower concepts, and those with the label of one of them.

    Some providers publish a label without the URI.
    """
    found = {concept_number(activity)}
    label = storable(fold(activity))
    found |= {row[0] for row in transaction.execute("SELECT concept FROM catalogue_concept WHERE label = ?", (label,))}
    new = found
    while new:
        marks = ", ".join("?" * len(new))
        query = (
            f"SELECT concept FROM catalogue_broader WHERE broader IN ({marks}) UNION"  # noqa: S608 - marks only
            " SELECT other.concept FROM catalogue_concept known"
            " JOIN catalogue_concept other ON other.label = known.label"
            f" WHERE known.label <> '' AND known.concept IN ({marks})"
        )
        new = {row[0] for row in transaction.execute(query, sorted(new) * 2)} - found
        found = found | new
    return sorted(found)
