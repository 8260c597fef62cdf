"""The row of a thing in the index, and the subject that the row refers to. Pure functions.

The columns of a row are bounds: a thing that can be booked now has a row that says so, but not the other way round. The
search reads the thing itself and decides with `bookable`.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from openbooking.broker.catalogue.bookable import (
    Dated,
    Offer,
    can_be_sold,
    dates_of,
    read_offers,
    seller_of,
    spaces_left,
)
from openbooking.broker.catalogue.things import Thing, digest, join
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.published.values import JsonObject, UnreadableError, members, read_price, read_text
from openbooking.openactive.terms import FlowRequirement

# More than any price in hundredths.
MOST_HUNDREDTHS = 2**53
# The start of what has no date.
ANY_TIME = 2**53
ALWAYS = -(2**53)
UNLIMITED = 2**31 - 1

_BITS = {requirement.value: 1 << number for number, requirement in enumerate(FlowRequirement)}
_UNKNOWN_REQUIREMENT = 1 << len(_BITS)


class Concept(NamedTuple):
    """An activity or facility type: its number, its label in small letters, and the numbers of broader concepts."""

    concept: int
    label: str
    broader: tuple[int, ...] = ()
    narrower: tuple[int, ...] = ()


class Subject(NamedTuple):
    """What takes place, where, and by whom. Rows of one subject differ by date, spaces and price."""

    subject: int
    system: str
    type: str
    name: str
    seller: str
    latitude: float | None
    longitude: float | None
    concepts: tuple[Concept, ...]


class Row(NamedTuple):
    """The columns of a thing that depend on it and on its parents.

    Attributes:
        shown: 1 if a search may find the thing; 0 for parents, and for things without a date that can be read.
        subject: The number of the subject; 0 if the thing is not shown.
        starts: The start in seconds since 1970, or `ANY_TIME`.
        ends: The end, or else the start, in seconds since 1970, or `ANY_TIME`.
        spaces: The spaces left; `UNLIMITED` if the type has no capacity, and 0 if they are not known.
        price: The lowest price of an Offer in hundredths, rounded down; -1 without an Offer.
        opens: The first instant at which an Offer can be booked; `ANY_TIME` for none.
        closes: The instant from which no Offer can be booked; `ALWAYS` if none can be booked at any time.
        requirements: The bits of the flow requirements that all Offers have.
    """

    shown: int
    subject: int
    starts: int
    ends: int
    spaces: int
    price: int
    opens: int
    closes: int
    requirements: int


HIDDEN = Row(0, 0, 0, 0, 0, -1, ANY_TIME, ALWAYS, 0)


def row_of(things: Sequence[Thing], system: str) -> tuple[Row, Subject | None]:
    """Return the row and the subject of a thing.

    Args:
        things: The thing and its parents, the nearest first.
        system: The URL of the Booking System.
    """
    thing = things[0]
    if thing.type is None or not thing.type.bookable:
        return HIDDEN, None
    joined = join(things)
    dated = dates_of(joined, thing.type)
    if dated is None:
        return HIDDEN, None
    subject = _subject(joined, thing.type, system)
    offers = read_offers(joined, dated) if can_be_sold(joined, thing.type) else ()
    over = dated.end or dated.start
    spaces = UNLIMITED if thing.type.row.capacity is None else spaces_left(joined, thing.type) or 0
    row = Row(
        1,
        subject.subject,
        ANY_TIME if dated.start is None else seconds(dated.start),
        ANY_TIME if over is None else seconds(over),
        spaces,
        _lowest_price(joined),
        _opens(offers),
        _closes(offers, dated),
        _common_requirements(offers),
    )
    return row, subject


def seconds(instant: datetime) -> int:
    """Return an instant in whole seconds since 1970, rounded down."""
    return int(instant.timestamp() // 1)


def hundredths(price: Decimal) -> int:
    """Return a price in hundredths, rounded down, within the bounds of the column. Prices are not negative."""
    return MOST_HUNDREDTHS if price > MOST_HUNDREDTHS else int(max(price, Decimal(-1)) * 100)


def requirement_bits(requirements: Iterable[str]) -> int:
    """Return flow requirements as bits."""
    bits = 0
    for requirement in requirements:
        bits |= _BITS.get(requirement, _UNKNOWN_REQUIREMENT)
    return bits


def storable(text: str) -> str:
    """Return a text without the characters that no database keeps: NUL, and halves of surrogate pairs."""
    whole = text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\N{REPLACEMENT CHARACTER}")


# Things repeat the names of subjects and concepts.
@lru_cache(5_000)
def fold(text: str) -> str:
    """Return a text in small letters without accents and with single blanks, for comparisons."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return " ".join(plain.casefold().split())


