"""Fixtures for races: databases, and the duration."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from openbooking.testing.postgres import PostgresServer


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Return a function that creates a database of the kind that is the parameter `kind` of the test."""
    if request.getfixturevalue("kind") == "sqlite":
        numbers = itertools.count()
        return lambda: str(tmp_path / f"races-{next(numbers)}.sqlite3")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database


@pytest.fixture
def database(new_database: Callable[[], str]) -> str:
    """A database of the kind that is the parameter `kind` of the test."""
    return new_database()


@pytest.fixture
def fire_seconds(request: pytest.FixtureRequest) -> float:
    """The duration of a race in seconds: `pytest tests/races --fire SECONDS`."""
    seconds: float = request.config.getoption("--fire")
    return seconds
