"""Each command has one deadline, and waits for nobody who keeps locked what it does not need."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from openbooking.booking.commands.expire_leases import ExpireLeases
from openbooking.booking.commands.publish import Publish, PublishSeller
from openbooking.booking.commands.set_sale_state import SetSaleState
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.order import BookedOrder, Order
from openbooking.booking.store import StoreUnavailableError
from openbooking.store.backends import backend_of
from openbooking.store.migrate import prepare
from openbooking.store.postgres.pool import StaleConnectionError, detecting_loss
from openbooking.store.sql import SqlStore
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import (
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
    session_path,
)
from openbooking.testing.stores.identity_tests import grant
from store.test_postgres import LOCK, connected, until_waiting
from support.opened_stores import open_store, opened, postgres_driver

pytestmark = pytest.mark.anyio

# So many commands want the same row: more than there are connections, and than a batch has commands.
MANY = 40
SHORT, LONG = 1.5, 60.0


@pytest.fixture
async def url(postgres: PostgresServer) -> str:
    """A database that sells plenty of places of yoga and of spin."""
    url = postgres.new_database()
    async with opened(url, command_seconds=LONG) as store:
        await stock(store)
    return url


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A prepared SQLite file."""
    prepare(str(tmp_path / "x.sqlite3"))
    return tmp_path / "x.sqlite3"


async def stock(store: SqlStore) -> None:
    await store.execute(PublishSeller(SELLER, actor=MANAGER))
    await store.execute(Publish((*session("yoga", 1000), *session("spin", 1000)), actor=MANAGER))


def soon() -> asyncio.Timeout:
    """Fail if the block takes as long as two deadlines in succession."""
    return asyncio.timeout(4 * SHORT)


async def spaces_left(store: SqlStore, key: str) -> int:
    """Return the spaces that the open feed shows; wait for an item that has no number yet."""
    async with soon():
        while key not in (feed := await read_feed(store, SESSIONS)):
            await asyncio.sleep(0.01)
    return int(feed[key]["remainingAttendeeCapacity"])


async def kinds(asked: Sequence[Awaitable[object]]) -> set[type]:
    return {type(outcome) for outcome in await asyncio.gather(*asked, return_exceptions=True)}


async def many(store: SqlStore, what: str) -> set[type]:
    """Send more bookings than there are connections, or commands in a batch."""
    return await kinds([store.execute(book(fresh(), what)) for _ in range(MANY)])


async def test_bookings_of_other_rows_go_on_while_a_row_is_locked(url: str) -> None:
    async with opened(url, command_seconds=LONG) as store, connected(url) as other:
        async with other.transaction():
            await other.execute(LOCK, session_path("yoga"))
            blocked = [asyncio.create_task(store.execute(book(fresh(), "yoga"))) for _ in range(MANY)]
            both = asyncio.create_task(store.execute(book(fresh(), "yoga", "spin")))
            for _ in range(3):
                assert await many(store, "spin") == {BookedOrder}
            assert not any(task.done() for task in (*blocked, both))
            # Nobody holds a connection while it waits, however many there are.
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query NOT LIKE '%pg_stat%'"
            )
            assert await other.fetchval(waiting) <= 1
        assert await kinds([*blocked, both]) == {BookedOrder}
        assert await spaces_left(store, "yoga") == 1000 - MANY - 1
        assert await store.check_integrity() == []


async def test_commands_blocked_by_the_claims_of_their_records_hold_up_no_others(url: str) -> None:
    async with opened(url, command_seconds=LONG) as store, connected(url) as other:
        orders = [fresh() for _ in range(10)]
        await asyncio.gather(*(store.execute(book(uuid, "yoga")) for uuid in orders))
        async with other.transaction():
            await other.execute(LOCK, session_path("yoga"))
            blocked = [asyncio.create_task(store.execute(cancel(uuid, 1))) for uuid in orders]
            assert await many(store, "spin") == {BookedOrder}
            assert not any(task.done() for task in blocked)
        await asyncio.gather(*blocked)
        assert await spaces_left(store, "yoga") == 1000


async def test_commands_for_a_locked_row_fail_at_one_deadline_and_are_not_done_later(url: str) -> None:
    """Retries included: commands sent together fail at about the same time, and not after eight deadlines."""
    async with opened(url, command_seconds=SHORT) as store, connected(url) as other:
        async with other.transaction():
            await other.execute(LOCK, session_path("yoga"))
            async with soon():
                assert await many(store, "yoga") == {StoreUnavailableError}
            assert await kinds([store.execute(book(fresh(), "spin"))]) == {BookedOrder}
        assert await kinds([store.execute(book(fresh(), "yoga"))]) == {BookedOrder}
        assert await spaces_left(store, "yoga") == 999


