"""Republishing updates feed items that show a changed Seller, and changes no other items, on every store."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.republish import Republish, publish_seller, republish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Opportunity, SaleState, Seller
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.store import Feed, Store, StoreUnavailableError
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.rpde import Item
from openbooking.openactive.terms import TaxMode
from openbooking.store.memory import MemoryStore
from openbooking.store.migrate import prepare
from openbooking.store.sql import SqlStore
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import Clock
from openbooking.testing.store_case import feed_writer
from support.builders import course, event, headline_event, on_demand_event, session, slot
from support.databases.opened_stores import open_store
from support.parties import CENTRE, MANAGER, STUDIO

pytestmark = pytest.mark.anyio

CHANGED = replace(CENTRE, name="Riverside Arena", tax_mode=TaxMode.NET, open_booking_allowed=False)
ADMINISTRATOR = Actor(ActorKind.ADMINISTRATOR, "test")
FEEDS = sorted({type_.feed for type_ in OpportunityType})


def family(seller: Seller, key: str) -> list[Opportunity]:
    """Return an Opportunity of each type, with its parents."""
    made = [
        *session(f"{key}-s", seller=seller),
        *slot(f"{key}-c", seller=seller),
        *slot(f"{key}-d", seller=seller, individual=False, capacity=5),
        *event(f"{key}-e"),
        *event(f"{key}-part", parent=headline_event(f"{key}-h")),
        *event(f"{key}-lesson", parent=course(f"{key}-k")),
        *on_demand_event(f"{key}-v"),
    ]
    return [replace(item, seller=seller.key, source=key) for item in made]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.new_database()
    if request.param == "memory":
        return ""
    prepare(str(tmp_path / "x.sqlite3"))
    return str(tmp_path / "x.sqlite3")


def open_at(database: str) -> Store:
    return open_store(database) if database else MemoryStore(policy=Policy(), writer=feed_writer(), clock=Clock())


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """Yield a store with two Sellers, who have an Opportunity of each type.

    Some Opportunities of the first Seller are withdrawn or not on sale.
    """
    opened = open_at(database)
    for seller in (CENTRE, STUDIO):
        await opened.execute(PublishSeller(seller, actor=MANAGER))
    for seller, key in ((CENTRE, "one"), (CENTRE, "gone"), (CENTRE, "hidden"), (STUDIO, "other")):
        await opened.execute(Publish(tuple(family(seller, key)), actor=MANAGER))
    for item in family(CENTRE, "hidden"):
        if item.parent is None:
            await opened.execute(SetSaleState(opportunity=item.path, sale=SaleState.UNPUBLISHED, actor=MANAGER))
    await opened.execute(Withdraw(sources=frozenset({"gone"}), actor=MANAGER))
    yield opened
    await opened.close()


async def items(store: Store) -> dict[str, Item]:
    """Return all items of the open feeds, by path."""
    found: dict[str, Item] = {}
    for name in FEEDS:
        after = 0
        while page := await store.feed_items(Feed(name), after, 5):
            found |= {item.id: item for item in page}
            after = page[-1].modified
    return found


def sellers_in(data: Any) -> list[dict[str, Any]]:
    """Return every organizer and provider that the item or a part of it names."""
    if isinstance(data, dict):
        own = [value for name, value in data.items() if name in ("organizer", "provider")]
        return own + [seller for value in data.values() for seller in sellers_in(value)]
    return [seller for value in data for seller in sellers_in(value)] if isinstance(data, list) else []


def data_of(item: Item) -> dict[str, Any]:
    assert item.data is not None
    found: dict[str, Any] = msgspec.json.decode(item.data)
    return found


async def test_every_item_that_shows_a_seller_shows_its_new_name(store: Store) -> None:
    before = await items(store)
    count = await publish_seller(store, CHANGED, ADMINISTRATOR)
    now = await items(store)
    assert now.keys() == before.keys()
    changed = {path for path in now if now[path] != before[path]}
    showing = {path for path, item in now.items() if item.data and sellers_in(data_of(item))}
    of_others = {item.path for item in family(STUDIO, "other")}
    assert changed == showing - of_others
    assert count == len(changed) == 10
    for path in changed:
        assert now[path].modified > before[path].modified
        told = sellers_in(data_of(now[path]))
        assert {(seller["name"], seller["taxMode"], seller["isOpenBookingAllowed"]) for seller in told} == {
            (CHANGED.name, CHANGED.tax_mode, False)
        }
        assert data_of(now[path]).keys() == data_of(before[path]).keys()
    assert all(now[path] == before[path] for path in before.keys() - changed)


async def test_withdrawn_and_unpublished_items_are_not_republished(store: Store) -> None:
    away = {item.path for key in ("gone", "hidden") for item in family(CENTRE, key)}
    before = await items(store)
    assert {path for path, item in before.items() if item.data is None} == away
    assert await store.execute(Republish(frozenset(away), actor=ADMINISTRATOR)) == 0
    await publish_seller(store, CHANGED, ADMINISTRATOR)
    now = await items(store)
    assert {path: now[path] for path in away} == {path: before[path] for path in away}


async def test_an_unchanged_item_gets_no_new_number(store: Store) -> None:
    before = await items(store)
    assert await publish_seller(store, CENTRE, ADMINISTRATOR) == 10
    assert await republish(store, CENTRE.key, ADMINISTRATOR, tuple(OpportunityType)) == 13
    assert await items(store) == before


async def test_republishing_again_completes_an_interrupted_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openbooking.booking.commands.opportunities.republish._AT_ONCE", 3)
    calls = 0

    class Crashing:
        async def execute(self, command: Command[Any]) -> Any:
            nonlocal calls
            calls += isinstance(command, Republish)
            if calls == 3:
                raise StoreUnavailableError
            return await store.execute(command)

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

    crashing: Any = Crashing()
    with pytest.raises(StoreUnavailableError):
        await publish_seller(crashing, CHANGED, ADMINISTRATOR)
    assert len(await names(store)) == 2
    assert await publish_seller(store, CHANGED, ADMINISTRATOR) == 10
    assert await names(store) == {CHANGED.name}
    if isinstance(store, SqlStore):
        assert await store.check_integrity() == []


async def names(store: Store) -> set[str]:
    """Return the names that the feeds show for the first Seller."""
    shown = [seller for item in (await items(store)).values() if item.data for seller in sellers_in(data_of(item))]
    return {seller["name"] for seller in shown if seller["@id"].endswith(CENTRE.key)}


@pytest.mark.parametrize("type_", OpportunityType)
def test_the_types_that_show_their_seller_are_declared(type_: OpportunityType) -> None:
    writer = JsonLdFeedWriter(Writer(Identifiers("https://kit.example.com/api")))
    by_path = {item.path: item for item in family(CENTRE, "one")}
    item = next(item for item in by_path.values() if item.type is type_)
    parents: list[Opportunity] = []
    while path := (parents or [item])[-1].parent:
        parents.append(by_path[path])
    written = msgspec.json.decode(writer.opportunity(item, Spaces(), parents, CENTRE))
    assert bool(sellers_in(written)) is type_.shows_seller
