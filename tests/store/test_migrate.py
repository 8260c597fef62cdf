"""The schema, on every database."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from openbooking.booking.store import StoreUnavailableError
from openbooking.store.location import without_password
from openbooking.store.migrate import SchemaError, connected, prepare, upgrade
from openbooking.store.schema import metadata
from postgres import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema."""
    if request.param == "sqlite":
        return str(tmp_path / "x.sqlite3")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.bare_database()


def test_the_migrations_make_the_schema_that_statements_are_written_for(database: str) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert upgrade(database) == upgrade(database)
    assert connected(database, differences) == []


def test_a_newer_schema_is_refused_and_left_alone(database: str) -> None:
    def set_revision(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    def revision(connection: Connection) -> object:
        return connection.scalar(text("SELECT version_num FROM alembic_version"))

    prepare(database)
    connected(database, set_revision)
    for open_ in (prepare, upgrade):
        with pytest.raises(SchemaError, match="newer"):
            open_(database)
    assert connected(database, revision) == "9999"


def test_several_processes_may_set_up_one_new_database(postgres: PostgresServer) -> None:
    database = postgres.bare_database()
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(prepare, [database] * 4)) == [None] * 4


@pytest.mark.parametrize(
    "database", ["/nowhere/x.sqlite3", "postgresql://user:secret@127.0.0.1:9/none?password=secret"]
)
def test_a_database_that_cannot_be_opened_is_told_without_its_password(database: str) -> None:
    with pytest.raises(StoreUnavailableError, match="cannot be opened") as told:
        prepare(database)
    assert "secret" not in str(told.value)
    assert without_password(database) in str(told.value)
