"""Searches: each filter, the order and pages of hits, and a comparison with a search that reads everything."""

import random
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

import pytest

from openbooking.broker.catalogue import search as catalogue_search
from openbooking.broker.catalogue.query import Near, Search
from openbooking.broker.catalogue.search import Hit
from openbooking.broker.store.database import Database, open_database
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.published.values import LOCAL_ZONE
from openbooking.openactive.terms import FlowRequirement
from support.builders import ACTIVITY, PLACE
from support.catalogue.shelf import NOW, Shelf
from support.importing.published_items import (
    OFFER,
    SELLER,
    course,
    event,
    facility,
    on_demand_event,
    series,
    session,
    slot,
)

SITE = "https://provider.example.com"
OPEN = {**SELLER, "isOpenBookingAllowed": True}
RACKETS = "https://openactive.io/activity-list#rackets"
BADMINTON = {
    "@type": "Concept", "@id": "https://openactive.io/activity-list#badminton", "prefLabel": "Badminton",
    "broader": RACKETS,
}  # fmt: skip
OXFORD = Near(51.75, -1.25, 5)


def at(latitude: float, longitude: float) -> dict[str, Any]:
    return {**PLACE, "geo": {"@type": "GeoCoordinates", "latitude": latitude, "longitude": longitude}}


def numbered(number: int, **changes: Any) -> dict[str, Any]:
    """Return an event that can be booked."""
    offer = {**OFFER, "@id": f"{SITE}/events/{number}#adult"}
    return event(**{"@id": f"{SITE}/events/{number}", "organizer": OPEN, "offers": [offer], **changes})


def on(day: int, hour: int = 18) -> str:
    return f"2027-03-{day:02}T{hour:02}:00:00Z"


def test_a_hit_holds_the_opportunity_with_what_it_inherits(shelf: Shelf) -> None:
    shelf.put(series(organizer=OPEN, location=at(51.75, -1.2)), session(1))
    (hit,) = shelf.find(near=OXFORD, bookable=True)
    assert (hit.id, hit.type, hit.name) == (f"{SITE}/sessions/1", OpportunityType.SCHEDULED_SESSION, "Yoga")
    assert (hit.start, hit.end) == (datetime(2027, 3, 4, 18, tzinfo=UTC), datetime(2027, 3, 4, 19, tzinfo=UTC))
    assert (hit.spaces, hit.seller) == (5, OPEN)
    assert [(offer.id, offer.price, offer.currency) for offer in hit.offers] == [(OFFER["@id"], Decimal("5.5"), "GBP")]
    assert hit.distance == pytest.approx(3.44, abs=0.01)
    assert hit.opportunity["activity"] == [ACTIVITY]


def test_activities_are_found_by_uri_and_label_with_narrower_ones(shelf: Shelf) -> None:
    plain = {"@type": "Concept", "prefLabel": "Badminton"}
    shelf.put(numbered(1, activity=[BADMINTON]), numbered(2, activity=["badminton"]), numbered(3, activity=[plain]))
    shelf.put(numbered(4, activity=[{"@id": RACKETS, "prefLabel": "Racket Sports"}]), numbered(5, activity=None))
    shelf.put(facility(facilityType=[{"@id": f"{SITE}/types#hall", "prefLabel": "Hall"}]), slot(6))
    assert shelf.ids(activity="BADMINTON") == ["1", "2", "3"]
    assert shelf.ids(activity="http://openactive.io/activity-list/#badminton") == ["1", "2", "3"]
    assert shelf.ids(activity="racket sports") == ["1", "2", "3", "4"]
    assert shelf.ids(activity="hall") == ["6"]
    assert shelf.ids(activity="chess") == []


def test_places_are_found_by_distance(shelf: Shelf) -> None:
    shelf.put(numbered(1, location=at(51.80, -1.25)), numbered(2, location=at(51.76, -1.25)))
    shelf.put(numbered(3, location=at(51.79, -1.31)), numbered(4, location=PLACE), numbered(5, location=at(0, 0)))
    assert shelf.ids(near=OXFORD._replace(km=6), sort="distance") == ["2", "1"]
    assert shelf.ids(near=OXFORD._replace(km=1)) == []
    assert shelf.ids(near=OXFORD._replace(km=7), sort="distance") == ["2", "1", "3"]
    with pytest.raises(ValueError, match="near"):
        shelf.find(sort="distance")


