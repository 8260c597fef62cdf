"""Databases to be fired at, and for how long."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from openbooking.testing.postgres import PostgresServer


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Another database, each time, of the kind that the test names by its parameter `kind`."""
    if request.getfixturevalue("kind") == "sqlite":
        numbers = itertools.count()
        return lambda: str(tmp_path / f"races-{next(numbers)}.sqlite3")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database


@pytest.fixture
def database(new_database: Callable[[], str]) -> str:
    """A database of the kind that the test names by its parameter `kind`."""
    return new_database()


@pytest.fixture
def fire_seconds(request: pytest.FixtureRequest) -> float:
    """For how long to fire: `pytest tests/races --fire SECONDS`."""
    seconds: float = request.config.getoption("--fire")
    return seconds
