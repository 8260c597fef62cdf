"""Every store keeps the promises of the protocol, and behaves as the model does."""

import asyncio
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openbooking.booking.command import Command
from openbooking.booking.delete import DeleteOrder, DeleteQuote
from openbooking.booking.dry_run import Checkpoint
from openbooking.booking.leases import ExpireLeases
from openbooking.booking.order import Order, OrderKey, Partnership
from openbooking.booking.partnership import Withhold
from openbooking.booking.policy import Leasing, Policy
from openbooking.booking.publish import Publish, PublishSeller, Withdraw
from openbooking.booking.seller import SellerCancel
from openbooking.booking.status import GetOrder
from openbooking.booking.store import ORDERS, Feed, FeedWriter, Store
from openbooking.spec.errors import OpenBookingError
from openbooking.store.memory import MemoryStore
from openbooking.store.migrate import prepare
from openbooking.store.postgres import PostgresStore
from openbooking.store.schema import metadata
from openbooking.store.sqlite import SqliteStore
from openbooking.testing import DurableStoreTests, StoreTests
from openbooking.testing.samples import ALICE, BOB, SELLER, Clock, book, cancel, quote, read_feed, session
from openbooking.testing.store_tests import SESSIONS, feed_writer
from postgres import PostgresServer


class TestMemoryStore(StoreTests):
    def open_store(
        self, place: Path, *, policy: Policy, writer: FeedWriter, clock: Callable[[], datetime]
    ) -> MemoryStore:
        return MemoryStore(policy=policy, writer=writer, clock=clock)


@pytest.mark.spec("OB-FEED-05", "OB-FEED-07", "OB-FEED-08", "OB-FEED-10", "OB-FEED-11", "OB-FEED-19", "OB-FEED-21")
@pytest.mark.spec("OB-AUTH-09", "OB-AUTH-11", "OB-DEL-02", "OB-ID-13", "OB-B-10", "OB-B-12", "OB-LEASE-09", "OB-OF-02")
class TestSqliteStore(DurableStoreTests):
    def open_store(
        self, place: Path, *, policy: Policy, writer: FeedWriter, clock: Callable[[], datetime]
    ) -> SqliteStore:
        prepare(str(place / "kit.sqlite3"))
        return SqliteStore(place / "kit.sqlite3", policy=policy, writer=writer, clock=clock)


@pytest.mark.spec("OB-FEED-05", "OB-FEED-07", "OB-FEED-08", "OB-FEED-10", "OB-FEED-11", "OB-FEED-19", "OB-FEED-21")
@pytest.mark.spec("OB-AUTH-09", "OB-AUTH-11", "OB-DEL-02", "OB-ID-13", "OB-B-10", "OB-B-12", "OB-LEASE-09", "OB-OF-02")
class TestPostgresStore(DurableStoreTests):
    @pytest.fixture(autouse=True)
    def database(self, postgres: PostgresServer) -> None:
        self.url = postgres.new_database()

    def open_store(
        self, place: Path, *, policy: Policy, writer: FeedWriter, clock: Callable[[], datetime]
    ) -> PostgresStore:
        return PostgresStore(self.url, policy=policy, writer=writer, clock=clock)


