"""What cannot be read in its latest version goes off sale, wherever in it the fault is, and reports say so."""

import json
from typing import Any

import pytest

from openbooking.importing.reading.entries import MAX_ITEM_BYTES
from openbooking.importing.reading.identity import Container, identify
from openbooking.importing.reading.source import named_source
from openbooking.openactive.opportunity_types import OpportunityType
from support.http_system import World
from support.imports import EVENTS, SESSIONS, book, feed, import_
from support.published_items import event, rpde, series, session

pytestmark = pytest.mark.anyio

SPOILT = {
    "half of a character": b'"\\ud800"',
    "bytes that are no text": b'"\xff"',
    "a number beyond all numbers": b"1e999",
    "a NUL": b'"a\\u0000b"',
    "deep nesting": b"[" * 100 + b"]" * 100,
    "a long text": b'"' + b"x" * MAX_ITEM_BYTES + b'"',
}


def spoil(thing: dict[str, Any], value: bytes) -> bytes:
    """A page with the item, of which a value that nobody looks at is this."""
    return b'{"items": [%b]}' % json.dumps(thing).encode().replace(b'"Run"', value)


@pytest.mark.parametrize("value", SPOILT.values(), ids=SPOILT)
@pytest.mark.parametrize("enveloped", [True, False])
async def test_an_item_that_is_spoilt_goes_off_sale(world: World, value: bytes, enveloped: bool) -> None:
    first, then = (rpde(event()), rpde(event(), modified=2)) if enveloped else (event(), event())
    assert (await import_(world.store, first)).outcomes() == ["bookable"]
    assert (await import_(world.store, spoil(then, value))).outcomes() == ["not imported", "off sale"]
    assert await feed(world, EVENTS) == {}


@pytest.mark.parametrize("type_", ["Evnt", None])
async def test_an_item_without_an_envelope_and_of_no_known_type_goes_off_sale(world: World, type_: str | None) -> None:
    await import_(world.store, event())
    told = await import_(world.store, event(**{"@type": type_}))
    assert told.outcomes() == ["not imported", "off sale"]
    assert await feed(world, EVENTS) == {}


@pytest.mark.parametrize("state", ["Deleted", "archived", 5])
async def test_an_item_in_a_state_that_is_not_known_goes_off_sale(world: World, state: Any) -> None:
    await import_(world.store, rpde(event()))
    told = await import_(world.store, rpde(event(), modified=2, state=state))
    assert told.outcomes() == ["not imported", "off sale"]
    assert told.reasons() == [f"its state {state} is not known"]


@pytest.mark.parametrize("dry_run", [True, False])
async def test_children_of_a_parent_not_understood_are_not_reported_as_bookable(world: World, dry_run: bool) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    later = (rpde(series(eventStatus="Maybe"), modified=2), rpde(session(), modified=2))
    again = await import_(world.store, *later, dry_run=dry_run)
    assert again.outcomes() == ["not imported", "not bookable", "off sale"]
    assert again[1]["reason"] == "Its parent is not understood."
    if not dry_run:
        await book(world, told, status=409)
        assert await feed(world, SESSIONS) == {}


@pytest.mark.parametrize("alike", [1, 50, 50_000])
def test_former_paths_are_bounded_however_many_take_place_at_once(alike: int) -> None:
    former = tuple(f"sessions/{number}" for number in range(100))
    container = Container("sessions/x", former, "subEvent", alike=alike)
    thing = {"name": "Yoga", "startDate": "2027-03-04T18:00:00Z"}
    identity = identify(thing, OpportunityType.SCHEDULED_SESSION, named_source("x"), container=container, rpde=None)
    assert len(identity.former) <= 200


async def test_a_deletion_whose_id_is_a_decimal_number_deletes(world: World) -> None:
    await import_(world.store, rpde(event(), id=1.0))
    told = await import_(world.store, {"state": "deleted", "kind": "Event", "id": 1.0, "modified": 2})
    assert told.outcomes() == ["withdrawn"]
    assert await feed(world, EVENTS) == {}
