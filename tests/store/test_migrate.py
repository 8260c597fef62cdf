"""The schema, on every database."""

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from earlier import STOCKED, as_before, copy, insert, meaning, rows_of
from openbooking.booking.approval import DecideProposal
from openbooking.booking.command import Command
from openbooking.booking.erasure import ErasePersonalData
from openbooking.booking.order import Caller, Order, fingerprint_of
from openbooking.booking.proposal import BookProposal, Propose
from openbooking.booking.publish import Publish, PublishSeller
from openbooking.booking.store import StoreUnavailableError
from openbooking.identity.access import ByApiKey
from openbooking.identity.digests import digest
from openbooking.identity.scopes import Scope
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_order import OrderWriter
from openbooking.settings import Settings
from openbooking.spec.ids import Identifiers
from openbooking.store.identity_schema import TABLES
from openbooking.store.location import without_password
from openbooking.store.migrate import SchemaError, _config, connected, prepare, upgrade
from openbooking.store.schema import REVISION, metadata
from openbooking.system import open_identity_store, open_store
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.proposal_tests import approved_session
from openbooking.testing.samples import ALICE, SELLER, START, book, cancel, fresh, order, quote, session
from openbooking.testing.store_tests import UUID


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema."""
    if request.param == "sqlite":
        return str(tmp_path / "x.sqlite3")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.bare_database()


def test_the_migrations_make_the_schema_that_statements_are_written_for(database: str) -> None:
    def is_described(name: str | None, kind: str, _: object) -> bool:
        """Partitions are described with the table that they are part of."""
        return kind != "table" or re.fullmatch(r"personal_data_\d+", name or "") is None

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_name": is_described})
        return list(compare_metadata(context, metadata))

    assert set(TABLES.values()) <= set(metadata.tables.values())
    assert upgrade(database) == upgrade(database)
    assert connected(database, differences) == []
    assert upgrade(database) == REVISION


def test_a_newer_schema_is_refused_and_left_alone(database: str) -> None:
    def set_revision(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    def revision(connection: Connection) -> object:
        return connection.scalar(text("SELECT version_num FROM alembic_version"))

    prepare(database)
    connected(database, set_revision)
    for open_ in (prepare, upgrade):
        with pytest.raises(SchemaError, match="newer"):
            open_(database)
    assert connected(database, revision) == "9999"


def test_several_may_set_up_one_new_database(database: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(prepare, [database] * 4)) == [None] * 4


def test_a_migration_that_fails_leaves_nothing_behind(database: str) -> None:
    def half(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE half (done integer)"))
        raise ZeroDivisionError

    def tables(connection: Connection) -> list[str]:
        return inspect(connection).get_table_names()

    with pytest.raises(ZeroDivisionError):
        connected(database, half)
    assert connected(database, tables) == []


def make_version_1(connection: Connection) -> None:
    """A database of the version before grants, with two partners and an Order."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")
    partners: list[dict[str, Any]] = [
        {"key": "alice", "name": "Alice", "key_digest": digest("obk_alice"), "sellers": None},
        {"key": "bob", "name": "Bob", "key_digest": digest("obk_bob"), "sellers": ["centre", "studio"]},
    ]
    order = {"partner": "bob", "uuid": UUID, "kind": "order", "seller": "studio", "updated": True}
    for partner in partners:
        add = text("INSERT INTO partner (key, key_digest, document) VALUES (:key, :key_digest, :document)")
        connection.execute(add, {**partner, "document": json.dumps(partner).encode()})
    add = text(
        "INSERT INTO record (partner, uuid, kind, updated, document) VALUES (:partner, :uuid, :kind, :updated, :d)"
    )
    connection.execute(add, {**order, "d": json.dumps(order).encode()})


def test_partners_of_the_first_schema_keep_their_keys_sellers_and_orders(database: str) -> None:
    def records(connection: Connection) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in connection.execute(text("SELECT partner, seller, withheld FROM record"))]

    async def callers() -> list[Caller]:
        store = open_identity_store(Settings(database=database))
        by_api_key = ByApiKey(store, lambda: START)
        found = [
            await by_api_key({"authorization": f"Bearer obk_{name}"}, Scope.OPENBOOKING) for name in ("alice", "bob")
        ]
        await store.close()
        return found

    connected(database, make_version_1)
    assert upgrade(database) >= "0002"
    assert asyncio.run(callers()) == [Caller("alice"), Caller("bob", frozenset({"centre", "studio"}))]
    assert connected(database, records) == [("bob", "studio", False)]


def reply(order: object) -> bytes:
    """What the Broker is sent."""
    assert isinstance(order, Order)
    return OrderWriter(Writer(Identifiers("https://kit.example.com/api")), None).reply(order)


