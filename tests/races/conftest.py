"""Databases to be fired at, and for how long."""

from pathlib import Path

import pytest

from openbooking.testing.postgres import PostgresServer


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the kind that the test names by its parameter `kind`."""
    if request.getfixturevalue("kind") == "sqlite":
        return str(tmp_path / "races.sqlite3")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def fire_seconds(request: pytest.FixtureRequest) -> float:
    """For how long to fire: `pytest tests/races --fire SECONDS`."""
    seconds: float = request.config.getoption("--fire")
    return seconds
