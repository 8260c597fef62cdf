"""The databases that the integrity check reads, of both kinds."""

from pathlib import Path

import pytest

from openbooking.store.migrate import prepare
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.new_database()
    prepare(str(tmp_path / "x.sqlite3"))
    return str(tmp_path / "x.sqlite3")
