"""Migrations and the check of the schema, on SQLite and PostgreSQL."""

import asyncio
import json
import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.orders.propose import Propose
from openbooking.booking.model.actor import UNKNOWN
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import Caller
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import Record
from openbooking.booking.rules.opportunities.matching_keys import set_matching_keys
from openbooking.booking.store import StoreUnavailableError
from openbooking.identity.authentication import ApiKeyAuthentication
from openbooking.identity.digests import digest
from openbooking.identity.partners.credentials import CredentialKind, replace_credential
from openbooking.identity.partners.last_use import LastUseRecorder
from openbooking.identity.provider import Provider
from openbooking.identity.records import Partner
from openbooking.identity.scopes import Scope
from openbooking.identity.sign_in.passwords import Passwords
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.openactive.ids import opportunity_path
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.settings import Settings
from openbooking.store.backends import SchemaError
from openbooking.store.documents import decode_opportunity, decode_record, encode, microseconds
from openbooking.store.identity.schema import TABLES
from openbooking.store.location import redact_password
from openbooking.store.memory import MemoryStore
from openbooking.store.migrate import prepare, run_in_migration, upgrade
from openbooking.store.schema import REVISION, metadata
from openbooking.system import open_identity_store, open_store
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import ALICE, MANAGER, SELLER, Clock, book, fresh, order, session
from openbooking.testing.store_case import UUID
from openbooking.testing.stores.proposal_tests import approved_session
from support.builders import NOW
from support.databases.database_0003 import copy
from support.databases.earlier_schemas import upgrade_to
from support.databases.schema_copies import copy_schema
from support.identity_provider import BROWSER, HASHER, IDS, PASSWORD, POLICY

