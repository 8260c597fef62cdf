"""Erased personal data leaves the files of a real PostgreSQL server."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.erase_personal_data import ErasePersonalData
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.propose import Propose
from openbooking.booking.commands.orders.update_proposal import UpdateProposal
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import Order
from openbooking.booking.model.order_request import IntakeAnswer, OrderRequest
from openbooking.booking.rules.orders.fingerprint import keyed_fingerprint
from openbooking.store.documents import microseconds
from openbooking.store.migrate import upgrade
from openbooking.store.postgres.purge import ERASED_WITHIN, partition_name
from openbooking.store.schema import PERSONAL_DATA_PARTITIONS
from openbooking.store.sql import SqlStore
from openbooking.testing.postgres import SMALL_LOG, PostgresServer
from openbooking.testing.samples import ALICE, MANAGER, SELLER, Clock, book, fresh, order, session
from openbooking.testing.stores.proposal_tests import approved_session
from support.databases.database_0003 import copy
from support.databases.opened_stores import open_store

pytestmark = pytest.mark.anyio

STEP = timedelta(hours=2)
KEY = re.compile(rb"[0-9a-f]{64}")
Connection = asyncpg.Connection


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer(*SMALL_LOG) as running:
        yield running


@asynccontextmanager
async def opened(url: str, clock: Clock) -> AsyncIterator[tuple[SqlStore, "Connection[asyncpg.Record]"]]:
    """Yield a store that sells spaces of two sessions and of a trip on approval, and an administrator's connection."""
    store = open_store(url, clock=clock)
    administrator = await asyncpg.connect(url)
    try:
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        await store.execute(Publish(session("yoga", 1000), actor=MANAGER))
        await store.execute(Publish(_move_by_a_year(session("next-year", 1000)), actor=MANAGER))
        await store.execute(Publish(approved_session("trip", 10), actor=MANAGER))
        yield store, administrator
    finally:
        await administrator.close()
        await store.close()


def _move_by_a_year(family: tuple[Opportunity, Opportunity]) -> tuple[Opportunity, Opportunity]:
    """Return the session moved to a year later, and its series."""
    series, made = family
    assert made.start is not None
    return series, replace(made, start=made.start + timedelta(days=365), end=None)


class Person:
    """A Customer with random values that can be found in files. A long value is stored in TOAST."""

    def __init__(self) -> None:
        self.told = [secrets.token_hex(16) for _ in range(6)]
        self.note = secrets.token_hex(16)

    def asks_for(self, key: str) -> OrderRequest:
        email, name, telephone, attendee, answer, long = self.told
        asked = order(key, email=f"{email}@customer.example.com")
        person = {"@type": "Person", "givenName": name, "telephone": telephone, "note": secrets.token_hex(4000) + long}
        item = replace(
            asked.items[0],
            attendee={"@type": "Person", "email": attendee},
            intake_answers=(IntakeAnswer(sent={"@type": "PropertyValue", "value": answer}),),
        )
        return replace(asked, customer={**(asked.customer or {}), **person}, items=(item,))


def files(server: PostgresServer) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in server.data.rglob("*") if path.is_file()}


def files_with(kept: dict[Path, bytes], told: list[str]) -> dict[str, list[str]]:
    """Return the paths of the files that hold each of these texts; texts that no file holds are left out."""
    holders = {text: [str(path) for path, data in kept.items() if text.encode() in data] for text in told}
    return {text: paths for text, paths in holders.items() if paths}


async def until_complete(store: SqlStore, administrator: "Connection[asyncpg.Record]", clock: Clock) -> timedelta:
    """Let time pass, with upkeep and checkpoints, until all erasures are complete; return how long that took."""
    start = clock()
    while await administrator.fetchval("SELECT EXISTS (SELECT FROM erasure)"):
        assert clock() - start <= ERASED_WITHIN
        clock.move(STEP)
        await administrator.execute("CHECKPOINT")
        await store.forget_deleted(clock())
    return clock() - start


