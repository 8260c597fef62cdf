"""Each store does what the protocol `Store` promises, and behaves like the model of bookings in random histories."""

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, note, settings

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.record import RecordKind
from openbooking.booking.model.situation import Situation
from openbooking.booking.store import ORDER_PROPOSALS, ORDERS, Feed, FeedWriter, Outcome, Store, fold
from openbooking.openactive.errors import OpenBookingError
from openbooking.openactive.ids import key_of
from openbooking.store.memory import MemoryStore
from openbooking.store.migrate import prepare
from openbooking.store.postgres.purge import ERASED_WITHIN
from openbooking.store.postgres.store import PostgresStore
from openbooking.store.schema import metadata
from openbooking.store.sqlite.store import SqliteStore
from openbooking.testing import DurableStoreTests, StoreTests, samples
from openbooking.testing.postgres import SMALL_LOG, PostgresServer
from openbooking.testing.samples import MANAGER, SESSIONS, Clock, book, read_feed, session
from openbooking.testing.store_case import feed_writer
from support.builders import new_uuid
from support.histories.invariants import free, items_of, on_sale
from support.histories.lengths import examples
from support.histories.random_histories import histories, with_time_to_shrink
from support.histories.state import CALLERS, PATHS, History

OPEN = (("scheduled-sessions", ""), ("session-series", ""))
PRIVATE = (ORDERS, ORDER_PROPOSALS)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Yield a server with a small log, which is soon overwritten, so that erased data soon leaves its files."""
    with PostgresServer(*SMALL_LOG) as running:
        yield running


@pytest.fixture(autouse=True)
def more_rounds(request: pytest.FixtureRequest) -> None:
    """Repeat the tests that use processes more often if `--fire SECONDS` is passed."""
    if isinstance(request.instance, DurableStoreTests):
        request.instance.rounds = max(DurableStoreTests.rounds, int(request.config.getoption("--fire") / 10))


class TestMemoryStore(StoreTests):
    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> MemoryStore:
        return MemoryStore(policy=policy, writer=writer, clock=clock)


class TestSqliteStore(DurableStoreTests):
    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> SqliteStore:
        prepare(str(folder / "kit.sqlite3"))
        return SqliteStore(folder / "kit.sqlite3", policy=policy, writer=writer, clock=clock)


class TestPostgresStore(DurableStoreTests):
    erased_within = ERASED_WITHIN

    @pytest.fixture(autouse=True)
    def database(self, server: PostgresServer) -> None:
        self.url = server.new_database()
        self.data = server.data

    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> PostgresStore:
        return PostgresStore(self.url, policy=policy, writer=writer, clock=clock)

    async def database_files(self, folder: Path) -> list[Path]:
        connection = await asyncpg.connect(self.url)
        oid = await connection.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
        await connection.execute("CHECKPOINT")
        await connection.close()
        return [*(path for path in self.data.iterdir() if path.name != "base"), self.data / "base" / str(oid)]


@with_time_to_shrink
@pytest.mark.no_cover
@given(history=histories)
@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.too_slow])
def test_sqlite_behaves_like_the_model_in_any_history(history: History) -> None:
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.sqlite3"
        prepare(str(path))
        store = SqliteStore(path, policy=history.policy, writer=feed_writer(), clock=clock)
        asyncio.run(_replay(history, clock, store))


@pytest.fixture(scope="module")
def model_database(server: PostgresServer) -> str:
    return server.new_database()


@with_time_to_shrink
@pytest.mark.no_cover
@given(history=histories)
@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.too_slow])
def test_postgres_behaves_like_the_model_in_any_history(model_database: str, history: History) -> None:
    async def run() -> None:
        clock = Clock()
        connection = await asyncpg.connect(model_database)
        await connection.execute(f"TRUNCATE {', '.join(metadata.tables.keys() - {'counter'})}")
        await connection.close()
        store = PostgresStore(model_database, policy=history.policy, writer=feed_writer(), clock=clock)
        await _replay(history, clock, store)

    asyncio.run(run())


async def _replay(history: History, clock: Clock, store: Store) -> None:
    """Replay a history, and check that the store gives the replies of the model and holds the same data."""
    note(repr(history))
    model = MemoryStore(policy=history.policy, writer=feed_writer(), clock=clock)
    try:
        for number, moment in enumerate((*history.moments, *history.ending)):
            if isinstance(moment.step, timedelta):
                clock.move(moment.step)
                continue
            decided = _comparable(moment.outcome)
            assert await _outcome(model, moment.step) == decided
            assert await _outcome(store, moment.step) == decided
            await _check_open_feed(store, moment.after, swept=isinstance(moment.step, ExpireLeases))
            if number % 10 == 0:
                await _check_records(store, moment.after)
                for name, partner in (*OPEN, *product(PRIVATE, CALLERS)):
                    assert await read_feed(model, Feed(name, partner)) == await read_feed(store, Feed(name, partner))
    finally:
        await store.close()


async def _outcome(store: Store, command: Command[Any]) -> Any:
    try:
        return await store.execute(command)
    except OpenBookingError as refusal:
        return _comparable(refusal)


def _comparable(outcome: Outcome) -> Any:
    """Return an outcome in a form that can be compared."""
    return (type(outcome), outcome.description) if isinstance(outcome, OpenBookingError) else outcome


async def _check_open_feed(store: Store, state: Situation, *, swept: bool) -> None:
    """Check that open feeds show the Opportunities on sale, with their free spaces after ended holds were swept."""
    shown = {path: data for path, data in (await read_feed(store, SESSIONS)).items() if data}
    left = {key_of(path): max(free(state, path), 0) for path in PATHS.values() if on_sale(state, path)}
    assert shown.keys() == left.keys()
    for key, data in shown.items():
        assert data["remainingAttendeeCapacity"] <= left[key]
        assert data["remainingAttendeeCapacity"] == left[key] or not swept


async def _check_records(store: Store, state: Situation) -> None:
    """Check that the records are those of the model, that feeds show those of partners, and none of the front desk."""
    shown: dict[Feed, dict[str, Any]] = {Feed(*feed): {} for feed in product(PRIVATE, CALLERS)}
    for (partner, uuid), record in state.records.items():
        look = GetOrder(caller=CALLERS[partner], uuid=uuid)
        _, (kept,) = fold(state, [look])
        assert await _outcome(store, look) == _comparable(kept)
        is_shown = record.updated and not record.withheld and partner != DESK
        if record.kind is RecordKind.ORDER and is_shown:
            shown[Feed(ORDERS, partner)][uuid] = [item.status for item in items_of(record).values()]
        if record.kind is RecordKind.PROPOSAL and record.proposal and record.proposal.updated and not record.withheld:
            shown[Feed(ORDER_PROPOSALS, partner)][uuid] = record.proposal.status
    for feed, expected in shown.items():
        found = {uuid: data for uuid, data in (await read_feed(store, feed)).items() if data}
        if feed.name == ORDERS:
            found = {uuid: [item["orderItemStatus"] for item in data["orderedItem"]] for uuid, data in found.items()}
        else:
            found = {uuid: data["orderProposalStatus"] for uuid, data in found.items()}
        assert found == expected


def test_the_model_detects_a_space_sold_twice(tmp_path: Path) -> None:
    """The comparison can fail: a store that does not load booked spaces differs from the model."""

    class Forgetful(MemoryStore):
        def _spaces(self, path: str, now: datetime) -> Any:
            spaces = super()._spaces(path, now)
            return type(spaces)()

    async def run() -> None:
        clock, policy = Clock(), Policy(leasing=Leasing.OFF)
        stores = [kind(policy=policy, writer=feed_writer(), clock=clock) for kind in (MemoryStore, Forgetful)]
        outcomes = []
        for store in stores:
            await store.execute(PublishSeller(samples.SELLER, actor=MANAGER))
            await store.execute(Publish(session("swim", 1), actor=MANAGER))
            replies = [await store.execute(book(uuid, "swim")) for uuid in (new_uuid(), new_uuid())]
            outcomes.append([reply.has_errors for reply in replies])
        assert outcomes == [[False, True], [False, False]]

    asyncio.run(run())
