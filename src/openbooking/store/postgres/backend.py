"""The backend for PostgreSQL. The setting `database` is a URL that begins with postgresql:// or postgres://."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from openbooking.booking.model.policy import Policy
from openbooking.booking.store import FeedWriter
from openbooking.clock import Clock
from openbooking.store.identity.store import SqlIdentityStore
from openbooking.store.postgres.database import PostgresDatabase
from openbooking.store.postgres.dialect import POSTGRES
from openbooking.store.postgres.store import PostgresStore
from openbooking.user_error import UserError

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")


class PostgresBackend:
    """The backend for PostgreSQL. See `openbooking.store.backends.Backend`."""

    def open_store(  # noqa: PLR0913 - what any store needs
        self,
        database: str,
        *,
        replica: str,
        policy: Policy,
        writer: FeedWriter,
        clock: Clock,
        command_seconds: float,
    ) -> PostgresStore:
        """Open the store in the database. Feeds are read from the replica unless it is an empty string."""
        return PostgresStore(
            database, replica=replica, policy=policy, writer=writer, clock=clock, command_seconds=command_seconds
        )

    def open_identity_store(self, database: str, command_seconds: float) -> SqlIdentityStore:
        """Open the identity store in the database."""
        return SqlIdentityStore(PostgresDatabase(database, command_seconds), POSTGRES)

    def is_prepared(self, database: str) -> bool:
        """Return whether the database has the schema of this version; False if it does not answer."""
        from openbooking.store.postgres.migration import is_prepared  # noqa: PLC0415 - workers do without

        return asyncio.run(is_prepared(database))

    def check_exists(self, database: str) -> None:
        """Do nothing: the server reports that a database is missing."""

    def refuse_foreign(self, database: str) -> None:
        """Do nothing: openbooking may share a database with other programs."""

    def run_in_migration(self, database: str, work: Callable[["Connection"], T]) -> T:
        """Run `work` in a transaction that holds the advisory lock of migrations; return its result."""
        from openbooking.store.postgres.migration import run_in_migration  # noqa: PLC0415 - workers do without

        return asyncio.run(run_in_migration(database, work))

    def back_up(self, database: str, copy: Path) -> None:
        """Raise UserError: PostgreSQL databases are backed up with the tools of PostgreSQL."""
        del database, copy
        raise UserError("Back up a PostgreSQL database with pg_dump, or with continuous archiving.")
