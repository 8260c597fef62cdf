"""The backend for SQLite. The setting `database` is the path of a file."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from openbooking.booking.model.policy import Policy
from openbooking.booking.store import FeedWriter
from openbooking.clock import Clock
from openbooking.store.identity.store import SqlIdentityStore
from openbooking.store.sqlite.database import SqliteDatabase
from openbooking.store.sqlite.dialect import SQLITE
from openbooking.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")


class SqliteBackend:
    """The backend for SQLite. See `openbooking.store.backends.Backend`."""

    def open_store(  # noqa: PLR0913 - what any store needs
        self,
        database: str,
        *,
        replica: str,
        policy: Policy,
        writer: FeedWriter,
        clock: Clock,
        command_seconds: float,
    ) -> SqliteStore:
        """Open the store in a file. SQLite has no replicas, so `replica` is ignored."""
        del replica
        path = Path(database)
        return SqliteStore(path, policy=policy, writer=writer, clock=clock, command_seconds=command_seconds)

    def open_identity_store(self, database: str, command_seconds: float) -> SqlIdentityStore:
        """Open the identity store in a file."""
        return SqlIdentityStore(SqliteDatabase(Path(database), command_seconds), SQLITE)

    def is_prepared(self, database: str) -> bool:
        """Return False: a look at the file would take as long as `run_in_migration`."""
        del database
        return False

    def check_exists(self, database: str) -> None:
        """Raise SchemaError if the file does not exist or has no tables of openbooking."""
        from openbooking.store.sqlite.migration import check_exists  # noqa: PLC0415 - workers do without

        check_exists(Path(database))

    def refuse_foreign(self, database: str) -> None:
        """Raise SchemaError if the file has tables, but none of openbooking."""
        from openbooking.store.sqlite.migration import refuse_foreign  # noqa: PLC0415 - workers do without

        refuse_foreign(Path(database))

    def run_in_migration(self, database: str, work: Callable[["Connection"], T]) -> T:
        """Run `work` as the only writer of the file, which is made if it is missing; return the result of `work`."""
        from openbooking.store.sqlite.migration import run_in_migration  # noqa: PLC0415 - workers do without

        return run_in_migration(Path(database), work)

    def back_up(self, database: str, copy: Path) -> None:
        """Write a copy of the file while other processes go on using it."""
        from openbooking.store.sqlite.backup import back_up  # noqa: PLC0415 - workers do without

        self.check_exists(database)
        back_up(Path(database), copy)