@pytest.mark.spec("OB-B-10", "OB-APP-16", "OB-APP-35")
def test_what_was_sold_with_the_first_schema_is_as_it_was_after_the_upgrade(database: str, tmp_path: Path) -> None:
    """Orders, Leases, places and feeds, with their numbers; repeats of B and P get what they got."""
    booked, cancelled, approved, proposed = (fresh() for _ in range(4))
    stocked = str(tmp_path / "stocked.sqlite3")
    p = [Propose(caller=ALICE, uuid=uuid, request=order("trip"), version=uuid) for uuid in (approved, proposed)]
    commands: list[Command] = [book(booked, "yoga"), BookProposal(caller=ALICE, uuid=approved, version=approved), p[1]]
    fingerprints = {
        booked: order("yoga").fingerprint(),
        cancelled: order("yoga", "yoga").fingerprint(),
        approved: fingerprint_of((approved, None)),
        proposed: order("trip").fingerprint(),
    }

    async def sell() -> list[bytes]:
        store = open_store(Settings(database=stocked), lambda: START)
        await store.execute(PublishSeller(SELLER))
        await store.execute(Publish(session("yoga", 5)))
        await store.execute(Publish(approved_session("trip", 5)))
        await store.execute(p[0])
        await store.execute(DecideProposal(order=p[0].key, accept=True))
        first = [reply(await store.execute(step)) for step in commands]
        await store.execute(book(cancelled, "yoga", "yoga"))
        await store.execute(cancel(cancelled, 1))
        await store.execute(quote(fresh(), "yoga"))
        await store.close()
        return first

    async def look() -> tuple[object, Any, list[bytes], object]:
        store = open_store(Settings(database=database), lambda: START)
        again = [reply(await store.execute(step)) for step in commands]
        over = await store.execute(ErasePersonalData(over_before=START + timedelta(days=11)))
        found = await store.audit(), await store.figures({}), again, over
        await store.close()
        return found

    def fill(connection: Connection) -> None:
        make_version_1(connection)
        connection.execute(text("DELETE FROM record"))
        connection.execute(text("DELETE FROM counter"))
        insert(connection, as_before(sold, fingerprints))

    prepare(stocked)
    first = asyncio.run(sell())
    sold = connected(stocked, lambda connection: rows_of(connection, STOCKED))
    assert all(sold.values())
    connected(database, fill)
    upgrade(database)
    kept = connected(database, lambda connection: rows_of(connection, STOCKED))
    assert meaning(as_before(kept, fingerprints)) == meaning(as_before(sold, fingerprints))
    findings, figures, again, over = asyncio.run(look())
    assert (findings, figures.leases, again, over) == ([], 2, first, 3)


@pytest.mark.spec("OB-B-10")
def test_fingerprints_that_were_not_keyed_are_gone_from_the_file(tmp_path: Path) -> None:
    """So is what a closed proposal was known by, which has no personal data to keep a key in."""
    stocked, earlier = str(tmp_path / "stocked.sqlite3"), tmp_path / "earlier"
    earlier.mkdir()
    database, booked, proposed = str(earlier / "x.sqlite3"), fresh(), fresh()
    p = Propose(caller=ALICE, uuid=proposed, request=order("trip"), version=proposed)

    async def sell() -> None:
        store = open_store(Settings(database=stocked), lambda: START)
        await store.execute(PublishSeller(SELLER))
        for family in (session("yoga", 5), approved_session("trip", 5)):
            await store.execute(Publish(family))
        await store.execute(book(booked, "yoga"))
        await store.execute(p)
        await store.close()

    def on_disk() -> bytes:
        return b"".join(file.read_bytes() for file in earlier.iterdir())

    prepare(stocked)
    asyncio.run(sell())
    fingerprints = {booked: order("yoga").fingerprint(), proposed: order("trip").fingerprint()}
    copy(stocked, database, fingerprints)
    forget = text("DELETE FROM personal_data WHERE uuid = :uuid")
    connected(database, lambda connection: connection.execute(forget, {"uuid": proposed}))
    assert all(digest.encode() in on_disk() for digest in fingerprints.values())
    upgrade(database)
    assert not any(digest.encode() in on_disk() for digest in fingerprints.values())


@pytest.mark.parametrize(
    "database", ["/nowhere/x.sqlite3", "postgresql://user:secret@127.0.0.1:9/none?password=secret"]
)
def test_a_database_that_cannot_be_opened_is_told_without_its_password(database: str) -> None:
    with pytest.raises(StoreUnavailableError, match="cannot be opened") as told:
        prepare(database)
    assert "secret" not in str(told.value)
    assert without_password(database) in str(told.value)


def test_a_postgresql_database_is_prepared_once_and_from_then_on_only_asked(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared, bare = postgres.bare_database(), postgres.bare_database()
    prepare(prepared)
    with monkeypatch.context() as patched:
        patched.setattr("openbooking.store.migrate.connected", None)
        prepare(prepared)
        with pytest.raises(TypeError):
            prepare(bare)
    monkeypatch.setattr("openbooking.store.migrate._OLDEST_POSTGRES", 990_000)
    with pytest.raises(SchemaError, match="15 or newer"):
        prepare(prepared)
