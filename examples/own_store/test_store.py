"""The studio's store passes the test kit: `pytest test_store.py`."""

import asyncio
from pathlib import Path

import pytest
from studio.database import Database
from studio.store import make_store, open_store

from openbooking import Clock, FeedWriter, Policy, SqliteStore
from openbooking.testing import DurableStoreTests


def studio_in(folder: Path) -> Database:
    """Return the studio's database in a folder."""
    return Database(str(folder / "studio.sqlite3"))


class TestStudioStore(DurableStoreTests):
    """Opens the store in a new database of the studio for each test."""

    @pytest.fixture(autouse=True)
    def database(self, tmp_path: Path) -> None:
        """Make the tables of the studio, and the store."""

        async def make() -> None:
            studio = studio_in(tmp_path)
            await studio.run_file("studio.sql")
            await make_store(studio)

        asyncio.run(make())

    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> SqliteStore:
        """Open the store."""
        return open_store(studio_in(folder), policy=policy, writer=writer, clock=clock)
