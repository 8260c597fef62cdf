"""The database of a Broker: an SQLite file, or PostgreSQL by the driver psycopg (`openbooking[broker-postgres]`).

Statements are written once, with `?` for parameters, `BLOB` for bytes, and `INTEGER PRIMARY KEY` for a number of 64
bits. An application may keep its own tables in the same database, and change them in the transactions of the client.

A process that opens the database is an *instance*, and holds a lock until it ends or is killed. Others can therefore
tell whether the instance that began a step still lives. A process that is forked must open the database itself.
"""

import fcntl
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, Protocol, Self

from openbooking.openactive.errors import BrokerError

Row = tuple[Any, ...]
_POSTGRES = ("postgresql://", "postgres://")
_IN_MEMORY = ":memory:"
_BUSY_SECONDS = 30
ENDED_BY_APPLICATION = (
    "The handler of changes must not commit or roll back, because its transaction moves the cursor. Remove `commit`,"
    " `rollback`, `executescript` and `with connection` from the handler. The changes come again."
)
_SETTINGS = (
    # Items of feeds are larger than the rows for which the default page is meant. A database keeps its page size.
    "PRAGMA page_size = 8192",
    "PRAGMA journal_mode = WAL",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA cache_size = -32000",
    "PRAGMA foreign_keys = ON",
)
# A step of the journal must survive a power cut before its request leaves.
_DURABLE = "PRAGMA synchronous = FULL"
# A power cut may undo the last commits. What is committed together is undone together, and the latest commit first.
_SWIFT = "PRAGMA synchronous = NORMAL"


class DatabaseError(BrokerError):
    """The database cannot be opened, read or written; the message says why."""


class Transaction(Protocol):
    """An open transaction."""

    def lend(self) -> AbstractContextManager[Any]:
        """Lend the connection of the driver to the application, which changes its own tables and nothing else.

        Raises:
            DatabaseError: The application has committed, or tried to. The block of the transaction must not go on.
        """
        ...

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> "Rows":
        """Execute a statement, and return its rows and the number of rows that it changed."""
        ...

    def execute_many(self, statement: str, parameters: Sequence[Sequence[object]]) -> None:
        """Execute a statement once for each sequence of parameters."""
        ...


class Rows(Protocol):
    """The outcome of a statement."""

    @property
    def rowcount(self) -> int:
        """The number of rows that the statement changed."""
        ...

    def fetchone(self) -> Row | None:
        """Return the next row; None after the last."""
        ...

    def fetchall(self) -> list[Row]:
        """Return the remaining rows."""
        ...

    def __iter__(self) -> Iterator[Row]: ...


class Database(Protocol):
    """The database of a Broker. Its methods may be called from any thread.

    Transactions that write run one at a time, and so do those that read.
    """

    instance: str

    def transaction(self, *, durable: bool = True) -> AbstractContextManager[Transaction]:
        """Run a block in a transaction: commit at its end, roll back if it raises an error.

        Args:
            durable: Whether a power cut cannot undo the commit. The end of a process never undoes one. A commit that is
                not durable does not wait for the disk; it is for what can be read again, such as the pages of feeds.

        Raises:
            DatabaseError: The database cannot be read or written. Nothing has changed.
        """
        ...

    def reading(self) -> AbstractContextManager[Transaction]:
        """Run a block that changes nothing and sees one state. It does not wait for transactions that write.

        Raises:
            DatabaseError: The database cannot be read, or the block tries to change it.
        """
        ...

    def exclusive(self) -> AbstractContextManager[Transaction]:
        """Run a block in a transaction while no other process runs a block by this method."""
        ...

    def is_alive(self, instance: str) -> bool:
        """Return whether the process of an instance still has the database open."""
        ...

    def close(self) -> None:
        """Close the database and release its locks."""
        ...