async def test_an_uncommitted_record_blocks_only_commands_that_name_it(url: str) -> None:
    """Its lock cannot be looked up: a transaction that adds the same record waits for the other."""
    add = (
        "INSERT INTO record SELECT (jsonb_populate_record(record, jsonb_build_object('uuid', $1::text))).* FROM record"
    )
    uuid = fresh()
    async with opened(url, command_seconds=LONG) as store, connected(url) as other:
        await store.execute(book(fresh(), "yoga"))
        transaction = other.transaction()
        await transaction.start()
        await other.execute(add, uuid)
        blocked = asyncio.create_task(store.execute(book(uuid, "spin")))
        for _ in range(3):
            assert await many(store, "spin") == {BookedOrder}
        repeated = asyncio.create_task(store.execute(book(uuid, "spin")))
        assert await many(store, "spin") == {BookedOrder}
        assert not blocked.done()
        await transaction.rollback()
        assert await kinds([blocked, repeated]) == {BookedOrder}


@pytest.mark.parametrize("table", ["opportunity", "record", "claim", "feed_item", "seller"])
async def test_commands_for_a_locked_table_fail_at_their_deadline(url: str, table: str) -> None:
    async with opened(url, command_seconds=SHORT) as store, connected(url) as other:
        await store.execute(book(fresh(), "spin"))
        async with other.transaction():
            await other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            async with soon():
                assert await many(store, "yoga") == {StoreUnavailableError}
        assert await kinds([store.execute(book(fresh(), "yoga"))]) == {BookedOrder}
        assert await spaces_left(store, "yoga") == 999


async def test_a_locked_seller_blocks_only_its_own_changes(url: str) -> None:
    async with opened(url, command_seconds=LONG) as store, connected(url) as other:
        async with other.transaction():
            await other.execute("SELECT FROM seller FOR UPDATE")
            publishing = asyncio.create_task(store.execute(PublishSeller(SELLER, actor=MANAGER)))
            for _ in range(3):
                assert await many(store, "spin") == {BookedOrder}
        await publishing


async def test_a_locked_counter_blocks_neither_bookings_nor_feeds(url: str) -> None:
    async with opened(url, command_seconds=LONG) as store, connected(url) as other:
        await store.execute(book(fresh(), "spin"))
        before = await store.feed_items(SESSIONS, 0, 10)
        async with other.transaction():
            await other.execute("SELECT FROM counter FOR UPDATE")
            assert await many(store, "spin") == {BookedOrder}
            pages = await asyncio.gather(*(store.feed_items(SESSIONS, 0, 10) for _ in range(MANY)))
            assert all(len(page) < len(before) or page == before for page in pages)
        # Numbers follow bookings: a page read at once may still lack what is not numbered yet.
        async with soon():
            while (await store.feed_items(SESSIONS, before[-1].modified, 10)) == []:
                await asyncio.sleep(0.01)


async def test_leases_of_other_rows_end_while_a_row_is_locked(url: str) -> None:
    clock = Clock()
    store = open_store(url, clock=clock)
    async with connected(url) as other:
        await store.execute(quote(fresh(), "yoga"))
        await store.execute(quote(fresh(), "spin"))
        assert (await spaces_left(store, "yoga"), await spaces_left(store, "spin")) == (999, 999)
        clock.move(timedelta(hours=1))
        async with other.transaction():
            await other.execute(LOCK, session_path("yoga"))
            assert await store.execute(ExpireLeases()) == 1
            assert await store.execute(ExpireLeases()) == 0
            assert (await spaces_left(store, "yoga"), await spaces_left(store, "spin")) == (999, 1000)
        assert await store.execute(ExpireLeases()) == 1
        assert await spaces_left(store, "yoga") == 1000
    await store.close()


async def test_taking_an_opportunity_off_sale_waits_for_its_lock(url: str) -> None:
    unpublish = SetSaleState(opportunity=session("yoga", 5)[0].path, sale=SaleState.UNPUBLISHED, actor=MANAGER)
    async with opened(url, command_seconds=SHORT) as store, connected(url) as other:
        async with other.transaction():
            await other.execute(LOCK, session_path("yoga"))
            async with soon():
                assert await kinds([store.execute(unpublish)]) == {StoreUnavailableError}
        await store.execute(unpublish)


