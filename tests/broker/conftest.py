"""The databases of Brokers that the tests of the client use."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from openbooking.broker.store.database import Database, open_database


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The location of an empty database of a Broker."""
    if request.param == "SQLite":
        return str(tmp_path / "broker.sqlite3")

    url: str = request.getfixturevalue("postgres").bare_database()
    return url


@pytest.fixture
def database(location: str) -> Iterator[Database]:
    """An empty database of a Broker."""
    with closing(open_database(location)) as opened:
        yield opened
