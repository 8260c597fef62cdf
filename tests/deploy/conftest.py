"""The option `--deployment` makes the tests of servers behind a proxy try Caddy and PostgreSQL too."""

from pathlib import Path

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests with nginx and SQLite, and with `--deployment` with Caddy and PostgreSQL too."""
    is_long = metafunc.config.getoption("--deployment")
    for name, kinds in (("kind_of_proxy", ["nginx", "caddy"]), ("kind_of_database", ["sqlite", "postgres"])):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, kinds if is_long else kinds[:1], scope="module")


@pytest.fixture
def database(kind_of_database: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Return an empty database of the kind."""
    if kind_of_database == "sqlite":
        return str(tmp_path / "served.sqlite3")
    return str(request.getfixturevalue("postgres").new_database())