pytestmark = pytest.mark.usefixtures("real_migrations")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a database without a schema."""
    if request.param == "sqlite":
        return str(tmp_path / "x.sqlite3")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.bare_database()


def test_migrations_make_the_schema_that_the_code_describes(database: str) -> None:
    def is_described(name: str | None, kind: str, _: object) -> bool:
        """Return False for partitions, which the description of their table includes."""
        return kind != "table" or re.fullmatch(r"personal_data_\d+", name or "") is None

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_name": is_described})
        return list(compare_metadata(context, metadata))

    assert set(TABLES.values()) <= set(metadata.tables.values())
    assert upgrade(database).is_new
    assert not upgrade(database).is_new
    assert run_in_migration(database, differences) == []
    assert upgrade(database).revision == REVISION


def test_a_copied_schema_is_that_of_the_migrations(tmp_path: Path) -> None:
    """The counters begin at the time of the migration, and migrations make indexes of a table in any order."""

    def contents(database: Path) -> list[str]:
        with closing(sqlite3.connect(database)) as connection:
            return sorted(line for line in connection.iterdump() if 'INTO "counter"' not in line)

    migrated, copied = tmp_path / "migrated.sqlite3", tmp_path / "copied.sqlite3"
    prepare(str(migrated))
    assert run_in_migration(str(copied), copy_schema) == (REVISION, True)
    assert contents(copied) == contents(migrated)


def test_a_newer_schema_is_refused_and_left_alone(database: str) -> None:
    def set_revision(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    def revision(connection: Connection) -> object:
        return connection.scalar(text("SELECT version_num FROM alembic_version"))

    prepare(database)
    run_in_migration(database, set_revision)
    for open_ in (prepare, upgrade):
        with pytest.raises(SchemaError, match="newer"):
            open_(database)
    assert run_in_migration(database, revision) == "9999"


def test_concurrent_processes_can_set_up_one_new_database(database: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(prepare, [database] * 4)) == [False, False, False, True]


def test_a_migration_that_fails_leaves_nothing_behind(database: str) -> None:
    def half(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE half (done integer)"))
        raise ZeroDivisionError

    def tables(connection: Connection) -> list[str]:
        return inspect(connection).get_table_names()

    with pytest.raises(ZeroDivisionError):
        run_in_migration(database, half)
    assert run_in_migration(database, tables) == []


def make_version_1(connection: Connection) -> None:
    """Make the database of the version before grants, with two partners and an Order."""
    upgrade_to("0001", connection)
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
        uses = LastUseRecorder(store, Clock())
        by_api_key = ApiKeyAuthentication(store, uses, Clock())
        found = [
            await by_api_key({"authorization": f"Bearer obk_{name}"}, Scope.OPENBOOKING) for name in ("alice", "bob")
        ]
        await uses.wait_until_written()
        await store.close()
        return found

    run_in_migration(database, make_version_1)
    assert upgrade(database).revision >= "0002"
    assert asyncio.run(callers()) == [Caller("alice"), Caller("bob", frozenset({"centre", "studio"}))]
    assert run_in_migration(database, records) == [("bob", "studio", False)]


def make_version_4(connection: Connection) -> None:
    """Fill the identity tables as the version before migration 0005 did."""
    upgrade_to("0004", connection)
    hashed, session, far = HASHER.hash(PASSWORD), digest("obn_ann"), NOW + timedelta(days=9)
    known = {"registered": NOW.isoformat(), "registered_by": "administrator"}
    for table, columns, document in (
        ("partner", {"key": "alice", "api_key_digest": digest("obk_alice")}, {"name": "Alice", **known}),
        ("partner", {"key": "bob", "api_key_digest": None}, {"name": "Bob", **known}),
        (
            "seller_user",
            {"name": "ann", "seller": "centre", "link_digest": None},
            {"role": "manager", "id": "1", "password_hash": hashed},
        ),
        (
            "user_session",
            {"digest": session, "username": "ann", "expires": microseconds(far)},
            {"account": "1", "started": NOW.isoformat(), "expires": far.isoformat()},
        ),
    ):
        row = {**columns, "revision": 1, "document": json.dumps({**columns, "revision": 1, **document}).encode()}
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def test_keys_passwords_and_sessions_stay_valid_after_migration_0005(database: str) -> None:
    """New features work with the migrated records too."""

    async def use() -> None:
        store, clock = open_identity_store(Settings(database=database)), Clock()
        provider = Provider(
            store=store,
            bookings=MemoryStore(policy=Policy(), writer=JsonLdFeedWriter(Writer(IDS)), clock=clock),
            policy=POLICY,
            ids=IDS,
            booking_service=None,
            clock=clock,
            passwords=Passwords(HASHER),
        )
        by_api_key = ApiKeyAuthentication(store, provider.last_use_recorder, clock)
        assert await provider.accounts.find_session("obn_ann")
        admission = await provider.accounts.sign_in("ann", PASSWORD, BROWSER)
        assert await provider.accounts.sign_in("ann", PASSWORD, BROWSER._replace(device=admission.device))
        for key in ("obk_alice", "obk_alice", "obk_new"):
            assert (await by_api_key({"authorization": f"Bearer {key}"}, Scope.OPENBOOKING)).partner == "alice"
            await provider.last_use_recorder.wait_until_written()
            (alice,) = await store.find(Partner, key="alice")
            if alice.former_api_key is None:
                until = clock() + timedelta(days=1)
                assert await store.save(
                    replace_credential(alice, CredentialKind.API_KEY, digest("obk_new"), clock(), until)
                )
        await provider.close()

    run_in_migration(database, make_version_4)
    assert upgrade(database).revision >= "0005"
    asyncio.run(use())


@pytest.mark.spec("OB-B-10")
def test_unkeyed_fingerprints_are_removed_from_the_file(tmp_path: Path) -> None:
    """This includes fingerprints of closed proposals, which have no personal data in which a key could be stored."""
    stocked, earlier = str(tmp_path / "stocked.sqlite3"), tmp_path / "earlier"
    earlier.mkdir()
    database, booked, proposed = str(earlier / "x.sqlite3"), fresh(), fresh()
    p = Propose(caller=ALICE, uuid=proposed, request=order("trip"), version=proposed)

    async def sell() -> None:
        store = open_store(Settings(database=stocked), Clock())
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        for family in (session("yoga", 5), approved_session("trip", 5)):
            await store.execute(Publish(family, actor=MANAGER))
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
    run_in_migration(database, lambda connection: connection.execute(forget, {"uuid": proposed}))
    assert all(digest.encode() in on_disk() for digest in fingerprints.values())
    upgrade(database)
    assert not any(digest.encode() in on_disk() for digest in fingerprints.values())


LOCATED: list[dict[str, Any]] = [
    {},
    {"location": "Hall"},
    {"location": ["Hall"], "activity": "Yoga"},
    {"location": {"@id": "https://example.com/1", "identifier": "1"}, "activity": ["Yoga", "Yoga"]},
    {"location": {"identifier": 1}, "activity": {"prefLabel": " Hot  Yoga "}},
    {"location": [{"identifier": {"@type": "PropertyValue", "value": "1"}}], "activity": [{"@id": "a"}, 1.5]},
    {"location": {"name": "Hällё", "address": {"postalCode": "te5 7ab"}}, "facilityType": [{"id": "b"}]},
    {"location": {"name": ["Hall"], "address": "1 High Street"}, "activity": [None, {}], "price": 0.1},
    {"activity": [{"@id": "http://openactive.io/activity-list/#1"}], "facilityType": "Court"},
]


def test_stored_opportunities_get_their_venue_and_activities(database: str) -> None:
    """There are more Opportunities than a page holds. An Opportunity without venue and activities keeps its bytes."""
    numbers = range(1_201)
    before = [
        Opportunity(
            path=opportunity_path(OpportunityType.SESSION_SERIES, f"k{number}"),
            type=OpportunityType.SESSION_SERIES,
            seller="centre",
            properties=LOCATED[number % len(LOCATED)],
        )
        for number in numbers
    ]

    def fill(connection: Connection) -> None:
        upgrade_to("0003", connection)
        add = text(
            "INSERT INTO opportunity (path, seller, source, booked, document) "
            "VALUES (:path, 'centre', '', 0, :document)"
        )
        for opportunity in before:
            connection.execute(add, {"path": opportunity.path, "document": encode(opportunity)})

    def documents(connection: Connection) -> dict[str, bytes]:
        return {row.path: row.document for row in connection.execute(text("SELECT path, document FROM opportunity"))}

    run_in_migration(database, fill)
    untouched = run_in_migration(database, documents)
    assert upgrade(database).revision >= "0004"
    found = run_in_migration(database, documents)
    for opportunity in before:
        now = decode_opportunity(found[opportunity.path])
        assert now == set_matching_keys(opportunity)
        assert (now == opportunity) is (found[now.path] == untouched[now.path])
    assert sum(found[path] != untouched[path] for path in found) > len(numbers) / 2


@pytest.mark.parametrize(("number", "noted"), [(1_700_000_000_000, 1_700_000_000_000_000), (9_999_999_999_999, None)])
def test_an_upgraded_database_notes_the_time_of_its_last_change(database: str, number: int, noted: int | None) -> None:
    """After a restore, the last change number may be ahead of the current time in milliseconds."""

    def last_change(connection: Connection) -> None:
        make_version_1(connection)
        connection.execute(text("UPDATE counter SET value = :number"), {"number": number})

    def read(connection: Connection) -> int:
        return int(connection.execute(text("SELECT value FROM counter WHERE name = 'noted'")).scalar_one())

    run_in_migration(database, last_change)
    before = time.time_ns() // 1000
    upgrade(database)
    found = run_in_migration(database, read)
    assert found == noted if noted else before <= found <= time.time_ns() // 1000


@pytest.mark.parametrize(
    "database", ["/nowhere/x.sqlite3", "postgresql://user:secret@127.0.0.1:9/none?password=secret"]
)
def test_the_error_for_a_database_that_cannot_be_opened_shows_no_password(database: str) -> None:
    with pytest.raises(StoreUnavailableError, match="cannot be opened") as told:
        prepare(database)
    assert "secret" not in str(told.value)
    assert redact_password(database) in str(told.value)


def test_a_prepared_postgresql_database_is_only_asked_for_its_revision(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared, bare = postgres.bare_database(), postgres.bare_database()
    prepare(prepared)
    with monkeypatch.context() as patched:
        patched.setattr("openbooking.store.migrate.run_in_migration", None)
        prepare(prepared)
        with pytest.raises(TypeError):
            prepare(bare)
    monkeypatch.setattr("openbooking.store.postgres.migration._OLDEST_VERSION", 990_000)
    with pytest.raises(SchemaError, match="15 or newer"):
        prepare(prepared)


def unstamped_row(name: str, uuid: str) -> dict[str, Any]:
    """Return the row of a record as the version before stamps stored it."""
    document = json.loads((Path(__file__).parent / "documents" / "record" / f"{name}.json").read_text())
    columns = {name: document.get(name, False) for name in ("partner", "kind", "seller", "updated", "withheld")}
    return {**columns, "uuid": uuid, "document": json.dumps({**document, "uuid": uuid}).encode()}


def test_records_from_before_stamps_get_unknown_stamps(database: str) -> None:
    """Orders, items, proposals and deleted Orders get them. A quote has no stamps."""
    names = {fresh(): name for name in ("order", "proposal", "deleted", "quote")}

    def make(connection: Connection) -> None:
        upgrade_to("0003", connection)
        columns = ("partner", "uuid", "kind", "updated", "seller", "withheld", "document")
        values = ", ".join(f":{column}" for column in columns)
        add = text(f"INSERT INTO record ({', '.join(columns)}) VALUES ({values})")
        for uuid, name in names.items():
            connection.execute(add, unstamped_row(name, uuid))

    def records(connection: Connection) -> dict[str, Record]:
        rows = connection.execute(text("SELECT uuid, document FROM record"))
        return {names[uuid]: decode_record(document, None) for uuid, document in rows}

    run_in_migration(database, make)
    upgrade(database)
    found = run_in_migration(database, records)
    order, proposal, deleted = (found[name] for name in ("order", "proposal", "deleted"))
    assert (order.booked, order.changed, order.proposed, order.deleted) == (UNKNOWN, UNKNOWN, None, None)
    assert {state.status.cancelled: state.cancelled for state in order.states} == {True: UNKNOWN, False: None}
    assert {state.changed for state in order.states} == {UNKNOWN}
    assert (proposal.booked, proposal.changed, proposal.proposed) == (None, UNKNOWN, UNKNOWN)
    assert proposal.proposal
    assert (proposal.proposal.decided, proposal.proposal.amended) == (UNKNOWN, UNKNOWN)
    assert (deleted.booked, deleted.changed, deleted.deleted) == (UNKNOWN, UNKNOWN, UNKNOWN)
    assert (found["quote"].changed, found["quote"].booked) == (None, None)