async def test_a_locked_identity_record_blocks_only_its_own_changes(url: str) -> None:
    identity = backend_of(url).open_identity_store(url, LONG)
    await identity.save(grant(SELLER.key))
    (known,) = await identity.find(type(grant(SELLER.key)))
    async with connected(url) as other:
        async with other.transaction():
            await other.execute("SELECT FROM partner_grant FOR UPDATE")
            blocked = [asyncio.create_task(identity.save(known)) for _ in range(MANY)]
            assert await identity.save(grant(SELLER.key, "bob"))
            assert not any(task.done() for task in blocked)
        assert sorted(await asyncio.gather(*blocked)) == [False] * (MANY - 1) + [True]
    await identity.close()


async def test_a_server_that_stops_answering_is_given_up_at_the_deadline(url: str, postgres: PostgresServer) -> None:
    """Its connections stay open without an answer, as when the machine is suspended."""
    async with opened(url, command_seconds=SHORT) as store:
        await store.execute(book(fresh(), "spin"))
        with postgres.suspended():
            async with soon():
                assert await many(store, "yoga") == {StoreUnavailableError}
        assert await kinds([store.execute(book(fresh(), "yoga"))]) == {BookedOrder}


async def test_commands_for_a_locked_file_fail_at_one_deadline_and_readers_go_on(path: Path) -> None:
    """Commands of later batches too; none of them is carried out afterwards."""
    async with opened(str(path), command_seconds=SHORT) as store:
        await stock(store)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            asked = [asyncio.create_task(store.execute(book(fresh(), "yoga"))) for _ in range(5 * 64)]
            noting = asyncio.create_task(store.note_time(Clock()()))
            assert await spaces_left(store, "yoga") == 1000
            assert not any(task.done() for task in asked)
            async with soon():
                assert await kinds([*asked, noting]) == {StoreUnavailableError}
            other.execute("COMMIT")
        assert await kinds([store.execute(book(fresh(), "yoga"))]) == {BookedOrder}
        assert await spaces_left(store, "yoga") == 999


async def test_a_command_given_up_is_not_carried_out_with_the_rest_of_its_batch(path: Path) -> None:
    early, late = fresh(), fresh()
    async with opened(str(path), command_seconds=LONG) as store:
        await stock(store)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            store._command_seconds = 0.2
            given_up = asyncio.create_task(store.execute(book(early, "yoga")))
            await asyncio.sleep(0)
            store._command_seconds = LONG
            waiting = asyncio.create_task(store.execute(book(late, "yoga")))
            with pytest.raises(StoreUnavailableError, match="nothing was done"):
                await given_up
            other.execute("COMMIT")
        assert isinstance(await waiting, Order)
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("SELECT uuid FROM record").fetchall() == [(late,)]


async def test_readers_of_an_exclusively_locked_file_fail_at_one_deadline(path: Path) -> None:
    async with opened(str(path), command_seconds=SHORT) as store:
        await stock(store)
    async with opened(str(path), command_seconds=SHORT) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            async with soon():
                assert await kinds([store.feed_items(SESSIONS, 0, 10) for _ in range(MANY)]) == {StoreUnavailableError}


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("SELECT pg_terminate_backend(pid)", "terminating connection|closed in the middle"),
        ("SELECT pg_cancel_backend(pid)", "cancel"),
    ],
)
async def test_the_error_of_a_lost_connection_names_the_cause(url: str, end: str, reason: str) -> None:
    async with opened(url, command_seconds=LONG) as store, connected(url) as other, other.transaction():
        await other.execute(LOCK, session_path("yoga"))
        booking = asyncio.create_task(store.execute(book(fresh(), "yoga")))
        await until_waiting(other, 1)
        await other.execute(f"{end} FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        with pytest.raises(StoreUnavailableError, match=reason) as told:
            await booking
    assert "cannot call" not in str(told.value)
    assert "released back" not in str(told.value)


async def test_a_connection_lost_while_idle_is_reported_as_stale(url: str) -> None:
    async with opened(url, command_seconds=LONG) as store, postgres_driver(store)._writers.connection() as connection:
        connection.terminate()
        for _ in range(2):
            with pytest.raises(StaleConnectionError, match="while it was not in use"), detecting_loss(connection):
                await connection.execute("SELECT 1")
