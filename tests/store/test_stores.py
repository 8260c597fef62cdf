"""Every store keeps the promises of the protocol, and behaves as the model does."""

import asyncio
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import new_uuid
from histories import CAPACITIES, MORE, SELLER, Step, beginning, histories
from openbooking.booking.command import Command
from openbooking.booking.leases import ExpireLeases
from openbooking.booking.order import Order
from openbooking.booking.policy import Leasing, Policy
from openbooking.booking.publish import Publish, PublishSeller
from openbooking.booking.store import ORDER_PROPOSALS, ORDERS, Feed, FeedWriter, Store
from openbooking.spec.errors import OpenBookingError
from openbooking.spec.ids import key_of
from openbooking.store.memory import MemoryStore
from openbooking.store.migrate import prepare
from openbooking.store.postgres import PostgresStore
from openbooking.store.schema import metadata
from openbooking.store.sqlite import SqliteStore
from openbooking.testing import DurableStoreTests, StoreTests, samples
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import SESSIONS, Clock, book, read_feed, session
from openbooking.testing.store_tests import feed_writer

PRIVATE = (ORDERS, ORDER_PROPOSALS)


class TestMemoryStore(StoreTests):
    def open_store(
        self, place: Path, *, policy: Policy, writer: FeedWriter, clock: Callable[[], datetime]
    ) -> MemoryStore:
        return MemoryStore(policy=policy, writer=writer, clock=clock)


class TestSqliteStore(DurableStoreTests):
    def open_store(
        self, place: Path, *, policy: Policy, writer: FeedWriter, clock: Callable[[], datetime]
    ) -> SqliteStore:
        prepare(str(place / "kit.sqlite3"))
        return SqliteStore(place / "kit.sqlite3", policy=policy, writer=writer, clock=clock)


class TestPostgresStore(DurableStoreTests):
    @pytest.fixture(autouse=True)
    def database(self, postgres: PostgresServer) -> None:
        self.url = postgres.new_database()

    def open_store(
        self, place: Path, *, policy: Policy, writer: FeedWriter, clock: Callable[[], datetime]
    ) -> PostgresStore:
        return PostgresStore(self.url, policy=policy, writer=writer, clock=clock)


in_any_history = given(history=histories, leasing=st.sampled_from(Leasing))


@in_any_history
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_sqlite_behaves_as_the_model_in_any_history(history: list[Step], leasing: Leasing) -> None:
    clock, policy = Clock(), Policy(leasing=leasing)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.sqlite3"
        prepare(str(path))
        store = SqliteStore(path, policy=policy, writer=feed_writer(), clock=clock)
        asyncio.run(_compare(history, policy, clock, store))


@pytest.fixture(scope="module")
def model_database(postgres: PostgresServer) -> str:
    return postgres.new_database()


@in_any_history
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_postgres_behaves_as_the_model_in_any_history(
    model_database: str, history: list[Step], leasing: Leasing
) -> None:
    async def run() -> None:
        clock, policy = Clock(), Policy(leasing=leasing)
        connection = await asyncpg.connect(model_database)
        await connection.execute(f"TRUNCATE {', '.join(metadata.tables.keys() - {'counter'})}")
        await connection.close()
        store = PostgresStore(model_database, policy=policy, writer=feed_writer(), clock=clock)
        await _compare(history, policy, clock, store)

    asyncio.run(run())


async def _compare(history: list[Step], policy: Policy, clock: Clock, store: Store) -> None:
    model = MemoryStore(policy=policy, writer=feed_writer(), clock=clock)
    try:
        for command in (PublishSeller(SELLER), *beginning()):
            assert await _outcome(model, command) == await _outcome(store, command)
        for step in history:
            if isinstance(step, timedelta):
                clock.move(step)
                continue
            assert await _outcome(model, step) == await _outcome(store, step)
            await _check_places(store)
        await _check_feeds(model, store)
    finally:
        await store.close()


async def _outcome(store: Store, command: Command) -> Any:
    try:
        return await store.execute(command)
    except OpenBookingError as refusal:
        return type(refusal), refusal.description


async def _check_feeds(model: MemoryStore, store: Store) -> None:
    """Both show the same, and the open feed what the model holds."""
    for name, partner in (("scheduled-sessions", ""), ("session-series", ""), *product(PRIVATE, ("alice", "bob"))):
        assert await read_feed(model, Feed(name, partner)) == await read_feed(store, Feed(name, partner))
    await store.execute(ExpireLeases())
    await model.execute(ExpireLeases())
    shown = {key: data["remainingAttendeeCapacity"] for key, data in (await read_feed(store, SESSIONS)).items() if data}
    assert shown == {
        key_of(path): max((held.capacity or 0) - places.booked - places.leased, 0)
        for path, held in model._opportunities.items()
        if held.parent
        for places in (model._places(path, model._clock()),)
    }


async def _check_places(store: Store) -> None:
    for key, data in (await read_feed(store, SESSIONS)).items():
        assert data is None or 0 <= data["remainingAttendeeCapacity"] <= CAPACITIES[key] + MORE


def test_the_model_notices_a_place_sold_twice(tmp_path: Path) -> None:
    """The comparison is able to fail: a store that loads nothing that is booked disagrees with the model."""

    class Forgetful(MemoryStore):
        def _places(self, path: str, now: datetime) -> Any:
            places = super()._places(path, now)
            return type(places)()

    async def run() -> None:
        clock, policy = Clock(), Policy(leasing=Leasing.OFF)
        stores = [kind(policy=policy, writer=feed_writer(), clock=clock) for kind in (MemoryStore, Forgetful)]
        outcomes = []
        for store in stores:
            await store.execute(PublishSeller(samples.SELLER))
            await store.execute(Publish(session("swim", 1)))
            replies = [await store.execute(book(uuid, "swim")) for uuid in (new_uuid(), new_uuid())]
            outcomes.append([isinstance(reply, Order) and reply.has_errors for reply in replies])
        assert outcomes == [[False, True], [False, False]]

    asyncio.run(run())