@lru_cache(5_000)
def concept_number(name: str) -> int:
    """Return the number of a concept by its URI, or else by its label."""
    return digest("concept", _one_spelling(name) if ":" in name else fold(name))


def read_concept(published: object) -> Concept | None:
    """Return a concept that is published as an object or as a label; None if it has no name."""
    if isinstance(published, str):
        return Concept(concept_number(published), fold(published))
    if not isinstance(published, dict):
        return None
    label = read_text(published.get("prefLabel")) or read_text(published.get("name")) or ""
    name = read_text(published.get("@id")) or read_text(published.get("id")) or label
    if not name:
        return None
    broader = tuple(_named_concepts(published.get("broader")))
    return Concept(concept_number(name), fold(label), broader, tuple(_named_concepts(published.get("narrower"))))


def _named_concepts(value: object) -> Iterator[int]:
    for named in members(value):
        concept = read_concept(named)
        if concept:
            yield concept.concept


def _one_spelling(uri: str) -> str:
    return uri.removeprefix("https://").removeprefix("http://").replace("/#", "#")


def _subject(joined: JsonObject, type_: OpportunityType, system: str) -> Subject:
    name = fold(read_text(joined.get("name")) or "")
    seller = read_text((seller_of(joined) or {}).get("@id")) or ""
    latitude, longitude = _place(joined)
    published = (member for property_ in ("activity", "facilityType") for member in members(joined.get(property_)))
    concepts = tuple(dict.fromkeys(concept for member in published if (concept := read_concept(member))))
    numbers = sorted({concept.concept for concept in concepts})
    number = digest(system, repr((type_.value, name, seller, latitude, longitude, numbers)))
    return Subject(number, system, type_.value, storable(name), storable(seller), latitude, longitude, concepts)


def _place(joined: JsonObject) -> tuple[float | None, float | None]:
    """Return latitude and longitude of the location; None without coordinates."""
    location = next((member for member in members(joined.get("location")) if isinstance(member, dict)), {})
    geo = location.get("geo")
    if not isinstance(geo, dict):
        return None, None
    try:
        latitude, longitude = float(geo["latitude"]), float(geo["longitude"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None, None
    is_on_earth = -90 <= latitude <= 90 and -180 <= longitude <= 180  # noqa: PLR2004 - degrees
    # Providers publish 0, 0 for a place that they do not know.
    return (latitude, longitude) if is_on_earth and (latitude or longitude) else (None, None)


def _lowest_price(joined: JsonObject) -> int:
    prices = []
    for offer in members(joined.get("offers")):
        try:
            prices.append(read_price(offer.get("price")))
        except (UnreadableError, AttributeError):
            continue
    return hundredths(min(prices)) if prices else -1


def _opens(offers: Sequence[Offer]) -> int:
    opens = (ALWAYS if offer.opens is None else seconds(offer.opens) for offer in offers)
    return min(opens, default=ANY_TIME)


def _closes(offers: Sequence[Offer], dated: Dated) -> int:
    over = dated.end or dated.start
    end = ANY_TIME if over is None else seconds(over)
    closes = (end if offer.closes is None else min(seconds(offer.closes), end) for offer in offers)
    return max(closes, default=ALWAYS)


def _common_requirements(offers: Sequence[Offer]) -> int:
    common = -1
    for offer in offers:
        common &= requirement_bits(offer.requirements)
    return common if offers else 0