def test_places_beyond_the_date_line_are_found(shelf: Shelf) -> None:
    shelf.put(numbered(1, location=at(-17, 179.99)), numbered(2, location=at(-17, -179.99)))
    assert shelf.ids(near=Near(-17, 180, 5)) == ["1", "2"]


def test_starts_are_found_by_day_range_and_time_of_day(shelf: Shelf) -> None:
    # The last one is at half past midnight in British Summer Time.
    starts = [on(4, 9), on(4, 18), on(5, 18), "2027-03-29T23:30:00Z"]
    shelf.put(*(numbered(number, startDate=start) for number, start in enumerate(starts, 1)))
    shelf.put(numbered(9, startDate=on(1, 9)))
    assert shelf.ids() == ["1", "2", "3", "4"]
    assert shelf.ids(day=date(2027, 3, 4)) == ["1", "2"]
    assert shelf.ids(day=date(2027, 3, 30)) == ["4"]
    assert shelf.ids(hours=(time(17), time(18))) == ["2", "3"]
    assert shelf.ids(starts_from=datetime(2027, 3, 1, tzinfo=UTC), starts_before=datetime(2027, 3, 5, tzinfo=UTC)) == [
        "9", "1", "2",
    ]  # fmt: skip


def test_events_at_any_time_come_last_and_on_no_day(shelf: Shelf) -> None:
    shelf.put(on_demand_event(), numbered(1), course())
    assert shelf.ids() == ["1", "1", "1"]
    assert [hit.type for hit in shelf.find()][-1] == "OnDemandEvent"
    assert [hit.type for hit in shelf.find(starts_before=datetime(2027, 4, 1, tzinfo=UTC))] == [
        "CourseInstance",
        "Event",
    ]
    assert shelf.find(hours=(time(), time(23, 59)), type=OpportunityType.ON_DEMAND_EVENT) == []


def test_spaces_types_sellers_names_and_prices_restrict(shelf: Shelf) -> None:
    other = {**OPEN, "@id": f"{SITE}/other"}
    free = {**OFFER, "price": 0}
    shelf.put(numbered(1, remainingAttendeeCapacity=2), numbered(2, organizer=other), numbered(3, name="Café_Run 50%"))
    shelf.put(numbered(4, offers=[OFFER, free]), facility(), slot(5), numbered(6, offers=None))
    assert shelf.ids(spaces=3) == ["2", "3", "4", "6"]
    assert shelf.ids(type=OpportunityType.SLOT) == ["5"]
    assert shelf.ids(seller=f"{SITE}/other") == ["2"]
    assert shelf.ids(text="CAFE_") == ["3"]
    assert shelf.ids(text="run 50%") == ["3"]
    assert shelf.ids(text="r_n") == []
    assert shelf.ids(max_price=Decimal(5)) == ["4"]


@pytest.mark.spec("OB-BRK-16")
def test_only_offers_that_the_broker_supports_are_bookable(shelf: Shelf) -> None:
    approval = FlowRequirement.APPROVAL.value
    asking = {**OFFER, "name": "Asking", "openBookingFlowRequirement": [approval]}
    shelf.put(numbered(1, offers=[asking]), numbered(2, offers=[asking, OFFER]), numbered(3, organizer=SELLER))
    found = shelf.find(bookable=True)
    assert [[offer.name for offer in hit.offers] for hit in found] == [["Adult"]]
    found = shelf.find(bookable=True, requirements=frozenset({approval}))
    assert [[offer.name for offer in hit.offers] for hit in found] == [["Asking"], ["Asking", "Adult"]]


def test_a_booking_window_opens_and_closes(shelf: Shelf) -> None:
    offer = {**OFFER, "validFromBeforeStartDate": "P2D", "validThroughBeforeStartDate": "PT2H"}
    shelf.put(numbered(1, offers=[offer]))
    open_for = []
    for hours in (0, 29, 30, 75, 76, 77):
        shelf.now = NOW + timedelta(hours=hours)
        open_for.append(len(shelf.find(bookable=True)))
    assert open_for == [0, 0, 1, 1, 0, 0]


def test_hits_come_in_pages(shelf: Shelf) -> None:
    shelf.put(*(numbered(number, startDate=on(4 + number % 20), location=at(51.75, -1.25)) for number in range(45)))
    for search in ({}, {"bookable": True}, {"near": OXFORD}, {"near": OXFORD, "sort": "distance"}):
        whole = shelf.ids(**search, limit=100)
        pages = [shelf.ids(**search, limit=20, offset=offset) for offset in (0, 20, 40, 60)]
        assert [len(page) for page in pages] == [20, 20, 5, 0]
        assert [*chain.from_iterable(pages)] == whole
    with pytest.raises(ValueError, match="limit"):
        shelf.find(limit=0)


