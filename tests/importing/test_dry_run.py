"""A dry run reports the same lines as the import, and changes nothing."""

from typing import Any

import pytest

from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.model.opportunity import SaleState
from support.http_system import Follower, World
from support.importing.made_up_imports import EVENTS, SESSIONS, book, import_
from support.importing.published_items import (
    deleted,
    event,
    facility,
    rpde,
    series,
    session,
    slot,
)
from support.parties import MANAGER, STUDIO

pytestmark = pytest.mark.anyio

CANCELLED = "https://schema.org/EventCancelled"

CHANGES: dict[str, list[Any]] = {
    "nothing": [rpde(series()), rpde(session())],
    "another time": [rpde(series()), rpde(session(startDate="2027-03-05T18:00:00Z"))],
    "cancelled": [rpde(series()), rpde(session(eventStatus=CANCELLED))],
    "cancelled with its series": [rpde(series(eventStatus=CANCELLED))],
    "cancelled with its series and again itself": [rpde(series(eventStatus=CANCELLED)), rpde(session())],
    "another name": [rpde(series(name="Judo")), rpde(session())],
    "deleted": [deleted(series()), deleted(session())],
    "series deleted, session not understood": [deleted(series()), rpde(session(eventStatus="Maybe"))],
    "series cancelled, session deleted": [rpde(series(eventStatus=CANCELLED)), deleted(session())],
    "not understood": [rpde(series()), rpde(session(eventStatus="Maybe"))],
    "new below new": [
        rpde(series(**{"@id": "x:s"})),
        rpde(session(7, superEvent="x:s")),
        rpde(facility()),
        rpde(slot()),
    ],
    "orphan": [rpde(session(8, superEvent="x:nobody"))],
    "another that nobody knows": [
        rpde(event(), id="5"),
        rpde(facility(), id="5"),
        {"state": "deleted", "kind": "x", "id": "5", "modified": 3},
    ],
    "other kind": [{"state": "deleted", "kind": "x", "id": session()["@id"], "modified": 3}],
}


@pytest.mark.parametrize("items", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("seller", ["centre", None])
async def test_a_dry_run_reports_the_same_and_changes_nothing(
    world: World, items: list[Any], seller: str | None
) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()), seller=seller)
    if seller:
        await book(world, told)
    orders = Follower(world, "/api/orders-rpde")
    before = [await world.read_feed(path) for path in (SESSIONS, "/feeds/session-series", EVENTS)]
    sellers = await world.store.sellers()
    await orders.news()
    dry = await import_(world.store, *items, seller=seller, dry_run=True)
    assert [await world.read_feed(path) for path in (SESSIONS, "/feeds/session-series", EVENTS)] == before
    assert (await orders.news(), await world.store.sellers()) == ({}, sellers)
    assert dry == await import_(world.store, *items, seller=seller)


@pytest.mark.parametrize("unpublished", ["series/1", "sessions/1", None])
async def test_a_dry_run_of_a_hand_over_reports_the_same(world: World, unpublished: str | None) -> None:
    told = await import_(world.store, rpde(series()), rpde(session()))
    if unpublished:
        state = SetSaleState(opportunity=told.path(unpublished), sale=SaleState.UNPUBLISHED, actor=MANAGER)
        await world.store.execute(state)
    items = (rpde(series()), rpde(session()))
    dry = await import_(world.store, *items, seller=STUDIO.key, hand_over=True, dry_run=True)
    assert dry == await import_(world.store, *items, seller=STUDIO.key, hand_over=True)
