"""The schema of a Broker's database: its creation by several processes, and its upgrades."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from openbooking.broker import schema
from openbooking.broker.store.database import Database, DatabaseError, open_database


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "broker.sqlite3")
    url: str = request.getfixturevalue("postgres").bare_database()
    return url


@pytest.fixture
def database(location: str) -> Iterator[Database]:
    with closing(open_database(location)) as opened:
        yield opened


def test_processes_prepare_a_new_database_at_the_same_time(location: str) -> None:
    faults = list[Exception]()

    def prepare() -> None:
        try:
            with closing(open_database(location)) as opened:
                schema.prepare(opened)
        except DatabaseError as fault:
            faults.append(fault)

    threads = [threading.Thread(target=prepare) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_tables_of_an_older_version_are_upgraded_once(database: Database) -> None:
    schema.prepare(database)
    schema.prepare(database)
    upgrade = ("ALTER TABLE broker_purchases ADD COLUMN colour TEXT",)
    schema.prepare(database, (*schema.UPGRADES, upgrade))
    schema.prepare(database, (*schema.UPGRADES, upgrade))
    with database.transaction() as transaction:
        assert transaction.execute("SELECT colour FROM broker_purchases").fetchall() == []
        assert transaction.execute("SELECT version FROM broker_schema").fetchall() == [(schema.VERSION + 1,)]
    with pytest.raises(DatabaseError, match="newer version"):
        schema.prepare(database)
