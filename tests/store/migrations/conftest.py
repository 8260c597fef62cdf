"""The databases that the tests of migrations begin with."""

from pathlib import Path

import pytest

from openbooking.testing.postgres import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a database without a schema."""
    if request.param == "sqlite":
        return str(tmp_path / "x.sqlite3")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.bare_database()
