"""Every IdentityStore keeps the promises of the protocol."""

from pathlib import Path

import pytest

from openbooking.store.identity import PostgresIdentityStore, SqliteIdentityStore
from openbooking.store.identity_memory import MemoryIdentityStore
from openbooking.store.migrate import prepare
from openbooking.testing import DurableIdentityStoreTests, IdentityStoreTests
from postgres import PostgresServer


class TestMemoryIdentityStore(IdentityStoreTests):
    def open_store(self, place: Path) -> MemoryIdentityStore:
        return MemoryIdentityStore()


class TestSqliteIdentityStore(DurableIdentityStoreTests):
    def open_store(self, place: Path) -> SqliteIdentityStore:
        prepare(str(place / "kit.sqlite3"))
        return SqliteIdentityStore(place / "kit.sqlite3")


class TestPostgresIdentityStore(DurableIdentityStoreTests):
    @pytest.fixture(autouse=True)
    def database(self, postgres: PostgresServer) -> None:
        self.url = postgres.new_database()

    def open_store(self, place: Path) -> PostgresIdentityStore:
        return PostgresIdentityStore(self.url)
