"""Each command has one deadline, and waits only for locks on rows that it needs."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.order import BookedOrder, Order
from openbooking.booking.store import StoreUnavailableError
from openbooking.store.backends import backend_of
from openbooking.store.migrate import prepare
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
from support.databases.opened_stores import open_store, opened
from support.postgres_sessions import LOCK_OPPORTUNITY, connected

pytestmark = pytest.mark.anyio

# How many commands need the same row: more than there are connections, and more than a batch has commands.
MANY = 40
SHORT, LONG = 2.5, 60.0


@pytest.fixture
async def url(postgres: PostgresServer) -> str:
    """Return the URL of a database that sells many spaces of yoga and of spin."""
    url = postgres.new_database()
    async with opened(url, command_seconds=LONG) as store:
        await stock(store)
    return url


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of an SQLite file with the schema of this version."""
    prepare(str(tmp_path / "x.sqlite3"))
    return tmp_path / "x.sqlite3"


async def stock(store: SqlStore) -> None:
    await store.execute(PublishSeller(SELLER, actor=MANAGER))
    await store.execute(Publish((*session("yoga", 1000), *session("spin", 1000)), actor=MANAGER))


def fail_soon() -> asyncio.Timeout:
    """Return a timeout within which all commands must fail, if they share one deadline.

    Commands that had a deadline for each of their eight tries would need longer.
    """
    return asyncio.timeout(7 * SHORT)


async def spaces_left(store: SqlStore, key: str) -> int:
    """Return the spaces left that the open feed shows; wait until the item has its change number."""
    async with fail_soon():
        while key not in (feed := await read_feed(store, SESSIONS)):
            await asyncio.sleep(0.01)
    return int(feed[key]["remainingAttendeeCapacity"])


async def outcome_types(asked: Sequence[Awaitable[object]]) -> set[type]:
    return {type(outcome) for outcome in await asyncio.gather(*asked, return_exceptions=True)}


async def book_many(store: SqlStore, what: str) -> set[type]:
    """Send MANY bookings at once; return the types of their replies and exceptions."""
    return await outcome_types([store.execute(book(fresh(), what)) for _ in range(MANY)])


async def test_bookings_of_other_rows_go_on_while_a_row_is_locked(url: str) -> None:
    async with opened(url, command_seconds=LONG) as store, connected(url) as other:
        async with other.transaction():
            await other.execute(LOCK_OPPORTUNITY, session_path("yoga"))
            blocked = [asyncio.create_task(store.execute(book(fresh(), "yoga"))) for _ in range(MANY)]
            both = asyncio.create_task(store.execute(book(fresh(), "yoga", "spin")))
            for _ in range(3):
                assert await book_many(store, "spin") == {BookedOrder}
            assert not any(task.done() for task in (*blocked, both))
            # Blocked commands hold no connection while they wait.
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query NOT LIKE '%pg_stat%'"
            )
            assert await other.fetchval(waiting) <= 1
        assert await outcome_types([*blocked, both]) == {BookedOrder}
        assert await spaces_left(store, "yoga") == 1000 - MANY - 1
        assert await store.check_integrity() == []


async def test_commands_blocked_by_the_claims_of_their_records_hold_up_no_others(url: str) -> None:
    async with opened(url, command_seconds=LONG) as store, connected(url) as other:
        orders = [fresh() for _ in range(10)]
        await asyncio.gather(*(store.execute(book(uuid, "yoga")) for uuid in orders))
        async with other.transaction():
            await other.execute(LOCK_OPPORTUNITY, session_path("yoga"))
            blocked = [asyncio.create_task(store.execute(cancel(uuid, 1))) for uuid in orders]
            assert await book_many(store, "spin") == {BookedOrder}
            assert not any(task.done() for task in blocked)
        await asyncio.gather(*blocked)
        assert await spaces_left(store, "yoga") == 1000


async def test_commands_for_a_locked_row_fail_at_one_deadline_and_are_not_done_later(url: str) -> None:
    """The deadline includes retries: commands sent together fail at about the same time, not after eight deadlines."""
    async with opened(url, command_seconds=SHORT) as store, connected(url) as other:
        async with other.transaction():
            await other.execute(LOCK_OPPORTUNITY, session_path("yoga"))
            async with fail_soon():
                assert await book_many(store, "yoga") == {StoreUnavailableError}
            assert await outcome_types([store.execute(book(fresh(), "spin"))]) == {BookedOrder}
        assert await outcome_types([store.execute(book(fresh(), "yoga"))]) == {BookedOrder}
        assert await spaces_left(store, "yoga") == 999


async def test_an_uncommitted_record_blocks_only_commands_that_name_it(url: str) -> None:
    """A lock on an uncommitted record cannot be looked up: another transaction that adds the record has to wait."""
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
            assert await book_many(store, "spin") == {BookedOrder}
        repeated = asyncio.create_task(store.execute(book(uuid, "spin")))
        assert await book_many(store, "spin") == {BookedOrder}
        assert not blocked.done()
        await transaction.rollback()
        assert await outcome_types([blocked, repeated]) == {BookedOrder}


