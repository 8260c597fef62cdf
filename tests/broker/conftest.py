"""The databases of Brokers that the tests of the client use."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from openbooking.broker.store.database import Database, open_database
from openbooking.testing.postgres import PostgresServer


@pytest.fixture(scope="session")
def shared_postgres(postgres: PostgresServer) -> str:
    """The URL of a database that tests use one after the other, because to create one takes longer than to empty it."""
    return postgres.bare_database()


@pytest.fixture
def empty_postgres(shared_postgres: str) -> str:
    """The URL of an empty database of PostgreSQL."""
    with psycopg.connect(shared_postgres, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return shared_postgres


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The location of an empty database of a Broker."""
    if request.param == "SQLite":
        return str(tmp_path / "broker.sqlite3")
    url: str = request.getfixturevalue("empty_postgres")
    return url


@pytest.fixture
def database(location: str) -> Iterator[Database]:
    """An empty database of a Broker."""
    with closing(open_database(location)) as opened:
        yield opened
