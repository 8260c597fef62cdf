"""What becomes of imported items in a store: published, updated, withdrawn, and never sold twice."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.publish import Publish, PublishSeller
from openbooking.booking.commands.sale_state import SetSaleState
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.store import Store, StoreUnavailableError
from openbooking.importing.errors import ImportRefusedError
from openbooking.openactive.errors import NotFoundError
from support.builders import PLACE
from support.http_system import Follower, World
from support.imports import SERIES, SESSIONS, SLOTS, book, feed, import_, left
from support.parties import CENTRE, MANAGER
from support.published_items import (
    OFFER,
    SELLER,
    SERIES_ID,
    course,
    deleted,
    event,
    facility,
    on_demand_event,
    rpde,
    series,
    session,
    slot,
)

pytestmark = pytest.mark.anyio


async def test_children_may_come_before_their_parents(world: World) -> None:
    court = {"@type": "IndividualFacilityUse", "@id": "https://x.example/court", "name": "Court 1"}
    court["aggregateFacilityUse"] = facility()["@id"]
    told = await import_(world.store, slot(1, facilityUse=court["@id"]), session(), court, facility(), series())
    assert told.outcomes() == ["parent", "parent", "parent", "bookable", "bookable"]
    assert (await feed(world, SESSIONS))[told.path("sessions/1")]["superEvent"].endswith(told.path("series/1"))
    assert (await feed(world, SLOTS))[told.path("slots/1")]["facilityUse"].endswith(told.path("court"))


async def test_events_of_every_kind_with_parents_and_without(world: World) -> None:
    lesson = event(**{"@id": "x:lesson"}, superEvent="https://provider.example.com/courses/1")
    heat = event(**{"@id": "x:heat"})
    gala = event(**{"@type": "HeadlineEvent", "@id": "x:gala"}, subEvent=[heat])
    told = await import_(world.store, lesson, gala, event(), on_demand_event(), course())
    assert told.outcomes() == ["bookable"] * 6
    events = await feed(world, "/feeds/events")
    assert events[told.path("x:lesson")]["superEvent"]["@id"].endswith(told.path("courses/1"))
    assert events[told.path("x:heat")]["superEvent"]["@id"].endswith(told.path("x:gala"))
    assert "superEvent" not in events[told.path("events/1")]
    assert events[told.path("courses/1")]["startDate"] == "2027-03-04"
    assert events[told.path("courses/1")]["endDate"] == "2027-03-11"


async def test_parents_and_children_may_be_imported_one_after_the_other(world: World) -> None:
    refused = await import_(world.store, session(), source="sessions")
    assert refused.reasons() == [f"parent not found: its superEvent {SERIES_ID} is not among what was imported"]
    await import_(world.store, series(), source="series")
    assert (await import_(world.store, session(), source="sessions")).outcomes() == ["bookable"]


@pytest.mark.spec("OB-BKBL-28")
async def test_a_second_import_of_the_same_items_changes_nothing(world: World) -> None:
    items = (rpde(series()), rpde(session()), facility(event=[slot(1)]))
    told = await import_(world.store, *items)
    before = [await world.read_feed(path) for path in (SESSIONS, SERIES, SLOTS)]
    assert [line.get("path") for line in await import_(world.store, *items)] == [line.get("path") for line in told]
    assert [await world.read_feed(path) for path in (SESSIONS, SERIES, SLOTS)] == before


async def test_changed_items_are_updated(world: World) -> None:
    told = await import_(world.store, series(), session())
    await import_(world.store, series(name="Pilates"), session(startDate="2027-03-05T18:00:00Z"))
    assert (await feed(world, SERIES))[told.path("series/1")]["name"] == "Pilates"
    assert (await feed(world, SESSIONS))[told.path("sessions/1")]["startDate"] == "2027-03-05T18:00:00Z"


@pytest.mark.spec("OB-NOTIF-06", "OB-OF-02")
async def test_orders_tell_of_another_time_name_and_place_and_of_nothing_else(world: World) -> None:
    items = [series(), session(), session(2)]
    told = await import_(world.store, *items)
    uuid, other = await book(world, told), await book(world, told, "sessions/2")
    news = Follower(world, "/api/orders-rpde")
    await import_(world.store, *items)
    assert await news.news() == {}
    items[1] = session(startDate="2027-03-05T18:00:00Z")
    await import_(world.store, *items)
    assert list(await news.news()) == [uuid]
    items[0] = series(name="Pilates", location={**PLACE, "name": "Town Hall"})
    await import_(world.store, *items)
    changed = await news.news()
    assert changed.keys() == {uuid, other}
    assert changed[uuid]["data"]["orderedItem"][0]["orderedItem"]["startDate"] == "2027-03-05T18:00:00Z"
    for order in (uuid, other):
        (booked,) = (await world.call("GET", f"orders/{order}")).json()["orderedItem"]
        shown = booked["orderedItem"]["superEvent"]
        assert (shown["name"], shown["location"]["name"]) == ("Pilates", "Town Hall")
    await import_(world.store, *items)
    assert await news.news() == {}


@pytest.mark.spec("OB-BKBL-32")
async def test_a_session_whose_own_offer_is_not_understood_is_not_sold_at_that_of_its_series(world: World) -> None:
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


@pytest.mark.spec("OB-BKBL-01")
@pytest.mark.parametrize(
    ("at_first", "booked", "later", "expected"),
    [(5, 2, 5, 3), (5, 2, 4, 2), (5, 2, 8, 6), (5, 2, 3, 1), (5, 2, 1, 0), (2, 2, 0, 0), (0, 0, 3, 3)],
)
async def test_places_sold_here_are_taken_off_what_the_provider_has_left(
    world: World, at_first: int, booked: int, later: int, expected: int
) -> None:
    told = await import_(world.store, series(), session(remainingAttendeeCapacity=at_first))
    for _ in range(booked):
        await book(world, told)
    assert await left(world, told) == at_first - booked
    for _ in range(2):
        await import_(world.store, series(), session(remainingAttendeeCapacity=later))
        assert await left(world, told) == expected
    for _ in range(expected):
        await book(world, told)
    await book(world, told, status=409)


async def test_deleted_items_are_withdrawn_and_their_bookings_stay(world: World) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    uuid = await book(world, told)
    again = await import_(world.store, rpde(series()), deleted(session()))
    assert again.outcomes() == ["parent", "withdrawn"]
    assert await feed(world, SESSIONS) == {}
    assert (await world.call("GET", f"orders/{uuid}")).status_code == 200
    await import_(world.store, rpde(series()), rpde(session(), modified=3))
    assert await left(world, told) == 4


async def test_a_deletion_of_an_unknown_item_changes_nothing(world: World) -> None:
    assert (await import_(world.store, deleted(session()), deleted(series()))).outcomes() == ["unmatched"] * 2


async def test_with_a_parent_go_its_children(world: World) -> None:
    await import_(world.store, rpde(series()), source="series")
    await import_(world.store, rpde(session()), source="sessions")
    told = await import_(world.store, deleted(series()), rpde(session(2)), source="series")
    assert told.reasons() == [f"parent not found: its superEvent {SERIES_ID} was deleted"]
    assert (await feed(world, SESSIONS), await feed(world, SERIES)) == ({}, {})


async def test_of_an_item_in_several_versions_the_latest_counts(world: World) -> None:
    versions = [rpde(session(remainingAttendeeCapacity=places), modified=places) for places in (1, 3, 2)]
    told = await import_(world.store, rpde(series()), *versions)
    assert told.outcomes() == ["superseded", "superseded", "parent", "bookable"]
    assert [line["reason"] for line in told[:2]] == ["superseded by a later version at page 3 item 1"] * 2
    assert await left(world, told) == 3
    assert (await import_(world.store, deleted(session(), modified=4), *versions)).outcomes()[-1] == "withdrawn"
    assert await feed(world, SESSIONS) == {}


async def test_of_two_items_with_one_id_one_is_imported_and_the_other_reported(world: World) -> None:
    one, other = rpde(series(), id="a"), rpde(series(name="Pilates"), id="a")
    same_thing = rpde(series(name="Swimming"), id="b")
    told = await import_(world.store, one, one, other, same_thing)
    assert told.outcomes() == ["superseded", "not imported", "not imported", "parent"]
    assert told.reasons() == [
        "duplicate id: the one at page 3 item 1 was imported instead",
        "duplicate id: the one at page 4 item 1 was imported instead",
    ]
    assert [data["name"] for data in (await feed(world, SERIES)).values()] == ["Swimming"]


async def test_an_item_that_becomes_another_thing_leaves_nothing_behind_to_be_sold(world: World) -> None:
    await import_(world.store, rpde(series()), rpde(session(), id="1"))
    told = await import_(world.store, rpde(series()), rpde(session(2), id="1"))
    assert set(await feed(world, SESSIONS)) == {told.path("sessions/2")}


async def test_slots_that_are_no_longer_embedded_are_withdrawn(world: World) -> None:
    await import_(world.store, facility(event=[slot(1), slot(2)]))
    told = await import_(world.store, facility(event=[slot(2), slot(3)]))
    assert set(await feed(world, SLOTS)) == {told.path("slots/2"), told.path("slots/3")}
    assert (await import_(world.store, facility(event=[slot(3)]))).outcomes() == ["parent", "bookable", "withdrawn"]
    assert set(await feed(world, SLOTS)) == {told.path("slots/3")}
    assert (await import_(world.store, facility())).outcomes() == ["parent", "withdrawn"]
    assert await feed(world, SLOTS) == {}


@pytest.mark.parametrize(
    "version",
    [
        rpde(session(startDate=None), modified=2),
        rpde(session(eventStatus="https://schema.org/EventCanceled"), modified=2),
        rpde(session(superEvent="https://provider.example.com/series/unknown"), modified=2),
        rpde(session(superEvent=series(eventStatus="EventMaybe")), modified=2),
        rpde(session(), modified=2) | {"data": None},
        rpde(session(), modified=2) | {"data": "text"},
        rpde(session() | {"@type": "Concert"}, kind="ScheduledSession", modified=2),
    ],
)
async def test_an_item_not_understood_any_more_is_off_sale_and_its_orders_stay(
    world: World, version: dict[str, Any]
) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    uuid = await book(world, told)
    again = await import_(world.store, rpde(series()), version)
    (off,) = [line for line in again if line["outcome"] == "off sale"]
    assert (off["path"], off["orders"]) == (told.path("sessions/1"), {"kept": 1})
    assert await feed(world, SESSIONS) == {}
    await book(world, told, status=409)
    (booked,) = (await world.call("GET", f"orders/{uuid}")).json()["orderedItem"]
    assert booked["orderItemStatus"].endswith("OrderItemConfirmed")
    back = await import_(world.store, rpde(series()), rpde(session(), modified=3))
    assert back.outcomes() == ["parent", "bookable"]
    await book(world, told)


@pytest.mark.parametrize("unpublished", ["series/1", "sessions/1"])
async def test_an_import_puts_nothing_on_sale_that_was_unpublished(world: World, unpublished: str) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    state = SetSaleState(opportunity=told.path(unpublished), sale=SaleState.UNPUBLISHED, actor=MANAGER)
    await world.store.execute(state)
    again = [rpde(series(name="Tango"), modified=2), rpde(session(remainingAttendeeCapacity=9), modified=2)]
    await import_(world.store, *again)
    assert await feed(world, SESSIONS) == {}
    await world.store.execute(replace(state, sale=SaleState.ON_SALE))
    ((path, data),) = (await feed(world, SESSIONS)).items()
    assert (path, data["remainingAttendeeCapacity"]) == (told.path("sessions/1"), 9)


async def test_a_parent_within_its_children_is_imported_with_them(world: World) -> None:
    told = await import_(world.store, rpde(session(1, superEvent=series())), rpde(session(2, superEvent=series())))
    assert told.outcomes() == ["parent", "bookable", "bookable"]
    await import_(world.store, deleted(session(1)), rpde(session(2, superEvent=series())))
    assert set(await feed(world, SESSIONS)) == {told.path("sessions/2")}


@pytest.mark.parametrize("together", [True, False])
async def test_a_parent_published_by_itself_is_better_than_a_copy(world: World, together: bool) -> None:
    copy = {"@type": "SessionSeries", "@id": SERIES_ID, "name": "Only a name"}
    items = [[rpde(series())], [rpde(session(superEvent=copy))]]
    for batch in [items[0] + items[1]] if together else items:
        told = await import_(world.store, *batch, seller=None)
        assert told.reasons() == []
    assert [data["name"] for data in (await feed(world, SERIES)).values()] == ["Yoga"]
    assert told.outcomes()[-1] == "bookable"


async def test_sellers_are_made_of_whom_the_items_name_and_then_left_alone(world: World) -> None:
    told = await import_(world.store, series(), session(), facility(), seller=None)
    assert [line["outcome"] for line in told] == ["seller", "parent", "parent", "bookable"]
    made = next(seller for seller in await world.store.sellers() if told[0]["path"] == f"sellers/{seller.key}")
    assert (made.name, made.properties) == ("Riverside Centre", {name: SELLER[name] for name in ("url", "address")})
    await world.store.execute(PublishSeller(CENTRE, actor=MANAGER))
    again = await import_(world.store, series(organizer={**SELLER, "name": "Other"}), session(), seller=None)
    assert [line["outcome"] for line in again] == ["parent", "bookable"]
    assert made in await world.store.sellers()


async def test_the_fullest_description_of_a_seller_is_taken(world: World) -> None:
    bare, reference = {"@id": SELLER["@id"], "name": "Riverside Centre"}, SELLER["@id"]
    items = (series(organizer=reference), series(**{"@id": "x:2"}, organizer=bare), facility())
    told = await import_(world.store, *items, seller=None)
    assert [line["outcome"] for line in told] == ["seller", "parent", "parent", "parent"]
    assert "remarks" not in told[0]


@pytest.mark.parametrize(
    ("item", "seller", "why"),
    [
        (series(organizer=None), None, "missing Seller: it has no organizer"),
        (series(organizer="https://example.com/nobody"), None, "missing Seller: Seller https://example.com/nobody"),
        (series(organizer=None), CENTRE.key, None),
    ],
)
async def test_nothing_is_imported_that_nobody_sells(
    world: World, item: dict[str, Any], seller: str | None, why: str | None
) -> None:
    told = await import_(world.store, item, session(), facility(), seller=seller)
    if why is None:
        assert told.reasons() == []
        return
    missing, orphan = told.reasons()
    assert missing.startswith(why)
    assert orphan.startswith("parent not found")
    assert len(told.outcomes()) == 3


@pytest.mark.spec("OB-BKBL-31")
async def test_a_child_is_sold_by_whom_its_parent_is_sold_by(world: World) -> None:
    other = {**SELLER, "@id": "https://other.example.com/", "name": "Other"}
    told = await import_(world.store, series(), session(organizer=other), seller=None)
    assert told[-1]["remarks"] == ["sold by Riverside Centre, not by Seller Other"]
    assert len(await world.store.sellers()) == 3


async def test_a_series_that_arrives_alone_stays_with_the_seller_that_only_its_sessions_name(world: World) -> None:
    told = await import_(world.store, series(organizer=None), session(organizer=SELLER), seller=None)
    assert told.outcomes() == ["parent", "bookable"]
    again = await import_(world.store, series(organizer=None, name="Judo"), seller=None)
    assert again.outcomes() == ["parent"]
    assert {data["name"] for data in (await feed(world, SERIES)).values()} >= {"Judo"}


async def test_an_unknown_seller_to_sell_everything_is_refused(world: World) -> None:
    with pytest.raises(ImportRefusedError, match="no Seller nobody"):
        await import_(world.store, series(), seller="nobody")


class Refusing:
    """A store that refuses to publish one path, or cannot be reached when asked to."""

    def __init__(self, store: Store, path: str, fault: Exception) -> None:
        self._store, self._path, self._fault = store, path, fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def execute(self, command: Command[Any]) -> Any:
        if isinstance(command, Publish) and any(item.path == self._path for item in command.opportunities):
            raise self._fault
        return await self._store.execute(command)


async def test_a_refused_item_does_not_affect_others_of_its_batch(world: World) -> None:
    items = (series(), session(1), session(2), session(3))
    path = (await import_(world.store, *items)).path("sessions/2")
    told = await import_(Refusing(world.store, path, NotFoundError("Refused.")), *items)
    assert sorted(told.outcomes()) == ["bookable", "bookable", "not imported", "off sale", "parent"]
    assert told.reasons() == ["Refused."]
    assert path not in await feed(world, SESSIONS)


async def test_a_database_that_cannot_be_reached_ends_the_import(world: World) -> None:
    path = (await import_(world.store, series())).path("series/1")
    with pytest.raises(StoreUnavailableError):
        await import_(Refusing(world.store, path, StoreUnavailableError("gone")), series())


HOSTILE = {
    "an item that is no object": b'{"items": [5, %b]}',
    "bytes that are no text": b'{"items": [{"@type": "Slot", "name": "\xff"}, %b]}',
    "half of a character": b'{"items": [{"@type": "Slot", "name": "x\\ud800"}, %b]}',
    "a number beyond all numbers": b'{"items": [{"@type": "Slot", "price": 1e999}, %b]}',
    "a number beyond the exact ones": b'{"items": [{"@type": "Slot", "@id": "x", "y": 99999999999999999999}, %b]}',
    "a NUL": b'{"items": [{"@type": "Slot", "@id": "a\\u0000b"}, %b]}',
    "an envelope in an envelope": b'{"items": [{"data": {"data": {}}}, %b]}',
    "a long text": b'{"items": [{"@type": "FacilityUse", "@id": "' + b"x" * 9_000_000 + b'"}, %b]}',
    "deep nesting": b'{"items": [{"@type": "Slot", "@id": "x", "y": ' + b"[" * 200 + b"]" * 200 + b"}, %b]}",
    "very deep nesting": b'{"items": [{"@type": "Slot", "y": ' + b"[" * 30_000 + b"]" * 30_000 + b"}, %b]}",
    "a terminal's command": b'{"items": [{"@type": "\\u001b[2J", "@id": "x"}, %b]}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_items_are_reported_and_do_not_affect_others(world: World, body: bytes, capsys: Any) -> None:
    told = await import_(world.store, body.replace(b"%b", json.dumps(series()).encode()))
    assert told.outcomes() == ["not imported", "parent"]
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert len(printed) < 2000


async def test_offers_that_are_left_out_are_reported(world: World) -> None:
    told = await import_(world.store, series(offers=[OFFER, {"@type": "beta:IndicativeOffer", "name": "Guess"}]))
    assert told[0]["remarks"] == ["Offer 'Guess' left out: beta:IndicativeOffer is no Offer that can be booked"]
