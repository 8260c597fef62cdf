"""Fixtures for purchases: a world on each database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from openbooking.broker.schema import prepare
from openbooking.broker.store.database import open_database
from support.money.world import World, fast_folder


@pytest.fixture
def memory_folder() -> Iterator[Path]:
    """A temporary folder where a commit takes no time."""
    with fast_folder() as folder:
        yield Path(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, memory_folder: Path) -> str:
    """A Broker's database with its tables."""
    location = str(memory_folder / "broker.sqlite3")
    if request.param == "postgresql":
        location = request.getfixturevalue("empty_postgres")
    database = open_database(location)
    prepare(database)
    database.close()
    return location


@pytest.fixture
def world(memory_folder: Path) -> Iterator[World]:
    """A world with an SQLite file."""
    location = str(memory_folder / "broker.sqlite3")
    database = open_database(location)
    prepare(database)
    database.close()
    world = World(location)
    yield world
    world.close()
