"""Unreadable items: they are reported, go off sale, and do not affect other items."""

import json
from typing import Any

import pytest

from openbooking.importing.reading.entries import MAX_ITEM_BYTES
from support.http_system import World
from support.importing.made_up_imports import EVENTS, feed, import_
from support.importing.published_items import (
    event,
    rpde,
    series,
)

pytestmark = pytest.mark.anyio

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


SPOILT = {
    "half of a character": b'"\\ud800"',
    "bytes that are no text": b'"\xff"',
    "a number beyond all numbers": b"1e999",
    "a NUL": b'"a\\u0000b"',
    "deep nesting": b"[" * 100 + b"]" * 100,
    "a long text": b'"' + b"x" * MAX_ITEM_BYTES + b'"',
}


def spoil(thing: dict[str, Any], value: bytes) -> bytes:
    """Return a page with the item, in which an unreadable value replaces the name."""
    return b'{"items": [%b]}' % json.dumps(thing).encode().replace(b'"Run"', value)


@pytest.mark.parametrize("value", SPOILT.values(), ids=SPOILT)
@pytest.mark.parametrize("enveloped", [True, False])
async def test_an_unreadable_item_goes_off_sale(world: World, value: bytes, enveloped: bool) -> None:
    first, then = (rpde(event()), rpde(event(), modified=2)) if enveloped else (event(), event())
    assert (await import_(world.store, first)).outcomes() == ["bookable"]
    assert (await import_(world.store, spoil(then, value))).outcomes() == ["not imported", "off sale"]
    assert await feed(world, EVENTS) == {}


@pytest.mark.parametrize("type_", ["Evnt", None])
async def test_an_item_of_an_unknown_type_without_an_envelope_goes_off_sale(world: World, type_: str | None) -> None:
    await import_(world.store, event())
    told = await import_(world.store, event(**{"@type": type_}))
    assert told.outcomes() == ["not imported", "off sale"]
    assert await feed(world, EVENTS) == {}


@pytest.mark.parametrize("state", ["Deleted", "archived", 5])
async def test_an_item_with_an_unknown_state_goes_off_sale(world: World, state: Any) -> None:
    await import_(world.store, rpde(event()))
    told = await import_(world.store, rpde(event(), modified=2, state=state))
    assert told.outcomes() == ["not imported", "off sale"]
    assert told.reasons() == [f"its state {state} is not known"]