def open_database(location: str | Path) -> Database:
    """Open the database of a Broker, and create it if it does not exist.

    Args:
        location: The path of an SQLite file, `:memory:`, or the URL of a PostgreSQL database.

    Raises:
        DatabaseError: The database cannot be opened.
    """
    if str(location).startswith(_POSTGRES):
        from openbooking.broker.store.postgres import PostgresDatabase  # noqa: PLC0415 - it uses the names above

        return PostgresDatabase(str(location))
    return SqliteDatabase(str(location))


class _SqliteTransaction:
    """A transaction of an SQLite database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> Rows:
        return self._connection.execute(statement, parameters)

    def execute_many(self, statement: str, parameters: Sequence[Sequence[object]]) -> None:
        self._connection.executemany(statement, parameters)

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection, as `Transaction.lend` says. SQLite refuses to end the transaction meanwhile."""
        refused = False

        def authorize(action: int, *_: object) -> int:
            nonlocal refused
            refused = refused or action == sqlite3.SQLITE_TRANSACTION
            return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_TRANSACTION else sqlite3.SQLITE_OK

        self._connection.set_authorizer(authorize)
        try:
            yield self._connection
        finally:
            self._connection.set_authorizer(None)
            if refused:
                raise DatabaseError(ENDED_BY_APPLICATION)


class SqliteDatabase:
    """A Broker's database in an SQLite file. A file next to it is the lock of each instance."""

    def __init__(self, path: str) -> None:
        self.instance = uuid.uuid4().hex
        self._path = path
        self._turn = threading.RLock()
        with _sqlite_errors(path):
            self._connection = self._connect()
        self._reading_turn = self._turn if path == _IN_MEMORY else threading.RLock()
        self._reader: sqlite3.Connection | None = None
        self._lock = self._locked(self.instance, create=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        """Run a block in a transaction, as `Database.transaction` says."""
        with self._turn, _sqlite_errors(self._path):
            self._connection.execute(_DURABLE if durable else _SWIFT)
            with _transaction(self._connection, "BEGIN IMMEDIATE") as transaction:
                yield transaction

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Run a block that changes nothing, as `Database.reading` says."""
        with (
            self._reading_turn,
            _sqlite_errors(self._path),
            _transaction(self._reading_connection(), "BEGIN") as transaction,
        ):
            yield transaction

    def exclusive(self) -> AbstractContextManager[Transaction]:
        """Run a block in a transaction, as `Database.exclusive` says. SQLite has one writer at a time anyway."""
        return self.transaction()

    def is_alive(self, instance: str) -> bool:
        """Return whether the process of an instance still has the database open."""
        if instance == self.instance:
            return True
        lock = self._locked(instance, create=False)
        if lock is None:
            return self._lock_file(instance).exists()
        lock.close()
        self._lock_file(instance).unlink(missing_ok=True)
        return False

    def close(self) -> None:
        """Close the database and release its locks."""
        with self._turn, self._reading_turn:
            self._connection.close()
            if self._reader is not None:
                self._reader.close()
            if self._lock is not None:
                self._lock_file(self.instance).unlink(missing_ok=True)
                self._lock.close()
                self._lock = None

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=_BUSY_SECONDS, check_same_thread=False)
        for setting in _SETTINGS:
            connection.execute(setting)
        return connection

    def _reading_connection(self) -> sqlite3.Connection:
        """Return the connection that reads. A database in memory has one connection only."""
        if self._path == _IN_MEMORY:
            return self._connection
        if self._reader is None:
            self._reader = self._connect()
            self._reader.execute("PRAGMA query_only = ON")
        return self._reader

    def _lock_file(self, instance: str) -> Path:
        return Path(f"{self._path}-instance-{instance}")

    def _locked(self, instance: str, *, create: bool) -> IO[bytes] | None:
        """Return the lock file of an instance, locked; None if another process holds the lock, or nobody can."""
        if self._path == _IN_MEMORY:
            return None
        try:
            file = self._lock_file(instance).open("ab" if create else "rb")
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[Transaction]:
    connection.execute(begin)
    try:
        yield _SqliteTransaction(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _sqlite_errors(path: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as fault:
        raise DatabaseError(f"The database {path} cannot be used: {fault}") from fault