@pytest.mark.spec("OB-DEL-03", "OB-DEL-04", "OB-B-10")
async def test_erased_data_leaves_all_files_within_the_promised_days(server: PostgresServer) -> None:
    """This includes a deleted Order, a closed proposal with a replaced note, and an Order past its retention period."""
    clock, (deleted, proposed, over, kept) = Clock(), (Person(), Person(), Person(), Person())
    async with opened(server.new_database(), clock) as (store, administrator):
        booked = {person: _book(person, "yoga") for person in (deleted, over)} | {kept: _book(kept, "next-year")}
        asked = proposed.asks_for("trip")
        proposal = Propose(caller=ALICE, uuid=fresh(), request=asked, version=fresh(), nonce=fresh())
        commands: list[Command[Any]] = [*booked.values(), proposal]
        for command in commands:
            answer = await store.execute(command)
            assert isinstance(answer, Order)
            assert not answer.has_errors
        write = UpdateProposal(caller=ALICE, uuid=proposal.uuid, note=proposed.note)
        await store.execute(write)
        await administrator.execute("CHECKPOINT")
        told = [text for person in (deleted, proposed, over) for text in person.told] + [proposed.note]
        assert files_with(files(server), told).keys() == set(told)

        clock.move(timedelta(days=11))
        await store.execute(replace(write, note="We are two.", reject=True))
        await store.execute(ExpireLeases())
        await store.execute(DeleteOrder(caller=ALICE, uuid=booked[deleted].uuid))
        assert await store.execute(ErasePersonalData(over_before=clock())) == 1
        passed = await until_complete(store, administrator, clock)
        assert timedelta(days=1) <= passed <= ERASED_WITHIN

        left = files(server)
        assert files_with(left, told) == {}
        assert files_with(left, kept.told).keys() == set(kept.told)
        keys = {match.decode() for data in left.values() for match in KEY.findall(data)}
        requests = {person: command.request for person, command in booked.items()} | {proposed: asked}
        assert {person for person, request in requests.items() if confirmed(request, keys)} == {kept}


async def test_unkeyed_fingerprints_leave_the_files_after_the_upgrade(server: PostgresServer) -> None:
    stocked, earlier, clock, uuid = server.new_database(), server.bare_database(), Clock(), fresh()
    async with opened(stocked, clock) as (store, administrator):
        request = Person().asks_for("yoga")
        first = await store.execute(Book(caller=ALICE, uuid=uuid, request=request, nonce=fresh()))
        await asyncio.to_thread(copy, stocked, earlier, {uuid: request.fingerprint()})
        await administrator.execute("CHECKPOINT")
        assert files_with(files(server), [request.fingerprint()])
        await asyncio.to_thread(upgrade, earlier)
    clock.time = datetime.now(UTC)
    async with opened(earlier, clock) as (store, administrator):
        again = await store.execute(Book(caller=ALICE, uuid=uuid, request=request, nonce=fresh()))
        assert isinstance(first, Order)
        assert isinstance(again, Order)
        assert replace(again, personal=None) == replace(first, personal=None)
        await until_complete(store, administrator, clock)
        assert files_with(files(server), [request.fingerprint()]) == {}


def _book(person: Person, key: str) -> Book:
    return Book(caller=ALICE, uuid=fresh(), request=person.asks_for(key), nonce=fresh())


def confirmed(guess: OrderRequest, keys: set[str]) -> bool:
    """Return whether a file holds the fingerprint of this request, unkeyed or keyed with data on the disk."""
    digest = guess.fingerprint()
    return not keys.isdisjoint({digest, *(keyed_fingerprint(key, digest) for key in keys)})


async def test_bookings_go_on_while_partitions_are_rewritten(server: PostgresServer) -> None:
    clock = Clock()
    async with opened(server.new_database(), clock) as (store, administrator):
        uuids = [fresh() for _ in range(100)]
        await asyncio.gather(*(store.execute(book(uuid, "yoga")) for uuid in uuids))
        before = {number: await file_of(administrator, number) for number in range(PERSONAL_DATA_PARTITIONS)}
        await asyncio.gather(*(store.execute(DeleteOrder(caller=ALICE, uuid=uuid)) for uuid in uuids))
        await store.forget_deleted(clock())
        assert await file_of(administrator, 0) == before[0]
        clock.move(timedelta(days=1))
        wiping = asyncio.create_task(store.forget_deleted(clock()))
        answers = [await store.execute(book(fresh(), "yoga")) for _ in range(50)]
        await wiping
        assert all(not answer.has_errors for answer in answers)
        assert not [number for number, file in before.items() if await file_of(administrator, number) == file]
        after = await file_of(administrator, 0)
        clock.move(timedelta(days=1))
        await store.forget_deleted(clock())
        assert await file_of(administrator, 0) == after


