"""What imported things have from their parents, and that they have it anew when only a parent is imported."""

from typing import Any

import pytest

from support.http_system import World
from support.imports import EVENTS, SERIES, SESSIONS, book, feed, import_, item_of
from support.published_items import OFFER, SELLER, deleted, event, rpde, series, session

pytestmark = pytest.mark.anyio
CANCELLED, SCHEDULED = "https://schema.org/EventCancelled", "https://schema.org/EventScheduled"
HEADLINE_ID = "https://provider.example.com/gala"


def headline(**changes: Any) -> dict[str, Any]:
    made = {"@type": "HeadlineEvent", "@id": HEADLINE_ID, "name": "Gala", "duration": None}
    return event(**{**made, "endDate": "2027-03-04T22:00:00Z", **changes})


def race(**changes: Any) -> dict[str, Any]:
    made = {"@id": "x:race", "name": "Sprint", "startDate": None, "duration": None}
    return event(**{**made, **changes})


def dates(data: dict[str, Any]) -> tuple[str, str]:
    return data["startDate"], data["endDate"]


async def test_a_series_is_sold_by_whom_its_sessions_alone_name(world: World) -> None:
    items = rpde(series(organizer=None)), rpde(session(organizer=SELLER))
    told = await import_(world.store, *items, seller=None)
    assert told.outcomes() == ["parent", "bookable"]
    assert (await feed(world, SERIES))[told.path("series/1")]["organizer"]["name"] == SELLER["name"]


async def test_a_series_is_sold_by_whom_the_sessions_that_it_embeds_name(world: World) -> None:
    embedded = session(superEvent=None, organizer=SELLER)
    told = await import_(world.store, rpde(series(organizer=None, subEvent=[embedded])), seller=None)
    assert told.outcomes() == ["parent", "bookable"]


async def test_a_series_within_a_session_is_sold_by_whom_the_session_names(world: World) -> None:
    told = await import_(world.store, rpde(session(organizer=SELLER, superEvent=series(organizer=None))), seller=None)
    assert told.outcomes() == ["parent", "bookable"]


async def test_a_series_whose_sessions_name_several_is_sold_by_nobody(world: World) -> None:
    other = {**SELLER, "@id": "x:other", "name": "Other"}
    items = rpde(series(organizer=None)), rpde(session(organizer=SELLER)), rpde(session(2, organizer=other))
    told = await import_(world.store, *items, seller=None)
    assert told.outcomes() == ["not imported"] * 3
    assert told.reasons()[0].startswith("missing Seller: ")


@pytest.mark.spec("OB-BKBL-32")
@pytest.mark.parametrize("embedded", [True, False])
async def test_a_race_without_dates_takes_place_when_its_whole_event_does(world: World, embedded: bool) -> None:
    items = [rpde(headline(subEvent=[race()]))] if embedded else [rpde(headline()), rpde(race(superEvent=HEADLINE_ID))]
    told = await import_(world.store, *items)
    assert told.outcomes() == ["bookable", "bookable"]
    uuid = await book(world, told, "x:race")
    shown = (await feed(world, EVENTS))[told.path("x:race")]
    assert dates(shown) == ("2027-03-04T18:00:00Z", "2027-03-04T22:00:00Z")
    later = {"startDate": "2027-03-05T18:00:00Z", "endDate": "2027-03-05T23:00:00Z"}
    parent = rpde(headline(**later, subEvent=["x:race"]) if embedded else headline(**later), modified=2)
    if embedded:
        parent = rpde(headline(**later, subEvent=[race()]), modified=2)
    line = (await import_(world.store, parent))[0]
    assert line["orders"] == {"changed": 1}
    assert dates((await feed(world, EVENTS))[told.path("x:race")]) == (later["startDate"], later["endDate"])
    assert dates((await item_of(world, uuid))["orderedItem"]) == (later["startDate"], later["endDate"])


@pytest.mark.parametrize("above", ["https://provider.example.com/courses/1", None])
async def test_an_event_without_dates_outside_a_headline_event_is_refused(world: World, above: str | None) -> None:
    lesson = rpde(race(superEvent=above))
    week = rpde(event(**{"@type": "CourseInstance", "@id": "https://provider.example.com/courses/1"}))
    told = await import_(world.store, week, lesson)
    assert told.reasons() == ["it has no startDate"]


@pytest.mark.spec("OB-BKBL-32")
@pytest.mark.parametrize("reference", ["https://x.example/league", {"@id": "https://x.example/league"}])
@pytest.mark.parametrize("first", [True, False])
async def test_an_event_takes_over_what_the_event_series_that_it_names_says(
    world: World, reference: Any, first: bool
) -> None:
    league = rpde(
        {
            "@type": "EventSeries",
            "@id": "https://x.example/league",
            "name": "Sunday league",
            "description": "All levels.",
            "url": "https://x.example/league",
            "organizer": SELLER,
            "startDate": "2027-01-01T00:00:00Z",
        }
    )
    match = rpde(event(name="Match", superEvent=reference, organizer=None))
    told = await import_(world.store, *([league, match] if first else [match, league]), seller=None)
    assert sorted(told.outcomes()) == ["bookable", "parent"]
    data = (await feed(world, EVENTS))[told.path("events/1")]
    assert (data["name"], data["description"], data["startDate"]) == ("Match", "All levels.", "2027-03-04T18:00:00Z")
    assert data["url"] == "https://provider.example.com/events/1"


