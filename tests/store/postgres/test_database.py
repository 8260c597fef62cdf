"""The driver of PostgreSQL: conflicts on rows, lost connections, a killed server, and a replica."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.order import Order
from openbooking.booking.model.record import Record, RecordKind
from openbooking.booking.store import StoreUnavailableError
from openbooking.openactive.errors import GoneError
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.store.database import ChangedMeanwhileError
from openbooking.store.sql import SqlStore
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import (
    ALICE,
    MANAGER,
    SELLER,
    SESSIONS,
    Clock,
    book,
    fresh,
    session,
    session_path,
    spaces_left,
)
from openbooking.testing.store_case import UUID
from support.databases.opened_stores import opened, postgres_driver
from support.postgres_sessions import LOCK_OPPORTUNITY, connected, until_waiting

pytestmark = pytest.mark.anyio


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    """Yield a store that sells five spaces of yoga."""
    async with opened(url) as stocked:
        await stocked.execute(PublishSeller(SELLER, actor=MANAGER))
        await stocked.execute(Publish(session("yoga", 5), actor=MANAGER))
        yield stocked


async def test_spaces_are_read_after_they_are_locked(store: SqlStore, url: str) -> None:
    async with connected(url) as other:
        async with other.transaction():
            await other.execute("UPDATE opportunity SET booked = 5 WHERE path = $1", session_path("yoga"))
            booking = asyncio.create_task(store.execute(book(UUID, "yoga")))
            await until_waiting(other, 1)
        order = await booking
    assert isinstance(order, Order)
    assert [error.type for error in order.items[0].errors] == [ItemErrorType.OPPORTUNITY_IS_FULL]


async def test_a_booking_during_a_withdrawal_is_cancelled_too(store: SqlStore, url: str) -> None:
    async with connected(url) as other, opened(url) as elsewhere:
        async with other.transaction():
            await other.execute(LOCK_OPPORTUNITY, session_path("yoga"))
            booking = asyncio.create_task(elsewhere.execute(book(UUID, "yoga")))
            await until_waiting(other, 1)
            withdrawal = asyncio.create_task(
                store.execute(Withdraw(sources=frozenset({"kit"}), orders=True, actor=MANAGER))
            )
            await until_waiting(other, 2)
        assert isinstance(await booking, Order)
        await withdrawal
        with pytest.raises(GoneError):
            await elsewhere.execute(GetOrder(caller=ALICE, uuid=UUID))
        assert await other.fetchval("SELECT count(*) FROM claim") == 0


@pytest.mark.parametrize("booked_first", [True, False])
async def test_a_booking_while_its_series_is_taken_off_sale_does_not_publish_it_again(
    store: SqlStore, url: str, booked_first: bool
) -> None:
    """The second command decides on the result of the first, although a booking locks no parent."""
    unpublish = SetSaleState(opportunity=session("yoga", 5)[0].path, sale=SaleState.UNPUBLISHED, actor=MANAGER)
    async with connected(url) as other, opened(url) as elsewhere:
        async with other.transaction():
            await other.execute(LOCK_OPPORTUNITY, session_path("yoga"))
            commands: list[Command[Any]] = [book(UUID, "yoga"), unpublish]
            waiting = []
            for command in commands if booked_first else reversed(commands):
                where = elsewhere if command is unpublish else store
                waiting.append(asyncio.create_task(where.execute(command)))
                await until_waiting(other, len(waiting))
        order = next(reply for reply in await asyncio.gather(*waiting) if isinstance(reply, Order))
        assert order.has_errors is not booked_first
        assert await store.check_integrity() == []
        deleted = "SELECT count(*) FROM feed_item WHERE id = $1 AND data IS NULL"
        assert await other.fetchval(deleted, session_path("yoga")) == 1


async def test_a_record_added_by_another_process_meanwhile_is_used(store: SqlStore, url: str) -> None:
    async with connected(url) as other, opened(url) as elsewhere:
        async with other.transaction():
            await other.execute(LOCK_OPPORTUNITY, session_path("yoga"))
            bookings = [asyncio.create_task(where.execute(book(UUID, "yoga"))) for where in (store, elsewhere)]
            await until_waiting(other, 2)
        first, second = await asyncio.gather(*bookings)
        assert first == second
        assert await other.fetchval("SELECT sum(booked) FROM opportunity") == 1


async def test_a_transaction_that_always_conflicts_fails(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0

    def overtaken(needs: object) -> object:
        nonlocal tries
        tries += 1
        raise ChangedMeanwhileError

    with monkeypatch.context() as patched:
        patched.setattr(store, "_load_to_write", overtaken)
        with pytest.raises(StoreUnavailableError):
            await store.execute(book(UUID, "yoga"))
    assert tries == 8
    assert isinstance(await store.execute(book(UUID, "yoga")), Order)


async def test_lost_connections_are_replaced(store: SqlStore, url: str) -> None:
    await store.execute(book(fresh(), "yoga"))
    async with connected(url) as other:
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        while await other.fetchval("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") > 1:
            await asyncio.sleep(0.01)
    await store.execute(book(fresh(), "yoga"))
    assert await spaces_left(store, "yoga") == 3


async def test_acknowledged_bookings_survive_a_killed_server(store: SqlStore, postgres: PostgresServer) -> None:
    """The store is unavailable while the server is down, and works again afterwards."""
    await store.execute(Publish(session("spin", 1_000_000), actor=MANAGER))
    acknowledged: set[str] = set()
    refused = 0

    async def caller() -> None:
        nonlocal refused
        while True:
            order_uuid = fresh()
            try:
                await store.execute(book(order_uuid, "spin"))
            except StoreUnavailableError:
                refused += 1
                return
            acknowledged.add(order_uuid)

    callers = asyncio.gather(*(caller() for _ in range(8)))
    while len(acknowledged) < 50:
        await asyncio.sleep(0.01)
    postgres.kill()
    await callers
    assert refused == 8
    postgres.start()
    for order_uuid in acknowledged:
        record = await store.execute(GetOrder(caller=ALICE, uuid=order_uuid))
        assert isinstance(record, Record)
        assert record.kind is RecordKind.ORDER
    before = await spaces_left(store, "spin")
    await store.execute(book(fresh(), "spin"))
    assert before is not None
    assert await spaces_left(store, "spin") == before - 1


async def test_commits_are_on_disk_whatever_the_setting_of_the_database(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    async with connected(url) as other:
        await other.execute(f"ALTER DATABASE {urlsplit(url).path[1:]} SET synchronous_commit = off")
    async with opened(url) as store, postgres_driver(store)._writers.connection() as connection:
        assert await connection.fetchval("SHOW synchronous_commit") == "on"


@pytest.mark.spec("OB-DEL-03", "OB-DEL-04")
async def test_deletion_erases_personal_data(store: SqlStore, url: str) -> None:
    await store.execute(book(UUID, "yoga"))
    async with connected(url) as other:
        assert await other.fetchval("SELECT count(*) FROM personal_data") == 1
        await store.execute(DeleteOrder(caller=ALICE, uuid=UUID))
        await store.forget_deleted(Clock()())
        assert await other.fetchval("SELECT count(*) FROM personal_data") == 0
        assert await other.fetchval("SELECT uuid FROM erasure") == UUID


async def test_feeds_are_read_from_the_replica_and_numbered_without_readers(
    store: SqlStore, url: str, postgres: PostgresServer
) -> None:
    await store.execute(book(fresh(), "yoga"))
    async with opened(url, replica=postgres.new_database()) as other, opened(url, replica=url) as numbered:
        assert await other.feed_items(SESSIONS, 0, 10) == []
        while len(await numbered.feed_items(SESSIONS, 0, 10)) < 1:
            await asyncio.sleep(0.05)