UUIDS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(3)]
CAPACITIES = {"yoga": 2, "spin": 3, "swim": 1}
uuids, callers = st.sampled_from(UUIDS), st.sampled_from([ALICE, BOB])
keys = st.lists(st.sampled_from(sorted(CAPACITIES)), min_size=1, max_size=3)
steps = st.one_of(
    st.builds(
        lambda uuid, wanted, caller, checkpoint: quote(uuid, *wanted, caller=caller, checkpoint=checkpoint),
        uuids,
        keys,
        callers,
        st.sampled_from([Checkpoint.C1, Checkpoint.C2]),
    ),
    st.builds(lambda uuid, wanted, caller: book(uuid, *wanted, caller=caller), uuids, keys, callers),
    st.builds(lambda uuid, number, caller: cancel(uuid, number, caller=caller), uuids, st.integers(1, 3), callers),
    st.builds(lambda uuid, caller: SellerCancel(order=OrderKey(caller.partner, uuid)), uuids, callers),
    st.builds(lambda uuid, caller: DeleteOrder(caller=caller, uuid=uuid), uuids, callers),
    st.builds(lambda uuid, caller: DeleteQuote(caller=caller, uuid=uuid), uuids, callers),
    st.builds(lambda uuid, caller: GetOrder(caller=caller, uuid=uuid), uuids, callers),
    st.builds(
        lambda key, more: Publish(session(key, CAPACITIES[key] + more)),
        st.sampled_from(sorted(CAPACITIES)),
        st.integers(0, 1),
    ),
    st.builds(
        lambda caller, withheld: Withhold(partnership=Partnership(caller.partner, SELLER.key), withheld=withheld),
        callers,
        st.booleans(),
    ),
    st.just(ExpireLeases()),
    st.just(Withdraw(sources=frozenset({"kit"}))),
    st.sampled_from([timedelta(minutes=5), timedelta(minutes=15)]),
)


histories = given(history=st.lists(steps, max_size=25), leasing=st.sampled_from(Leasing))


@histories
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_sqlite_behaves_as_the_model_in_any_history(history: list[Command | timedelta], leasing: Leasing) -> None:
    clock, policy = Clock(), Policy(leasing=leasing)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.sqlite3"
        prepare(str(path))
        store = SqliteStore(path, policy=policy, writer=feed_writer(), clock=clock)
        asyncio.run(_compare(history, policy, clock, store))


@pytest.fixture(scope="module")
def model_database(postgres: PostgresServer) -> str:
    return postgres.new_database()


@histories
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_postgres_behaves_as_the_model_in_any_history(
    model_database: str, history: list[Command | timedelta], leasing: Leasing
) -> None:
    async def run() -> None:
        clock, policy = Clock(), Policy(leasing=leasing)
        connection = await asyncpg.connect(model_database)
        await connection.execute(f"TRUNCATE {', '.join(metadata.tables.keys() - {'counter'})}")
        await connection.close()
        store = PostgresStore(model_database, policy=policy, writer=feed_writer(), clock=clock)
        await _compare(history, policy, clock, store)

    asyncio.run(run())


async def _compare(history: list[Command | timedelta], policy: Policy, clock: Clock, store: Store) -> None:
    model = MemoryStore(policy=policy, writer=feed_writer(), clock=clock)
    try:
        stock: list[Command] = [Publish(session(key, capacity)) for key, capacity in CAPACITIES.items()]
        for command in (PublishSeller(SELLER), *stock):
            assert await _outcome(model, command) == await _outcome(store, command)
        for step in history:
            if isinstance(step, timedelta):
                clock.move(step)
                continue
            assert await _outcome(model, step) == await _outcome(store, step)
            await _check_places(store)
        assert await _feeds(model) == await _feeds(store)
    finally:
        await store.close()


async def _outcome(store: Store, command: Command) -> Any:
    try:
        return await store.execute(command)
    except OpenBookingError as refusal:
        return type(refusal), refusal.description


async def _feeds(store: Store) -> list[dict[str, Any]]:
    feeds = [Feed("scheduled-sessions"), Feed("session-series"), Feed(ORDERS, "alice"), Feed(ORDERS, "bob")]
    return [await read_feed(store, feed) for feed in feeds]


async def _check_places(store: Store) -> None:
    for key, data in (await read_feed(store, SESSIONS)).items():
        assert data is None or 0 <= data["remainingAttendeeCapacity"] <= CAPACITIES[key] + 1


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
            await store.execute(PublishSeller(SELLER))
            await store.execute(Publish(session("swim", 1)))
            replies = [await store.execute(book(uuid, "swim")) for uuid in UUIDS[:2]]
            outcomes.append([isinstance(reply, Order) and reply.has_errors for reply in replies])
        assert outcomes == [[False, True], [False, False]]

    asyncio.run(run())
