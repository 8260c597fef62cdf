"""The option `--deployment` makes the tests of servers behind a proxy try Caddy and PostgreSQL too."""

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests with nginx and SQLite, and with `--deployment` with Caddy and PostgreSQL too."""
    is_long = metafunc.config.getoption("--deployment")
    for name, kinds in (("kind_of_proxy", ["nginx", "caddy"]), ("kind_of_database", ["sqlite", "postgres"])):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, kinds if is_long else kinds[:1], scope="module")
