"""A made-up backend: an SQLite file behind a URL, used as if several processes could write to it at the same time.

Feed items get their numbers after the commit, as on PostgreSQL. The driver delegates to that of SQLite.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from openbooking.booking.model.policy import Policy
from openbooking.booking.store import FeedWriter
from openbooking.clock import Clock
from openbooking.store.database import Procedure
from openbooking.store.identity.store import SqlIdentityStore
from openbooking.store.integrity.finding import Finding
from openbooking.store.sql import SqlStore
from openbooking.store.sqlite.backend import SqliteBackend
from openbooking.store.sqlite.database import SqliteDatabase
from openbooking.store.sqlite.dialect import Sqlite
from openbooking.user_error import UserError

T = TypeVar("T")


class ToyDialect(Sqlite):
    """SQLite's statements, but with numbers after the commit and with row locks in the statements."""

    one_writer = False


class ToyDatabase:
    """A driver that delegates to that of SQLite."""

    is_remote = True

    def __init__(self, path: Path, command_seconds: float) -> None:
        self._file = SqliteDatabase(path, command_seconds)
        self.confirmations = 0

    @property
    def disk_is_full(self) -> bool:
        return self._file.disk_is_full

    async def write(
        self,
        make: Callable[[], Procedure[T]],
        *,
        brief: bool = False,
        until: float | None = None,
        lock_seconds: float | None = None,
    ) -> T:
        return await self._file.write(make, brief=brief, until=until, lock_seconds=lock_seconds)

    async def read(self, make: Callable[[], Procedure[T]], *, brief: bool = False, until: float | None = None) -> T:
        return await self._file.read(make, brief=brief, until=until)

    async def snapshot(self, make: Callable[[], Procedure[T]]) -> T:
        return await self._file.snapshot(make)

    async def confirm(self, until: float) -> None:
        del until
        self.confirmations += 1

    async def run_upkeep(self) -> None:
        """Do nothing: the file needs no upkeep."""

    async def durability_findings(self) -> Sequence[Finding]:
        return [Finding("The toy", "is a toy")]

    async def purge_deleted(self, now: datetime) -> None:
        await self._file.purge_deleted(now)

    async def close(self) -> None:
        await self._file.close()


class ToyBackend:
    """The backend of databases at `toy:///path/of/the/file`."""

    def __init__(self) -> None:
        self._files = SqliteBackend()

    def open_store(
        self,
        database: str,
        *,
        replica: str,
        policy: Policy,
        writer: FeedWriter,
        clock: Clock,
        command_seconds: float,
    ) -> SqlStore:
        del replica
        driver = ToyDatabase(Path(_path(database)), command_seconds)
        return SqlStore(
            driver, ToyDialect(), policy=policy, writer=writer, clock=clock, command_seconds=command_seconds
        )

    def open_identity_store(self, database: str, command_seconds: float) -> SqlIdentityStore:
        return SqlIdentityStore(ToyDatabase(Path(_path(database)), command_seconds), ToyDialect())

    def is_prepared(self, database: str) -> bool:
        return self._files.is_prepared(_path(database))

    def check_exists(self, database: str) -> None:
        self._files.check_exists(_path(database))

    def refuse_foreign(self, database: str) -> None:
        self._files.refuse_foreign(_path(database))

    def run_in_migration(self, database: str, work: Callable[[Connection], T]) -> T:
        return self._files.run_in_migration(_path(database), work)

    def back_up(self, database: str, copy: Path) -> None:
        raise UserError("Toys need no backup.")


def _path(database: str) -> str:
    return database.removeprefix("toy://")