async def file_of(administrator: "Connection[asyncpg.Record]", number: int) -> int:
    """Return the number of the file of a partition; rewriting changes it."""
    file: int = await administrator.fetchval("SELECT pg_relation_filenode($1::regclass)", partition_name(number))
    return file


@pytest.mark.parametrize("lock", [True, False], ids=["uses a partition", "may still read what was deleted"])
async def test_an_obstacle_to_erasure_is_logged_and_erasure_continues_afterwards(
    server: PostgresServer, *, lock: bool
) -> None:
    clock = Clock()
    async with opened(server.new_database(), clock) as (store, administrator):
        uuid = fresh()
        await store.execute(book(uuid, "yoga"))
        async with administrator.transaction(isolation="repeatable_read"):
            statement = "SELECT count(*) FROM personal_data" if lock else "SELECT count(*) FROM record"
            await administrator.fetchval(statement)
            await store.execute(DeleteOrder(caller=ALICE, uuid=uuid))
            clock.move(timedelta(days=1))
            with capture_logs() as logged:
                await store.forget_deleted(clock())
            assert [line["event"] for line in logged] == ["erasure.partition_not_rewritten"]
            clock.move(ERASED_WITHIN)
            with capture_logs() as logged:
                await store.forget_deleted(clock())
            assert logged[-1]["event"] == "erasure.overdue"
            await store.execute(book(fresh(), "yoga"))
        await until_complete(store, administrator, clock)


async def test_an_erasure_is_not_complete_while_a_replication_slot_keeps_the_log(server: PostgresServer) -> None:
    clock, uuid = Clock(), fresh()
    async with opened(server.new_database(), clock) as (store, administrator):
        await store.execute(book(uuid, "yoga"))
        await administrator.execute("SELECT pg_create_physical_replication_slot('held', true)")
        await store.execute(DeleteOrder(caller=ALICE, uuid=uuid))
        for _ in range(20):
            clock.move(timedelta(hours=12))
            await store.forget_deleted(clock())
            await administrator.execute("CHECKPOINT")
        assert await administrator.fetchval("SELECT array_agg(stage) FROM erasure") == [1]
        await administrator.execute("SELECT pg_drop_replication_slot('held')")
        await until_complete(store, administrator, clock)


@pytest.mark.parametrize("stage", [1, 2, 3])
async def test_log_positions_of_another_server_are_reset(server: PostgresServer, stage: int) -> None:
    """After a restore, positions may be far beyond the log. Advancing the log to them might fill the disk."""
    clock = Clock()
    async with opened(server.new_database(), clock) as (store, administrator):
        added = "INSERT INTO erasure VALUES ('alice', 'x', $1, $2, 1000000000000000)"
        await administrator.execute(added, microseconds(clock()), stage)
        clock.move(timedelta(days=6))
        await store.forget_deleted(clock())
        assert await administrator.fetchval("SELECT position FROM erasure") < 2**40
        clock.move(-timedelta(days=6))
        await until_complete(store, administrator, clock)


async def test_server_statistics_hold_no_personal_data(server: PostgresServer) -> None:
    async with opened(server.new_database(), Clock()) as (store, administrator):
        await asyncio.gather(*(store.execute(book(fresh(), "yoga")) for _ in range(300)))
        await administrator.execute("ANALYZE")
        gathered = "SELECT count(*) FROM pg_stats WHERE tablename LIKE 'personal_data%' AND attname = $1"
        assert await administrator.fetchval(gathered, "uuid") > 0
        assert await administrator.fetchval(gathered, "document") == 0
