"""On a full disk, commands that store more data are refused; reads, deletions and cancellations go on."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.orders.delete import DeleteOrder, DeleteQuote
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.order import Order
from openbooking.booking.model.record import Record
from openbooking.booking.store import ORDERS, Feed, StoreUnavailableError
from openbooking.openactive.errors import UnknownOrderError
from openbooking.store.sql import SqlStore
from openbooking.store.sqlite.database import SqliteDatabase
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import (
    ALICE,
    EMAIL,
    MANAGER,
    SELLER,
    SESSIONS,
    Clock,
    book,
    cancel,
    fresh,
    quote,
    read_feed,
    session,
    spaces_left,
)
from openbooking.testing.stores.proposal_tests import approved_session, propose
from support.databases.opened_stores import opened
from support.databases.small_disk import MIB, SmallDisk, small_disk
from support.postgres_sessions import connected
from support.sqlite_files import on_disk, open_at

pytestmark = pytest.mark.anyio


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 48 * MIB) as mounted:
        yield mounted


async def stock(store: SqlStore) -> list[str]:
    """Publish two sessions and book 20 Orders; return their UUIDs."""
    await store.execute(PublishSeller(SELLER, actor=MANAGER))
    await store.execute(Publish((*session("yoga", 100_000), *approved_session("trip", 10)), actor=MANAGER))
    uuids = [fresh() for _ in range(20)]
    for uuid in uuids:
        await store.execute(book(uuid, "yoga"))
    return uuids


async def execute_until_full(store: SqlStore, make: Callable[[], Command[Any]], at_once: int = 8) -> None:
    """Carry out commands until one is refused because the disk is full."""
    fault: object = None
    while not isinstance(fault, Exception):
        made = [store.execute(make()) for _ in range(at_once)]
        fault = next(
            (one for one in await asyncio.gather(*made, return_exceptions=True) if isinstance(one, Exception)), None
        )
    assert isinstance(fault, StoreUnavailableError)
    assert "full" in str(fault)


def book_ten_spaces() -> Command[Any]:
    return book(fresh(), *["yoga"] * 10)


def storing_commands() -> list[Command[Any]]:
    return [
        book(fresh(), "yoga"),
        quote(fresh(), "yoga"),
        propose(fresh(), "trip"),
        Publish(session("spin", 5), actor=MANAGER),
        PublishSeller(SELLER, actor=MANAGER),
    ]


async def check_allowed_commands(store: SqlStore, uuids: list[str], leased: str) -> None:
    """Check that commands that store more are refused, and carry out each kind of command that stores nothing more."""
    assert [await refused(store, command) for command in storing_commands()] == [True] * 5
    left = await spaces_left(store, "yoga")
    for uuid in uuids[:5]:
        await store.execute(DeleteOrder(caller=ALICE, uuid=uuid))
    for uuid in uuids[5:10]:
        await store.execute(cancel(uuid, 1))
    await store.execute(DeleteQuote(caller=ALICE, uuid=leased))
    assert left is not None
    assert await spaces_left(store, "yoga") == left + 11
    assert len(await read_feed(store, Feed(ORDERS, "alice"))) == 5
    assert isinstance(await store.execute(GetOrder(caller=ALICE, uuid=uuids[11])), Record)
    assert isinstance(await store.execute(book(uuids[11], "yoga")), Order)
    await store.execute(ExpireLeases())


async def refused(store: SqlStore, command: Command[Any]) -> bool:
    try:
        await store.execute(command)
    except StoreUnavailableError as fault:
        return "full" in str(fault)
    return False


async def test_on_a_full_disk_sqlite_deletes_cancels_and_reads(disk: SmallDisk) -> None:
    path, clock = disk.folder / "x.sqlite3", Clock()
    store = open_at(path, clock)
    uuids = await stock(store)
    leased = quote(fresh(), "yoga")
    await store.execute(leased)
    disk.fill(but=MIB)
    await execute_until_full(store, book_ten_spaces)
    await check_allowed_commands(store, uuids, leased.uuid)
    await store.forget_deleted(clock())
    disk.clear()
    assert [await refused(store, command) for command in storing_commands()] == [False] * 5
    await store.close()


async def test_commands_in_a_batch_with_a_refused_booking_are_carried_out(disk: SmallDisk) -> None:
    store = open_at(disk.folder / "x.sqlite3")
    uuids = await stock(store)
    disk.fill(but=MIB)
    await execute_until_full(store, book_ten_spaces)
    asked: list[Command[Any]] = [book(fresh(), "yoga"), DeleteOrder(caller=ALICE, uuid=uuids[0]), cancel(uuids[1], 1)]
    outcomes = await asyncio.gather(*map(store.execute, asked), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailableError, type(None), type(None)]
    await store.close()


async def test_a_released_reserve_is_respected_by_every_process(disk: SmallDisk) -> None:
    path = disk.folder / "x.sqlite3"
    one, other = open_at(path), open_at(path)
    uuids = await stock(one)
    await other.execute(book(fresh(), "yoga"))
    disk.fill(but=MIB)
    await execute_until_full(one, book_ten_spaces)
    free = disk.free
    assert await refused(other, book(fresh(), "yoga"))
    assert disk.free == free
    await other.execute(cancel(uuids[0], 1))
    await one.close()
    await other.close()


async def test_a_server_starts_on_a_full_disk(disk: SmallDisk) -> None:
    """SQLite removes the files beside a database that is closed, and needs space to make them again."""
    path = disk.folder / "x.sqlite3"
    store = open_at(path)
    uuids = await stock(store)
    await store.close()
    disk.fill()
    store = open_at(path)
    assert isinstance(await store.execute(GetOrder(caller=ALICE, uuid=uuids[0])), Record)
    await store.execute(DeleteOrder(caller=ALICE, uuid=uuids[0]))
    assert await refused(store, book(fresh(), "yoga"))
    await store.close()


async def test_bookings_go_on_once_enough_has_been_deleted(disk: SmallDisk) -> None:
    """The disk has no more space than before, but the file has free pages."""
    store = open_at(disk.folder / "x.sqlite3", Clock())
    await stock(store)
    disk.fill(but=26 * MIB)
    booked: list[str] = []

    def large_order() -> Command[Any]:
        booked.append(fresh())
        return book(booked[-1], *["yoga"] * 100)

    await execute_until_full(store, large_order, at_once=4)
    assert await refused(store, book(fresh(), "yoga"))
    while await refused(store, book(fresh(), "yoga")):
        with suppress(UnknownOrderError):
            await store.execute(DeleteOrder(caller=ALICE, uuid=booked.pop()))
    assert disk.free < 32 * MIB
    await store.close()


async def test_erased_data_leaves_a_full_disk(disk: SmallDisk) -> None:
    path, clock = disk.folder / "x.sqlite3", Clock()
    store = open_at(path, clock)
    await store.execute(PublishSeller(SELLER, actor=MANAGER))
    await store.execute(Publish(session("yoga", 5), actor=MANAGER))
    uuid = fresh()
    await store.execute(book(uuid, "yoga"))
    await store.execute(DeleteOrder(caller=ALICE, uuid=uuid))
    disk.fill()
    await store.forget_deleted(clock())
    assert EMAIL.encode() not in on_disk(disk.folder)
    await store.close()


async def test_without_space_for_a_reserve_bookings_go_on_until_the_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 12 * MIB) as disk:
        store = open_at(disk.folder / "x.sqlite3")
        await stock(store)
        assert not (disk.folder / "x.sqlite3-reserve").exists()
        await execute_until_full(store, book_ten_spaces)
        assert len(await store.feed_items(SESSIONS, 0, 10)) == 2
        await store.close()


async def test_the_reserve_has_the_owner_and_permissions_of_the_database(disk: SmallDisk) -> None:
    path = disk.folder / "x.sqlite3"
    store = open_at(path)
    path.chmod(0o640)
    await store.execute(PublishSeller(SELLER, actor=MANAGER))
    kept = (disk.folder / "x.sqlite3-reserve").stat()
    assert (kept.st_mode & 0o777, kept.st_size) == (0o640, 16 * MIB)
    assert isinstance(store._database, SqliteDatabase)
    await store.close()


@pytest.fixture
def disk_of_server(postgres: PostgresServer) -> Iterator[tuple[SmallDisk, str]]:
    """Yield a small disk, and the URL of a database on it. The log of the server is on another disk."""
    with tempfile.TemporaryDirectory() as folder, small_disk(Path(folder) / "disk", 96 * MIB) as disk:
        Path(folder).chmod(0o755)
        postgres.own(disk.folder)
        url = postgres.new_database()
        name = urlsplit(url).path[1:]
        postgres.execute(f"CREATE TABLESPACE small LOCATION '{disk.folder}'")
        postgres.execute(f"ALTER DATABASE {name} SET TABLESPACE small")
        yield disk, url
        postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
        postgres.execute("DROP TABLESPACE small")


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    """Return the URL of a new database on a disk that does not become full."""
    return postgres.new_database()


@pytest.fixture
def frequent_upkeep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stores on PostgreSQL check their reserve every 0.05 seconds."""
    monkeypatch.setattr("openbooking.store.sql._TICK_SECONDS", 0.05)


