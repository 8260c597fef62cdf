"""Inheritance: imported Opportunities inherit from their parents, also when only a parent is imported again."""

from typing import Any

import pytest

from support.http_system import World
from support.importing.made_up_imports import EVENTS, SESSIONS, book, feed, import_, item_of, left
from support.importing.published_items import (
    OFFER,
    SELLER,
    deleted,
    event,
    rpde,
    series,
    session,
)

pytestmark = pytest.mark.anyio


@pytest.mark.spec("OB-BKBL-32")
async def test_a_session_with_an_unreadable_offer_inherits_no_offer(world: World) -> None:
    own = {**OFFER, "@id": "https://provider.example.com/sessions/1#adult", "price": "£12.50"}
    told = await import_(world.store, series(), session(offers=own))
    assert told.outcomes() == ["parent", "not bookable"]
    assert "Offer 'Adult' left out: £12.50 is no price" in told[-1]["remarks"]
    data = (await feed(world, SESSIONS))[told.path("sessions/1")]
    assert not {"offers", "remainingAttendeeCapacity"} & data.keys()
    await book(world, told, status=409)
    told = await import_(world.store, series(), session())
    assert await left(world, told) == 5
    await book(world, told)


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


@pytest.mark.spec("OB-BKBL-32")
@pytest.mark.parametrize("embedded", [True, False])
async def test_a_race_without_dates_inherits_the_dates_of_its_headline_event(world: World, embedded: bool) -> None:
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
async def test_an_event_inherits_from_the_event_series_that_it_names(world: World, reference: Any, first: bool) -> None:
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


async def test_an_event_of_a_cancelled_event_series_is_cancelled(
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
async def test_an_import_of_a_series_alone_changes_the_status_of_its_session(
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
async def test_an_import_of_a_series_alone_changes_the_duration_of_its_session(world: World) -> None:
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
async def test_an_offer_named_by_its_id_alone_is_inherited_from_the_series(world: World, named: Any) -> None:
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


async def test_a_deleted_headline_event_withdraws_its_races(world: World) -> None:
    told = await import_(world.store, rpde(headline()), rpde(race(superEvent=HEADLINE_ID)))
    gone = await import_(world.store, deleted(headline()))
    assert {line["path"] for line in gone} == {told.path("gala"), told.path("x:race")}
    assert [line["reason"] for line in gone if line["path"] == told.path("x:race")] == ["its parent was withdrawn"]