async def test_an_event_of_a_cancelled_event_series_is_cancelled_and_of_an_unknown_one_is_refused(
    world: World,
) -> None:
    league = {"@type": "EventSeries", "@id": "https://x.example/league", "eventStatus": CANCELLED}
    match = rpde(event(superEvent=league["@id"]))
    told = await import_(world.store, rpde(league), match)
    assert told[-1]["reason"] == "The Opportunity is cancelled or postponed."
    alone = await import_(world.store, match)
    assert alone.reasons()[0].startswith("parent not found")


@pytest.mark.spec("OB-BKBL-32", "OB-SEL-01")
@pytest.mark.parametrize(
    ("own", "expected"), [(None, CANCELLED), (SCHEDULED, SCHEDULED), ("EventRescheduled", "EventRescheduled")]
)
async def test_a_session_has_the_status_of_its_series_again_when_that_alone_is_imported(
    world: World, own: str | None, expected: str
) -> None:
    told = await import_(world.store, rpde(series()), rpde(session(eventStatus=own)))
    uuid = await book(world, told)
    line = (await import_(world.store, rpde(series(eventStatus=CANCELLED), modified=2)))[0]
    assert line.get("orders") == ({"cancelled": 1} if own is None else None)
    assert (await feed(world, SESSIONS))[told.path("sessions/1")]["eventStatus"].endswith(expected)
    cancelled = (await item_of(world, uuid))["orderItemStatus"].endswith("SellerCancelled")
    assert cancelled is (own is None)
    await import_(world.store, rpde(series(eventStatus=SCHEDULED), modified=3))
    status = (await feed(world, SESSIONS))[told.path("sessions/1")]["eventStatus"]
    assert status.endswith(SCHEDULED if own is None else expected)


@pytest.mark.spec("OB-BKBL-32", "OB-NOTIF-06")
async def test_a_session_lasts_as_long_as_its_series_says_again_when_that_alone_is_imported(world: World) -> None:
    told = await import_(world.store, rpde(series(duration="PT90M")), rpde(session(duration=None)))
    uuid = await book(world, told)
    await import_(world.store, rpde(series(duration="PT2H"), modified=2))
    assert (await feed(world, SESSIONS))[told.path("sessions/1")]["endDate"] == "2027-03-04T20:00:00Z"
    assert (await item_of(world, uuid))["orderedItem"]["endDate"] == "2027-03-04T20:00:00Z"
    await import_(world.store, rpde(series(), modified=3))
    assert "endDate" not in (await feed(world, SESSIONS))[told.path("sessions/1")]


ADULT, CHILD = ({**OFFER, "@id": f"x:{name}", "name": name, "price": price} for name, price in (("A", 6), ("C", 3)))


@pytest.mark.spec("OB-BKBL-31")
@pytest.mark.parametrize("named", ["x:C", ["x:C"], {"@id": "x:C"}, [{"@type": "Offer", "@id": "x:C"}]])
async def test_an_offer_that_a_session_names_by_its_id_alone_is_that_of_its_series(world: World, named: Any) -> None:
    told = await import_(world.store, rpde(series(offers=[ADULT, CHILD])), rpde(session(offers=named)))
    assert told.outcomes() == ["parent", "bookable"]
    await book(world, told)

    async def prices() -> list[float]:
        return [offer["price"] for offer in (await feed(world, SESSIONS))[told.path("sessions/1")].get("offers", [])]

    assert await prices() == [3]
    await import_(world.store, rpde(series(offers=[ADULT, {**CHILD, "price": 4}]), modified=2))
    assert await prices() == [4]
    await import_(world.store, rpde(series(offers=[ADULT]), modified=3))
    assert await prices() == []
    again = await import_(world.store, rpde(session(offers=named), modified=2))
    assert again.outcomes() == ["not bookable"]
    assert "Offers left out: 1 that it names are not known" in again[0]["remarks"]


async def test_a_parent_that_goes_takes_along_what_inherits_from_it(world: World) -> None:
    told = await import_(world.store, rpde(headline()), rpde(race(superEvent=HEADLINE_ID)))
    gone = await import_(world.store, deleted(headline()))
    assert {line["path"] for line in gone} == {told.path("gala"), told.path("x:race")}
    assert [line["reason"] for line in gone if line["path"] == told.path("x:race")] == ["its parent was withdrawn"]
