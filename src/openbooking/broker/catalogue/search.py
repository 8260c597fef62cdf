"""Searches of the catalogue.

A search first finds the subjects that fit. If they are few, their dates are read subject by subject, in intervals of
time that grow until the page of hits is full. If they are many, dates are read in order of time, until enough of them
belong to a subject that fits. Hits that are sorted by distance are read from the nearest subjects on.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from openbooking.broker.catalogue import bookable
from openbooking.broker.catalogue.index import Occurrence, Occurrences
from openbooking.broker.catalogue.query import (
    Condition,
    Interval,
    Search,
    check,
    interval_of,
    is_within_hours,
    on_subjects,
    on_things,
)
from openbooking.broker.catalogue.rows import ANY_TIME
from openbooking.broker.catalogue.things import digest, join
from openbooking.broker.store.database import Database, Transaction
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.published.values import JsonObject, read_text

# Up to this number of subjects, their dates are read subject by subject.
_FEW_SUBJECTS = 2_000
# The intervals in which their dates are read, in seconds. The last has no end.
_DAY = 86_400
_INTERVALS = (_DAY, 4 * _DAY, 16 * _DAY, 64 * _DAY, 2 * ANY_TIME)
# The radii of the rings in which a circle is searched from its centre outwards, as shares of its radius.
_RINGS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)
_FIRST_SUBJECTS = 50
_MOST_AT_ONCE = 2_000
_AT_ONCE = 200


class Hit(NamedTuple):
    """An Opportunity that a search has found.

    Attributes:
        id: The `@id` of the Opportunity; empty if it has none, so that it cannot be booked.
        type: The type.
        name: The name; empty if it has none.
        start: The start; None if it has no date.
        end: The end; None if it has none.
        spaces: The spaces left; None if they are not stated.
        seller: The Seller as published; None if it has none.
        offers: The Offers that the Broker can book now, by the terms of the search.
        distance: The kilometres from the centre of the search; None without a centre.
        opportunity: All properties as published, together with those that are inherited from parents.
    """

    id: str
    type: OpportunityType
    name: str
    start: datetime | None
    end: datetime | None
    spaces: int | None
    seller: JsonObject | None
    offers: tuple[bookable.Offer, ...]
    distance: float | None
    opportunity: JsonObject

    @property
    def opportunity_id(self) -> str:
        """The `@id` of the Opportunity."""
        return self.id

    @property
    def offer_id(self) -> str:
        """The `@id` of the first Offer that can be booked; empty if there is none."""
        return self.offers[0].id if self.offers else ""

    @property
    def seller_id(self) -> str:
        """The `@id` of the Seller; empty if it has none."""
        return read_text((self.seller or {}).get("@id")) or ""


class Activity(NamedTuple):
    """An activity or facility type of what can be booked.

    Attributes:
        label: The label in small letters, by which a search finds it.
        opportunities: The number of Opportunities that can be booked. A few of them may be found to be full or closed
            when they are looked at one by one.
    """

    label: str
    opportunities: int


class _Found(NamedTuple):
    """A row of the index that fits."""

    starts: int
    owner: int
    path: str
    subject: int


def find(database: Database, system: str, search: Search, now: datetime) -> list[Hit]:
    """Return the hits of a search.

    Args:
        database: The database.
        system: The URL of the Booking System.
        search: What to look for.
        now: The current time, with a zone.

    Raises:
        SearchError: A term is out of bounds, or hits are to be sorted by the distance from nowhere.
    """
    check(search)
    with database.reading() as transaction:
        return _Finder(transaction, system, search, now).hits()


def find_one(database: Database, system: str, id_: str, terms: bookable.Terms) -> Hit | None:
    """Return the Opportunity with an `@id`, with the Offers that the Broker can book now; None if no feed has it."""
    with database.reading() as transaction:
        occurrences = Occurrences(transaction, {}, whole=True)
        number = digest(system, id_)
        occurrences.find([number])
        first = occurrences.first(number)
        if first is None or first.thing.type is None:
            return None
        joined = join(occurrences.chain(first))
    return _hit_of(joined, first.thing.type, bookable.bookable_offers(joined, first.thing.type, terms), None)


def count_activities(database: Database, system: str, search: Search, now: datetime) -> list[Activity]:
    """Return the activities and facility types of what a search finds, by label. The whole index is read."""
    condition = on_things(search, now)
    query = (
        "SELECT named.label, count(*) FROM (SELECT DISTINCT concept.label, activity.subject"  # noqa: S608 - our own text
        " FROM catalogue_activity activity JOIN catalogue_concept concept ON concept.concept = activity.concept"
        " JOIN catalogue_subject subject ON subject.subject = activity.subject"
        " WHERE concept.label <> '' AND subject.system = ?) named"
        " JOIN catalogue_thing thing ON thing.subject = named.subject"
        f" WHERE thing.starts >= ? AND {condition.text} GROUP BY named.label ORDER BY named.label"
    )
    parameters = (system, interval_of(search, now).first, *condition.parameters)
    with database.reading() as transaction:
        return [Activity(*row) for row in transaction.execute(query, parameters).fetchall()]


class _Finder:
    """Carries out one search in a transaction."""

    def __init__(self, transaction: Transaction, system: str, search: Search, now: datetime) -> None:
        self._transaction = transaction
        self._system = system
        self._search = search
        self._now = now
        self._terms = search.terms(now)
        self._interval = interval_of(search, now)
        self._on_things = on_things(search, now)
        self._on_subjects = on_subjects(transaction, system, search)
        self._distances: dict[int, float] = {}
        self._occurrences = Occurrences(transaction, {}, whole=True)

    def hits(self) -> list[Hit]:
        """Return the hits of the page."""
        limit, offset = self._search.limit, self._search.offset
        rows = (row for row in self._found() if is_within_hours(self._search, row.starts))
        if not self._search.bookable:
            return self._read(list(islice(rows, offset, offset + limit)))
        # The index bounds what can be booked, so that the hits of the pages before are read too.
        hits: list[Hit] = []
        while len(hits) < offset + limit and (some := list(islice(rows, limit))):
            hits += self._read(some)
        return hits[offset : offset + limit]

    def _found(self) -> Iterator[_Found]:
        """Yield the rows that fit, in the order of the search."""
        if self._search.sort == "distance":
            yield from self._by_distance()
        elif (subjects := self._few_subjects()) is not None:
            yield from self._by_subjects(subjects)
        else:
            yield from self._by_time()

    def _few_subjects(self) -> list[int] | None:
        """Return the subjects that fit; None if they are many."""
        search = self._search
        if all(wanted is None for wanted in (search.activity, search.near, search.seller, search.text)):
            return None
        subjects = self._subjects(self._on_subjects, _FEW_SUBJECTS + 1)
        return subjects if len(subjects) <= _FEW_SUBJECTS else None

    def _subjects(self, condition: Condition, limit: int | None = None) -> list[int]:
        """Return the subjects that fit, or this many of those in the box around the circle."""
        query = f"SELECT subject, latitude, longitude FROM catalogue_subject subject WHERE {condition.text}"  # noqa: S608 - our own text
        if limit is not None:
            query += f" LIMIT {limit}"
        rows = self._transaction.execute(query, condition.parameters).fetchall()
        if len(rows) == limit:
            return [subject for subject, _, _ in rows]
        return [subject for subject, latitude, longitude in rows if self._is_near(subject, latitude, longitude)]

    def _is_near(self, subject: int, latitude: float, longitude: float) -> bool:
        """Return whether a subject is in the circle of the search, and note its distance."""
        near = self._search.near
        if near is None:
            return True
        if subject not in self._distances:
            self._distances[subject] = near.distance(latitude, longitude)
        return self._distances[subject] <= near.km

    def _by_time(self) -> Iterator[_Found]:
        """Yield rows in order of time, of whichever subjects fit."""
        last: tuple[int, int, str] = (self._interval.first - 1, 0, "")
        columns = "thing.starts, thing.owner, thing.path, thing.subject, subject.latitude, subject.longitude"
        query = (
            f"SELECT {columns} FROM catalogue_thing thing CROSS JOIN catalogue_subject subject"  # noqa: S608 - our own text
            " WHERE subject.subject = thing.subject AND (thing.starts, thing.owner, thing.path) > (?, ?, ?)"
            f" AND thing.starts < ? AND {self._on_things.text} AND {self._on_subjects.text}"
            f" ORDER BY thing.starts, thing.owner, thing.path LIMIT {_AT_ONCE}"
        )
        conditions = (*self._on_things.parameters, *self._on_subjects.parameters)
        while True:
            rows = self._transaction.execute(query, (*last, self._interval.before, *conditions)).fetchall()
            for *row, latitude, longitude in rows:
                found = _Found._make(row)
                if self._is_near(found.subject, latitude, longitude):
                    yield found
            if len(rows) < _AT_ONCE:
                return
            last = rows[-1][:3]

    def _by_subjects(self, subjects: Sequence[int]) -> Iterator[_Found]:
        """Yield the rows of a few subjects in order of time."""
        if not subjects:
            return
        first = self._interval.first
        for length in _INTERVALS:
            before = min(first + length, self._interval.before)
            yield from sorted(self._rows(subjects, Interval(first, before)))
            first = before

    def _by_distance(self) -> Iterator[_Found]:
        """Yield the rows of the nearest subjects first, and those of one distance in order of time."""
        for subjects in self._rings():
            nearest = sorted(subjects, key=lambda subject: (self._distances[subject], subject))
            start, count = 0, _FIRST_SUBJECTS
            while start < len(nearest):
                end = start + count
                # All subjects of one distance are read together.
                while end < len(nearest) and self._distances[nearest[end]] == self._distances[nearest[end - 1]]:
                    end += 1
                rows = self._rows(nearest[start:end], self._interval)
                yield from sorted(rows, key=lambda row: (self._distances[row.subject], row))
                start, count = end, min(count * 2, _MOST_AT_ONCE)

    def _rings(self) -> Iterator[list[int]]:
        """Yield the subjects of each ring around the centre, because the inner ones often have hits enough."""
        near = self._search.near
        if near is None:
            return
        inner = -1.0
        for outer in (near.km * share for share in _RINGS):
            search = self._search._replace(near=near._replace(km=outer))
            found = self._subjects(on_subjects(self._transaction, self._system, search))
            yield [subject for subject in found if inner < self._distances[subject] <= outer]
            inner = outer

    def _rows(self, subjects: Sequence[int], interval: Interval) -> Iterator[_Found]:
        marks = ", ".join("?" * len(subjects))
        query = (
            "SELECT thing.starts, thing.owner, thing.path, thing.subject FROM catalogue_thing thing"  # noqa: S608 - marks only
            f" WHERE thing.subject IN ({marks}) AND thing.starts >= ? AND thing.starts < ? AND {self._on_things.text}"
        )
        parameters = (*subjects, *interval, *self._on_things.parameters)
        yield from map(_Found._make, self._transaction.execute(query, parameters).fetchall())

    def _read(self, rows: Sequence[_Found]) -> list[Hit]:
        """Return the hits of rows, without those that the Broker wants to book and cannot."""
        self._occurrences.load(row.owner for row in rows)
        occurrences = [(row, self._occurrences.at(row.owner, row.path)) for row in rows]
        self._occurrences.find(occurrence.number for _, occurrence in occurrences if occurrence)
        hits = (self._hit(row, occurrence) for row, occurrence in occurrences if occurrence)
        return [hit for hit in hits if hit]

    def _hit(self, found: _Found, occurrence: Occurrence) -> Hit | None:
        type_ = occurrence.thing.type
        if type_ is None:
            return None
        joined = join(self._occurrences.chain(occurrence))
        offers = bookable.bookable_offers(joined, type_, self._terms)
        if self._search.max_price is not None:
            most = self._search.max_price
            offers = tuple(offer for offer in offers if offer.price <= most)
        if self._search.bookable and not offers:
            return None
        return _hit_of(joined, type_, offers, self._distances.get(found.subject))


def _hit_of(
    joined: JsonObject, type_: OpportunityType, offers: tuple[bookable.Offer, ...], distance: float | None
) -> Hit:
    dated = bookable.dates_of(joined, type_) or bookable.Dated(None, None)
    return Hit(
        id=read_text(joined.get("@id")) or "",
        type=type_,
        name=read_text(joined.get("name")) or "",
        start=dated.start,
        end=dated.end,
        spaces=bookable.spaces_left(joined, type_),
        seller=bookable.seller_of(joined),
        offers=offers,
        distance=distance,
        opportunity=joined,
    )
