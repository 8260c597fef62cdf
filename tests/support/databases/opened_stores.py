"""Opens stores of any backend, for the tests of stores."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from openbooking.booking.model.policy import Policy
from openbooking.clock import Clock
from openbooking.store.backends import backend_of
from openbooking.store.database import COMMAND_SECONDS
from openbooking.store.postgres.database import PostgresDatabase
from openbooking.store.sql import SqlStore
from openbooking.testing.samples import Clock as SampleClock
from openbooking.testing.store_case import feed_writer


def open_store(
    database: str,
    *,
    replica: str = "",
    policy: Policy | None = None,
    clock: Clock | None = None,
    command_seconds: float = COMMAND_SECONDS,
) -> SqlStore:
    """Migrate the database to the current schema, and return its store."""
    return backend_of(database).open_store(
        database,
        replica=replica,
        policy=policy or Policy(),
        writer=feed_writer(),
        clock=clock or SampleClock(),
        command_seconds=command_seconds,
    )


@asynccontextmanager
async def opened(
    database: str, *, replica: str = "", policy: Policy | None = None, command_seconds: float = COMMAND_SECONDS
) -> AsyncIterator[SqlStore]:
    """Yield the store, and close it at the end."""
    store = open_store(database, replica=replica, policy=policy, command_seconds=command_seconds)
    try:
        yield store
    finally:
        await store.close()


def postgres_driver(store: SqlStore) -> PostgresDatabase:
    """Return the driver of a PostgreSQL store."""
    driver = store._database
    assert isinstance(driver, PostgresDatabase)
    return driver
