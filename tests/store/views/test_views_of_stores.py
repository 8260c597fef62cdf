"""The views of every store keep what their protocol says."""

from pathlib import Path

import pytest

from openbooking.booking.model.policy import Policy
from openbooking.booking.store import FeedWriter
from openbooking.clock import Clock
from openbooking.store.memory import MemoryStore
from openbooking.store.migrate import prepare
from openbooking.store.postgres.store import PostgresStore
from openbooking.store.sqlite.store import SqliteStore
from openbooking.testing import ViewTests
from openbooking.testing.postgres import PostgresServer


class TestMemoryViews(ViewTests):
    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> MemoryStore:
        return MemoryStore(policy=policy, writer=writer, clock=clock)


class TestSqliteViews(ViewTests):
    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> SqliteStore:
        prepare(str(folder / "kit.sqlite3"))
        return SqliteStore(folder / "kit.sqlite3", policy=policy, writer=writer, clock=clock)


class TestPostgresViews(ViewTests):
    @pytest.fixture(autouse=True)
    def database(self, postgres: PostgresServer) -> None:
        self.url = postgres.new_database()

    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> PostgresStore:
        return PostgresStore(self.url, policy=policy, writer=writer, clock=clock)