@pytest.mark.parametrize("table", ["opportunity", "record", "claim", "feed_item", "seller"])
async def test_commands_for_a_locked_table_fail_at_their_deadline(url: str, table: str) -> None:
    async with opened(url, command_seconds=SHORT) as store, connected(url) as other:
        await store.execute(book(fresh(), "spin"))
        async with other.transaction():
            await other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            async with fail_soon():
                assert await book_many(store, "yoga") == {StoreUnavailableError}
        assert await outcome_types([store.execute(book(fresh(), "yoga"))]) == {BookedOrder}
        assert await spaces_left(store, "yoga") == 999


async def test_a_locked_seller_blocks_only_its_own_changes(url: str) -> None:
    async with opened(url, command_seconds=LONG) as store, connected(url) as other:
        async with other.transaction():
            await other.execute("SELECT FROM seller FOR UPDATE")
            publishing = asyncio.create_task(store.execute(PublishSeller(SELLER, actor=MANAGER)))
            for _ in range(3):
                assert await book_many(store, "spin") == {BookedOrder}
        await publishing


async def test_a_locked_counter_blocks_neither_bookings_nor_feeds(url: str) -> None:
    async with opened(url, command_seconds=LONG) as store, connected(url) as other:
        await store.execute(book(fresh(), "spin"))
        before = await store.feed_items(SESSIONS, 0, 10)
        async with other.transaction():
            await other.execute("SELECT FROM counter FOR UPDATE")
            assert await book_many(store, "spin") == {BookedOrder}
            pages = await asyncio.gather(*(store.feed_items(SESSIONS, 0, 10) for _ in range(MANY)))
            assert all(len(page) < len(before) or page == before for page in pages)
        # Items are numbered after the commit, so a page that is read at once may not have them yet.
        async with fail_soon():
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
            await other.execute(LOCK_OPPORTUNITY, session_path("yoga"))
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
            await other.execute(LOCK_OPPORTUNITY, session_path("yoga"))
            async with fail_soon():
                assert await outcome_types([store.execute(unpublish)]) == {StoreUnavailableError}
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
    """The connections of a suspended server stay open, but it answers nothing."""
    async with opened(url, command_seconds=SHORT) as store:
        await store.execute(book(fresh(), "spin"))
        with postgres.suspended():
            async with fail_soon():
                assert await book_many(store, "yoga") == {StoreUnavailableError}
        assert await outcome_types([store.execute(book(fresh(), "yoga"))]) == {BookedOrder}


async def test_commands_for_a_locked_file_fail_at_one_deadline_and_readers_go_on(path: Path) -> None:
    """Commands of later batches fail too, and no command is carried out after it has failed."""
    async with opened(str(path), command_seconds=SHORT) as store:
        await stock(store)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            asked = [asyncio.create_task(store.execute(book(fresh(), "yoga"))) for _ in range(5 * 64)]
            noting = asyncio.create_task(store.note_time(Clock()()))
            assert await spaces_left(store, "yoga") == 1000
            assert not any(task.done() for task in asked)
            async with fail_soon():
                assert await outcome_types([*asked, noting]) == {StoreUnavailableError}
            other.execute("COMMIT")
        assert await outcome_types([store.execute(book(fresh(), "yoga"))]) == {BookedOrder}
        assert await spaces_left(store, "yoga") == 999


async def test_a_command_given_up_is_not_carried_out_with_the_rest_of_its_batch(path: Path) -> None:
    """The first command is a batch of its own. The other two are the next batch, which waits for the first."""
    first, early, late = fresh(), fresh(), fresh()
    async with opened(str(path), command_seconds=LONG) as store:
        await stock(store)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writing = asyncio.create_task(store.execute(book(first, "yoga")))
            await asyncio.sleep(0)
            while store._queue._waiting:
                await asyncio.sleep(0.01)
            store._command_seconds = 0.2
            given_up = asyncio.create_task(store.execute(book(early, "yoga")))
            await asyncio.sleep(0)
            store._command_seconds = LONG
            waiting = asyncio.create_task(store.execute(book(late, "yoga")))
            with pytest.raises(StoreUnavailableError, match="nothing was done"):
                await given_up
            other.execute("COMMIT")
        assert isinstance(await writing, Order)
        assert isinstance(await waiting, Order)
        with closing(sqlite3.connect(path)) as other:
            assert set(other.execute("SELECT uuid FROM record")) == {(first,), (late,)}


async def test_readers_of_an_exclusively_locked_file_fail_at_one_deadline(path: Path) -> None:
    async with opened(str(path), command_seconds=SHORT) as store:
        await stock(store)
    async with opened(str(path), command_seconds=SHORT) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            async with fail_soon():
                assert await outcome_types([store.feed_items(SESSIONS, 0, 10) for _ in range(MANY)]) == {
                    StoreUnavailableError
                }
