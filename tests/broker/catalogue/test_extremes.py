"""Extreme values in searches and in feeds: a search answers, or says what is wrong with its terms."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from openbooking.broker.catalogue.query import Near, Search, check
from support.catalogue.shelf import Shelf
from support.importing.published_items import OFFER, SELLER, event

SITE = "https://provider.example.com"
OPEN = {**SELLER, "isOpenBookingAllowed": True}
EAST, WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
HUGE = 10**400
PLACE = {"@type": "Place", "geo": {"@type": "GeoCoordinates", "latitude": 51.75, "longitude": -1.25}}


def numbered(number: int, **changes: Any) -> dict[str, Any]:
    """Return an event that can be booked."""
    offer = {**OFFER, "@id": f"{SITE}/events/{number}#adult"}
    return event(**{"@id": f"{SITE}/events/{number}", "organizer": OPEN, "offers": [offer], **changes})


ANSWERED: list[tuple[dict[str, Any], list[str]]] = [
    ({"day": date.max}, []),
    ({"day": date.min}, []),
    ({"day": date.max, "bookable": True, "activity": "chess"}, []),
    ({"starts_from": datetime.max.replace(tzinfo=UTC)}, []),
    ({"starts_from": datetime.max.replace(tzinfo=WEST)}, []),
    ({"starts_from": datetime.min.replace(tzinfo=EAST)}, ["1"]),
    ({"starts_before": datetime.max.replace(tzinfo=WEST)}, ["1"]),
    ({"starts_before": datetime.min.replace(tzinfo=EAST)}, []),
    ({"hours": (time.min, time.max)}, ["1"]),
    ({"hours": (time.max, time.min)}, []),
    ({"spaces": HUGE}, []),
    ({"spaces": HUGE, "bookable": True}, []),
    ({"max_price": Decimal("1e999999")}, ["1"]),
    ({"max_price": Decimal("Infinity"), "bookable": True}, ["1"]),
    ({"max_price": Decimal("-1e999999")}, []),
    ({"max_price": Decimal("-Infinity")}, []),
    ({"near": Near(51.75, -1.25, 1e308)}, ["1"]),
    ({"near": Near(90, 180, 1e308), "sort": "distance"}, ["1"]),
    ({"near": Near(-90, -180, 0)}, []),
    ({"near": Near(51.75, -1.25 + 360, 5)}, ["1"]),
    ({"text": "\0"}, []),
    ({"text": "\ud800"}, []),
    ({"seller": "\ud800\0"}, []),
    ({"activity": "\ud800\0"}, []),
    ({"offset": 2**31}, []),
]
REFUSED: list[dict[str, Any]] = [
    {"starts_from": datetime(2027, 3, 1)},  # noqa: DTZ001 - the fault
    {"starts_before": datetime.min},  # noqa: DTZ901 - the fault
    {"hours": (time(9, tzinfo=UTC), time(10, tzinfo=UTC))},
    {"spaces": -1},
    {"max_price": Decimal("NaN")},
    {"max_price": Decimal("sNaN")},
    {"near": Near(float("nan"), 0, 5)},
    {"near": Near(0, float("inf"), 5)},
    {"near": Near(91, 0, 5)},
    {"near": Near(0, 0, float("nan"))},
    {"near": Near(0, 0, float("inf"))},
    {"near": Near(0, 0, -1)},
    {"limit": 0},
    {"limit": HUGE},
    {"offset": -1},
    {"offset": HUGE},
    {"text": "%_" * 40_000},
]
PUBLISHED: list[dict[str, Any]] = [
    {"startDate": "9999-12-31T23:59:59-12:00", "endDate": "9999-12-31T23:59:59-12:00"},
    {"startDate": "0001-01-01T00:00:00+14:00"},
    {"startDate": "9999-12-31", "duration": "P9999Y"},
    {"duration": "PT99999999999999H"},
    {"remainingAttendeeCapacity": 10**30},
    {"remainingAttendeeCapacity": -(10**30)},
    {"remainingAttendeeCapacity": 2**63},
    {"offers": [{**OFFER, "price": 1e300}]},
    {"offers": [{**OFFER, "price": 10**30}]},
    {"offers": [{**OFFER, "price": "1e999999"}]},
    {"offers": [{**OFFER, "price": "Infinity"}, {**OFFER, "price": "NaN"}]},
    {"offers": [{**OFFER, "validFromBeforeStartDate": "P999999999D"}]},
    {"offers": [{**OFFER, "validThrough": "9999-12-31T23:59:59-12:00"}]},
    {"location": {"@type": "Place", "geo": {"latitude": "nan", "longitude": "inf"}}},
    {"location": {"@type": "Place", "geo": {"latitude": 10**400, "longitude": 0}}},
    {"name": "a" * 1_000_000},
    {"startDate": "0001-01-01T00:00:00Z"},
    {"startDate": "9999-12-31T23:59:59Z"},
]


def test_search_answers_extreme_terms(shelf: Shelf) -> None:
    shelf.put(numbered(1, location=PLACE))
    for terms, found in ANSWERED:
        assert shelf.ids(**terms) == found, terms


@pytest.mark.parametrize("terms", REFUSED, ids=lambda terms: repr(terms)[:60])
def test_search_refuses_terms_that_are_no_values(terms: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(terms))):
        check(Search(**terms))


def test_extreme_values_of_feeds_hide_no_other_opportunity(shelf: Shelf) -> None:
    shelf.put(*(numbered(number, **changes) for number, changes in enumerate(PUBLISHED, 2)), numbered(1))
    usual: list[dict[str, Any]] = [{}, {"bookable": True, "text": "run"}, {"max_price": Decimal(100)}]
    for terms in usual:
        assert "1" in shelf.ids(**terms)
    ever = datetime.min.replace(tzinfo=UTC)
    assert "1" in shelf.ids(starts_from=ever, hours=(time.min, time.max))
    assert "1" not in shelf.ids(starts_from=ever, near=Near(0, 0, 1))
