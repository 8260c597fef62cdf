"""The console of a Booking System on SQLite, and for some modules also on PostgreSQL.

The test kit for stores checks all views on each store, so that most pages need one store only.
"""

from functools import partial

import pytest

from openbooking.testing.postgres import PostgresServer
from support.console import SignIn, signed_in
from support.console_timetable import Club
from support.http_system import World


@pytest.fixture
def sign_in(world: World) -> SignIn:
    """Sign in with a new browser: as ann, a manager of the centre; cat, its staff; ben, the manager of the studio."""
    return partial(signed_in, world)


@pytest.fixture
def club(world: World) -> Club:
    """The timetable of the centre."""
    return Club(world)


_ON_BOTH_DATABASES = {"test_attendance", "test_orders", "test_proposals", "test_log", "test_staff", "test_details"}


@pytest.fixture
def world_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings for a kind of database."""
    if request.param == "sqlite":
        return {"store_kind": "sqlite"}
    server: PostgresServer = request.getfixturevalue("postgres")
    return {"store_kind": "postgresql", "database": server.new_database()}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the databases of a module."""
    if "world_settings" in metafunc.fixturenames:
        name = metafunc.module.__name__.rpartition(".")[2]
        databases = ["sqlite", "postgresql"] if name in _ON_BOTH_DATABASES else ["sqlite"]
        metafunc.parametrize("world_settings", databases, indirect=True)
