"""The queues of order events of all stores pass the test kit."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from openbooking.booking.model.policy import Policy
from openbooking.booking.store import FeedWriter
from openbooking.store.memory import MemoryStore
from openbooking.store.migrate import prepare
from openbooking.store.postgres.store import PostgresStore
from openbooking.store.sqlite.store import SqliteStore
from openbooking.testing import DurableEventTests, EventTests
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import Clock, book, fresh


class TestMemoryQueue(EventTests):
    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> MemoryStore:
        return MemoryStore(policy=policy, writer=writer, clock=clock)


class TestSqliteQueue(DurableEventTests):
    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> SqliteStore:
        prepare(str(folder / "kit.sqlite3"))
        return SqliteStore(folder / "kit.sqlite3", policy=policy, writer=writer, clock=clock)

    def test_events_are_forgotten_when_they_are_kept_no_more(self, tmp_path: Path) -> None:
        check_forgotten(self, tmp_path)

    def test_an_event_that_cannot_be_read_holds_up_no_other_order(self, tmp_path: Path) -> None:
        async def run() -> None:
            async with self.keeping(tmp_path) as opened:
                for _ in range(2):
                    await opened.store.execute(book(fresh(), "yoga"))
                with closing(sqlite3.connect(tmp_path / "kit.sqlite3")) as database, database:
                    database.execute('UPDATE order_event SET document = \'{"type":"newer"}\' WHERE number = 1')
                assert [waiting.number for waiting in await opened.queue.due(opened.clock(), 9)] == [2]
                assert (await opened.queue.figures())[:2] == (2, 1)

        asyncio.run(run())


class TestPostgresQueue(DurableEventTests):
    @pytest.fixture(autouse=True)
    def database(self, postgres: PostgresServer) -> None:
        self.url = postgres.new_database()

    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> PostgresStore:
        return PostgresStore(self.url, policy=policy, writer=writer, clock=clock)

    def test_events_are_forgotten_when_they_are_kept_no_more(self, tmp_path: Path) -> None:
        check_forgotten(self, tmp_path)


def check_forgotten(case: DurableEventTests, folder: Path) -> None:
    """Check that the upkeep removes events after the time until which they are kept, and none before."""

    async def run() -> None:
        async with case.keeping(folder) as opened:
            await opened.store.execute(book(fresh(), "yoga"))
            waiting = []
            for _ in range(2):
                await opened.store.forget_deleted(opened.clock() - timedelta(days=8))
                waiting.append((await opened.queue.figures()).waiting)
                opened.clock.move(timedelta(days=2))
            assert waiting == [1, 0]

    asyncio.run(run())