def test_systems_in_one_database_do_not_see_each_other(database: Database) -> None:
    shelf = Shelf(database)
    shelf.put(numbered(1))
    assert catalogue_search.find(database, "https://other.example.com", Search(), NOW) == []


SEARCHES: tuple[dict[str, Any], ...] = (
    {}, {"near": OXFORD}, {"near": OXFORD, "sort": "distance"}, {"activity": "Badminton"}, {"text": "a"},
    {"spaces": 3}, {"bookable": True}, {"max_price": Decimal(7)}, {"day": date(2027, 3, 6)},
    {"hours": (time(9), time(12))}, {"type": OpportunityType.EVENT}, {"seller": f"{SITE}/seller/1"},
)  # fmt: skip


def fits(hit: Hit, search: Search) -> bool:
    """Return whether an Opportunity fits a search, without the index."""
    start = hit.start.astimezone(LOCAL_ZONE) if hit.start else None
    prices = [offer["price"] for offer in hit.opportunity.get("offers", [])]
    return (
        (search.near is None or (hit.distance is not None and hit.distance <= search.near.km))
        and (search.activity is None or search.activity in str(hit.opportunity.get("activity")))
        and (search.text is None or search.text in hit.name.lower())
        and (search.spaces is None or (hit.spaces or 0) >= search.spaces)
        and (not search.bookable or bool(hit.offers))
        and (search.max_price is None or any(price <= search.max_price for price in prices))
        and (search.day is None or (start is not None and start.date() == search.day))
        and (search.hours is None or (start is not None and search.hours[0] <= start.time() <= search.hours[1]))
        and (search.type is None or hit.type is search.type)
        and (search.seller is None or (hit.seller or {}).get("@id") == search.seller)
    )


@pytest.mark.parametrize("few", [0, 3, 10_000])
def test_a_search_finds_what_reading_everything_finds(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """The number of subjects that are few decides how a search reads."""
    monkeypatch.setattr(catalogue_search, "_FEW_SUBJECTS", few)
    monkeypatch.setattr(catalogue_search, "_AT_ONCE", 7)
    monkeypatch.setattr(catalogue_search, "_FIRST_SUBJECTS", 2)
    chance = random.Random(9)  # noqa: S311 - the same items again
    with closing(open_database(":memory:")) as database:
        shelf = Shelf(database)
        shelf.put(*(random_event(number, chance) for number in range(150)))
        for _ in range(25):
            asked: dict[str, Any] = {}
            for part in chance.sample(SEARCHES, chance.randrange(1, 4)):
                asked |= part
            # Everything within reach of the place, in any order, with its distance.
            everything = shelf.find(limit=1_000, near=asked.get("near", OXFORD)._replace(km=20_000)) + [
                hit for hit in shelf.find(limit=1_000) if "location" not in hit.opportunity
            ]
            wanted = {hit.id for hit in everything if fits(hit, Search(**asked))}
            found = shelf.find(limit=1_000, **asked)
            assert {hit.id for hit in found} == wanted, asked
            key = "distance" if asked.get("sort") else "start"
            order = [getattr(hit, key) for hit in found]
            assert order == sorted(order)


def random_event(number: int, chance: random.Random) -> dict[str, Any]:
    place = at(round(51.75 + chance.uniform(-0.1, 0.1), 2), round(-1.25 + chance.uniform(-0.1, 0.1), 2))
    return numbered(
        number,
        name=chance.choice(["Run", "Walk", "Swim and talk"]),
        location=chance.choice([place, place, None]),
        startDate=on(chance.randrange(2, 9), chance.randrange(7, 21)),
        activity=chance.choice([[BADMINTON], [ACTIVITY], None]),
        remainingAttendeeCapacity=chance.randrange(0, 6),
        organizer={
            **OPEN,
            "@id": f"{SITE}/seller/{chance.randrange(3)}",
            "isOpenBookingAllowed": chance.random() > 1 / 4,
        },
        offers=[{**OFFER, "price": chance.randrange(0, 12)} for _ in range(chance.randrange(0, 3))] or None,
    )