async def until_reserved(url: str, *, held: bool) -> None:
    async with connected(url) as other:
        while (await other.fetchval("SELECT to_regclass('disk_reserve')") is not None) is not held:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def stocked(url: str) -> AsyncIterator[tuple[SqlStore, list[str]]]:
    """Yield an open store with some Orders, and their UUIDs."""
    async with opened(url) as store:
        yield store, await stock(store)


@pytest.mark.usefixtures("frequent_upkeep")
async def test_on_a_full_disk_postgresql_deletes_cancels_and_reads(
    disk_of_server: tuple[SmallDisk, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, url = disk_of_server
    async with stocked(url) as (store, uuids), opened(url) as other:
        leased = quote(fresh(), "yoga")
        await store.execute(leased)
        await other.execute(book(fresh(), "yoga"))
        await until_reserved(url, held=True)
        disk.fill(but=MIB)
        await execute_until_full(store, book_ten_spaces)
        await check_allowed_commands(store, uuids, leased.uuid)
        asked: list[Command[Any]] = [
            *storing_commands(),
            *(DeleteOrder(caller=ALICE, uuid=uuid) for uuid in uuids[12:15]),
        ]
        outcomes = await asyncio.gather(*map(store.execute, asked), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StoreUnavailableError] * 5 + [type(None)] * 3
        while not await refused(other, book(fresh(), "yoga")):
            await asyncio.sleep(0.01)
        await other.execute(cancel(uuids[15], 1))
        disk.clear()
        monkeypatch.setattr("openbooking.store.postgres.reserve.monotonic", lambda: monotonic() + 61)
        await until_reserved(url, held=True)
        while await refused(store, book(fresh(), "yoga")) or await refused(other, book(fresh(), "yoga")):
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("frequent_upkeep")
async def test_a_reserve_that_a_crash_has_emptied_is_made_again(postgres: PostgresServer, url: str) -> None:
    async with stocked(url):
        await until_reserved(url, held=True)
    postgres.kill()
    postgres.start()
    async with connected(url) as other:
        size = "SELECT pg_relation_size('disk_reserve')"
        assert await other.fetchval(size) == 0
        async with opened(url) as store:
            await store.execute(PublishSeller(SELLER, actor=MANAGER))
            while await other.fetchval(size) != 16 * MIB:
                await asyncio.sleep(0.01)


@pytest.mark.usefixtures("frequent_upkeep")
async def test_a_role_without_the_right_to_create_tables_has_no_reserve(url: str) -> None:
    async with connected(url) as other:
        await other.execute("CREATE ROLE plain LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO plain")
    with capture_logs() as logs:
        async with stocked(url.replace("openbooking@", "plain@")) as (store, _):
            while not logs:
                await asyncio.sleep(0.01)
            await store.execute(book(fresh(), "yoga"))
    assert [line["event"] for line in logs] == ["disk.no_reserve"]
