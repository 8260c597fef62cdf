"""Checks the schema of a PostgreSQL database, and runs migrations in a transaction with an advisory lock."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import asyncpg
from sqlalchemy import Connection, NullPool, text
from sqlalchemy.exc import DBAPIError

from openbooking.store.backends import SchemaError
from openbooking.store.schema import REVISION, VERSION_TABLE

if TYPE_CHECKING:
    from asyncpg import Connection as PostgresConnection

_OLDEST_VERSION = 150_000
# The key of the advisory lock of migrations; any number that all versions share.
_LOCK = 5_278_137_614_120_001
_CONNECT_SECONDS = 10.0
# How long a migration waits for another migration, or for a table that it has to change.
_LOCK_SECONDS = 60

T = TypeVar("T")


async def is_prepared(url: str) -> bool:
    """Return whether the database has the schema of this version; False if it does not answer.

    This is faster than `run_in_migration`, which has to load SQLAlchemy's engine. `run_in_migration` raises an error
    that says what is wrong.
    """
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError):
        connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS, command_timeout=_CONNECT_SECONDS)
        try:
            new_enough = connection.get_server_version().major * 10_000 >= _OLDEST_VERSION
            return new_enough and await connection.fetchval(f"SELECT version_num FROM {VERSION_TABLE}") == REVISION  # noqa: S608 - our own name
        finally:
            await connection.close()
    return False


async def run_in_migration(url: str, work: Callable[[Connection], T]) -> T:
    """Run `work` in one transaction that holds the advisory lock of migrations; return its result.

    Raises:
        SchemaError: The server is older than PostgreSQL 15, or a view of an embedder stops a migration.
    """
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - longer to load than `is_prepared` takes

    async def connect() -> "PostgresConnection":
        try:
            return await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
            raise ConnectionError(str(fault)) from fault

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"))
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        version = await connection.scalar(text("SELECT current_setting('server_version_num')::int"))
        if int(version or 0) < _OLDEST_VERSION:
            raise SchemaError("The database server is too old: PostgreSQL 15 or newer is needed.")
        try:
            return await connection.run_sync(work)
        except DBAPIError as fault:
            cause = fault.orig.__cause__ if fault.orig else None
            if not isinstance(cause, asyncpg.DependentObjectsStillExistError | asyncpg.FeatureNotSupportedError):
                raise
            message = f"The schema cannot be changed, because of tables or views that are not ours: {cause.detail}"
            raise SchemaError(f"{message}. Drop these, run `openbooking migrate`, and make them again.") from fault
