"""Checks whether an SQLite file belongs to openbooking, and runs migrations in one transaction."""

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import OperationalError

from openbooking.booking.store import StoreUnavailableError
from openbooking.store.backends import NAME_ANOTHER, MissingDatabaseError, SchemaError
from openbooking.store.schema import VERSION_TABLE
from openbooking.store.sqlite.connections import BUSY_TIMEOUT_SECONDS, connect, create, is_busy, with_space_to_open

_PAUSE_SECONDS = 0.02
_FIRST_BYTES = b"SQLite format 3\0"

T = TypeVar("T")


def check_exists(path: Path) -> None:
    """Raise SchemaError if the file does not exist or has no tables of openbooking; change nothing."""
    path = path.resolve()
    if not path.exists():
        raise MissingDatabaseError(
            f"The database {path} cannot be opened: there is no database at that path. {NAME_ANOTHER}"
        )
    tables = _tables(path)
    if VERSION_TABLE not in tables:
        error = SchemaError if tables else MissingDatabaseError
        raise error(f"The file {path} is no database of openbooking. {NAME_ANOTHER}")


def refuse_foreign(path: Path) -> None:
    """Raise SchemaError if the file has tables, but none of openbooking; change nothing."""
    path = path.resolve()
    if path.exists() and (tables := _tables(path)) and VERSION_TABLE not in tables:
        raise SchemaError(f"The file {path} is no database of openbooking. {NAME_ANOTHER}")


def _tables(path: Path) -> set[str]:
    if not path.is_file():
        raise StoreUnavailableError(f"The database {path} cannot be opened: it is no file. {NAME_ANOTHER}")
    if not _begins_as_database(path):
        raise StoreUnavailableError(f"The database {path} cannot be opened: the file is no database. {NAME_ANOTHER}")

    def read() -> set[str]:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_SECONDS)) as connection:
            return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}

    try:
        return with_space_to_open(path, read)
    except sqlite3.DatabaseError as fault:
        raise StoreUnavailableError(f"The database {path} cannot be opened: {fault}.") from fault


def _begins_as_database(path: Path) -> bool:
    """Return whether a file is empty or begins as SQLite's files do. SQLite would overwrite other short files."""
    with path.open("rb") as file:
        return file.read(len(_FIRST_BYTES)) in (b"", _FIRST_BYTES)


def run_in_migration(path: Path, work: Callable[[Connection], T]) -> T:
    """Run `work` in one transaction on a file, which is made if it is missing; return the result of `work`.

    Raises:
        StoreUnavailableError: SQLite cannot open the file.
    """
    try:
        with suppress(FileExistsError):
            create(path)
        # Without an isolation level the driver begins no transactions, so this function begins one. The driver itself
        # would begin a transaction only before the first row is changed.
        arguments = {"isolation_level": None, "timeout": BUSY_TIMEOUT_SECONDS}
        engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args=arguments)
        # If the disk is too full to open the file, `connect` releases the reserve first.
        with closing(connect(path)), engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
            # An embedder may have views and triggers on our tables. Otherwise SQLite refuses to make a table anew that
            # they name.
            connection.exec_driver_sql("PRAGMA legacy_alter_table=ON")
            _keep_write_ahead_log(connection)
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            triggers = _triggers(connection)
            result = work(connection)
            for name in triggers.keys() - _triggers(connection).keys():
                connection.exec_driver_sql(triggers[name])
            return result
    except sqlite3.DatabaseError as fault:
        raise StoreUnavailableError(f"The database {path} cannot be opened: {fault}.") from fault


def _triggers(connection: Connection) -> dict[str, str]:
    """Return the statements that make the triggers of an embedder, by name. A table that is made anew loses them."""
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {row.name: row.sql for row in rows}


def _keep_write_ahead_log(connection: Connection) -> None:
    """Turn the write-ahead log on; repeat the statement while the file is locked.

    SQLite's busy timeout does not apply to this statement.
    """
    until = monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        except OperationalError as fault:
            if not (isinstance(fault.orig, sqlite3.DatabaseError) and is_busy(fault.orig)) or monotonic() > until:
                raise
            sleep(_PAUSE_SECONDS)
        else:
            return
