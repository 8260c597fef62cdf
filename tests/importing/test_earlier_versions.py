"""Opportunities that an earlier version imported keep their paths and their Orders."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from openbooking.booking.commands.opportunities.find_opportunities import GetOpportunity
from openbooking.booking.model.opportunity import Opportunity
from openbooking.importing.reading.source import Source
from openbooking.settings import AccessMode, Settings
from openbooking.store.migrate import run_in_migration, upgrade
from openbooking.system import open_identity_store, open_store
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import Clock
from support.databases.database_a3d1fe2 import load
from support.http_system import SITE, World, serving
from support.importing.made_up_imports import Told, import_
from support.importing.published_items import event, rpde
from support.parties import CENTRE, MANAGER

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parent / "databases"
KEPT: dict[str, Any] = json.loads((FOLDER / "a3d1fe2-imports.json").read_text(encoding="utf-8"))
ROWS = (FOLDER / "a3d1fe2-imports.sql").read_text(encoding="utf-8").splitlines()
KNOWN: dict[str, dict[str, Any]] = KEPT["opportunities"]
SHARED = "http://provider.example.com/odi.php"
NORTH, SOUTH = (Source(f"{SHARED}?club={club}", SHARED) for club in ("north", "south"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The database of the earlier version, migrated."""
    database = str(tmp_path / "earlier.sqlite3")
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        database = server.bare_database()
    run_in_migration(database, lambda connection: load(connection, ROWS))
    upgrade(database)
    return database


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A Booking System with the migrated database."""
    settings = Settings(site_url=SITE, database=database, access=AccessMode.API_KEY)
    clock = Clock()
    async with serving(settings, clock, open_store(settings, clock), open_identity_store(settings)) as opened:
        opened.judged = False
        yield opened


def paths_then(source: str) -> set[str]:
    return {path for path, known in KNOWN.items() if known["source"].startswith(f"{source}#")}


def path_then(name: str) -> str:
    (path,) = (path for path, known in KNOWN.items() if known["name"] == name)
    return path


def paths_now(told: Told) -> set[str]:
    return {line["path"] for line in told if line.get("path") and line["outcome"] != "seller"}


async def now(world: World, path: str) -> Opportunity:
    found = await world.store.execute(GetOpportunity(path, actor=MANAGER))
    assert isinstance(found, Opportunity)
    return found


async def booked(world: World, name: str) -> str:
    """Return the path of the Opportunity in the Order that booked the Opportunity with this name."""
    (item,) = (await world.call("GET", f"orders/{KEPT['booked'][name]}")).json()["orderedItem"]
    assert item["orderItemStatus"] == "https://openactive.io/OrderItemConfirmed"
    path = world.ids.parse_opportunity(item["orderedItem"]["@id"])
    assert path
    return path


@pytest.mark.spec("OB-ID-01", "OB-BKBL-28")
async def test_things_imported_under_a_source_name_keep_their_ids(world: World) -> None:
    for _ in range(2):
        told = await import_(world.store, *KEPT["files"], source="files")
        assert told.outcomes().count("not imported") == 0
        assert "withdrawn" not in told.outcomes()
        assert paths_now(told) == paths_then("files")


@pytest.mark.spec("OB-ID-01", "OB-BKBL-28")
async def test_rooms_numbered_by_an_earlier_version_keep_their_ids_in_another_order(world: World) -> None:
    item = json.loads(json.dumps(KEPT["files"][0]))
    item["data"]["subEvent"].reverse()
    told = await import_(world.store, item, source="files")
    assert told.path("Room A") == path_then("Room A")
    assert told.path("Room B") == path_then("Room B")
    assert await booked(world, "Room A") == path_then("Room A")
    assert (await now(world, path_then("Room A"))).properties["name"] == "Room A"


async def test_a_room_left_alone_is_not_taken_for_the_other_room(world: World) -> None:
    item = json.loads(json.dumps(KEPT["files"][0]))
    del item["data"]["subEvent"][0]
    told = await import_(world.store, item, source="files")
    assert told.path("Room B") == path_then("Room B")
    (gone,) = [line for line in told if line["outcome"] == "withdrawn"]
    assert (gone["path"], gone["orders"]) == (path_then("Room A"), {"kept": 1})
    assert await booked(world, "Room A") == path_then("Room A")


@pytest.mark.spec("OB-ID-01", "OB-BKBL-28")
async def test_a_feed_once_named_without_its_query_keeps_the_ids_of_its_items(
    world: World,
) -> None:
    south = [rpde(event(name="South judo", startDate="2027-06-05T10:00:00Z", **{"@id": None}), id="1")]
    told = await import_(world.store, *south, source=SOUTH)
    assert not paths_now(told) & KNOWN.keys()
    told = await import_(world.store, *KEPT["query"], source=NORTH)
    assert paths_now(told) == paths_then(SHARED)
    await import_(world.store, *south, source=SOUTH)
    assert await booked(world, "North yoga") == path_then("North yoga")
    assert (await now(world, path_then("North yoga"))).properties["name"] == "North yoga"
    assert await booked(world, "Lane") == path_then("Lane")


async def test_a_seller_once_identified_by_name_and_feed_stays_the_same(world: World) -> None:
    before = await world.store.sellers()
    source = Source("http://club.example.com/feed.php?v=2", "http://club.example.com/feed.php")
    told = await import_(world.store, *KEPT["named"], source=source, seller=None)
    assert told.outcomes() == ["bookable"]
    assert await world.store.sellers() == before


@pytest.mark.parametrize("kind", ["FacilityUse", "Centre.FacilityUse", "facility", ""])
async def test_items_of_an_earlier_version_are_withdrawn_when_deleted(world: World, kind: str) -> None:
    deletion = {"state": "deleted", "kind": kind, "id": "f1", "modified": 5}
    told = await import_(world.store, deletion, source="files", seller=CENTRE.key)
    assert told.outcomes() == ["withdrawn"] * 3
