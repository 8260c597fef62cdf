"""Booking Systems on SQLite and PostgreSQL, and Brokers with the blocking and the asynchronous client."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from openbooking.testing.postgres import PostgresServer
from support.broker.systems import ACCESS, Served, Till, open_broker, serving_world


@pytest.fixture(autouse=True)
def people_sign_in_quickly(quick_passwords: None) -> None:
    """Hash passwords quickly in all of these tests."""


# The client and the databases do not depend on each other, so that two pairs are enough.
@pytest.fixture(params=["blocking client, SQLite", "asynchronous client, PostgreSQL"])
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of client, and of the databases of the Booking System and the Broker."""
    return str(request.param).partition(" ")[0]


@pytest.fixture
def databases(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> tuple[dict[str, str], str]:
    """The store of the Booking System, and the location of the Broker's database."""
    if kind == "blocking":
        return {"store_kind": "sqlite"}, str(tmp_path / "broker.sqlite3")
    server: PostgresServer = request.getfixturevalue("postgres")
    return {"store_kind": "postgresql", "database": server.new_database()}, request.getfixturevalue("empty_postgres")


@pytest.fixture
async def system(databases: tuple[dict[str, str], str], tmp_path: Path) -> AsyncIterator[Served]:
    """A Booking System that knows partners by API keys."""
    async with serving_world(folder=tmp_path, **databases[0]) as served:
        yield served


@pytest.fixture
def till() -> Till:
    """The payments of the Broker."""
    return Till()


@pytest.fixture
async def broker(kind: str, system: Served, databases: tuple[dict[str, str], str], till: Till) -> AsyncIterator[Any]:
    """The Broker alice with an API key."""
    opened = open_broker(kind, system, ACCESS["API key"][0], databases[1], payments=till)
    yield opened
    await opened.close()
