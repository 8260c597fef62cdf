"""Each IdentityStore does what the protocol `IdentityStore` promises."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from openbooking.identity.store import IdentityStore
from openbooking.store.backends import backend_of
from openbooking.store.database import COMMAND_SECONDS
from openbooking.store.identity.memory import MemoryIdentityStore
from openbooking.store.migrate import prepare
from openbooking.testing import DurableIdentityStoreTests, IdentityStoreTests
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.stores.identity_tests import ALICE


def open_at(database: str) -> IdentityStore:
    return backend_of(database).open_identity_store(database, COMMAND_SECONDS)


class TestMemoryIdentityStore(IdentityStoreTests):
    def open_store(self, folder: Path) -> MemoryIdentityStore:
        return MemoryIdentityStore()


class TestSqliteIdentityStore(DurableIdentityStoreTests):
    def open_store(self, folder: Path) -> IdentityStore:
        prepare(str(folder / "kit.sqlite3"))
        return open_at(str(folder / "kit.sqlite3"))


class TestPostgresIdentityStore(DurableIdentityStoreTests):
    @pytest.fixture(autouse=True)
    def database(self, postgres: PostgresServer) -> None:
        self.url = postgres.new_database()

    def open_store(self, folder: Path) -> IdentityStore:
        return open_at(self.url)


def test_a_lookup_waits_for_a_locked_file_without_blocking_the_event_loop(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite3"
    prepare(str(path))

    async def run() -> None:
        store = open_at(str(path))
        assert await store.save(ALICE)
        await store.close()
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        store = open_at(str(path))
        waiting = asyncio.create_task(store.access_rights_by_api_key("a"))
        beats = 0
        while beats < 100 and not waiting.done():
            beats += 1
            await asyncio.sleep(0.001)
        assert beats == 100
        holder.close()
        standing = await waiting
        assert standing
        assert standing.partner.name == "Alice"
        await store.close()

    asyncio.run(run())
