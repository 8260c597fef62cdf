"""The database of a Broker in PostgreSQL, by the driver psycopg."""

import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

from openbooking.broker.store.database import ENDED_BY_APPLICATION, DatabaseError, Row, Rows, Transaction

if TYPE_CHECKING:
    import psycopg

_WORDS = (
    ("%", "%%"),
    ("?", "%s"),
    ("BLOB", "BYTEA"),
    # In SQLite, such a key is the number of the row itself and needs no index.
    ("INTEGER PRIMARY KEY", "BIGINT PRIMARY KEY"),
)
# The number of the lock of `exclusive`, among the advisory locks of PostgreSQL.
_EXCLUSIVE = 0x6F70656E626F6F6B


class _PostgresTransaction:
    """A transaction of a PostgreSQL database."""

    def __init__(self, connection: "psycopg.Connection[Row]") -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> Rows:
        return self._connection.execute(_to_postgres(statement), _without_nul(parameters))

    def execute_many(self, statement: str, parameters: Sequence[Sequence[object]]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(_to_postgres(statement), [_without_nul(each) for each in parameters])

    @contextmanager
    def lend(self) -> Iterator["psycopg.Connection[Row]"]:
        """Lend the connection, as `Transaction.lend` says. The end of the transaction is noticed afterwards."""
        before = self._number()
        yield self._connection
        if self._number() != before:
            raise DatabaseError(ENDED_BY_APPLICATION)

    def _number(self) -> Row | None:
        """Return the number of the transaction that is open."""
        return self._connection.execute("SELECT txid_current()").fetchone()


class PostgresDatabase:
    """A Broker's database in PostgreSQL. An advisory lock of its session is the lock of each instance."""

    def __init__(self, url: str) -> None:
        try:
            import psycopg  # noqa: PLC0415 - an extra, which only brokers with PostgreSQL install
        except ImportError as fault:
            raise DatabaseError("A PostgreSQL database needs the extra openbooking[broker-postgres].") from fault
        self._psycopg = psycopg
        try:
            psycopg.conninfo.conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            # The text of this error quotes the part that is wrong, which may be the password.
            raise DatabaseError("The URL of the PostgreSQL database cannot be read.") from None
        self.instance = uuid.uuid4().hex
        self._url = url
        self._turn = threading.RLock()
        self._reading_turn = threading.RLock()
        self._reader: psycopg.Connection[Row] | None = None
        with self._errors():
            self._connection = self._connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        """Run a block in a transaction, as `Database.transaction` says."""
        with self._turn, self._errors():
            if self._connection.closed:
                self._connection = self._connect()
            with self._connection.transaction():
                if not durable:
                    self._connection.execute("SET LOCAL synchronous_commit = off")
                yield _PostgresTransaction(self._connection)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Run a block that changes nothing, as `Database.reading` says."""
        with self._reading_turn, self._errors():
            if self._reader is None or self._reader.closed:
                self._reader = self._psycopg.connect(self._url, autocommit=True)
            with self._reader.transaction():
                self._reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                yield _PostgresTransaction(self._reader)

    @contextmanager
    def exclusive(self) -> Iterator[Transaction]:
        """Run a block in a transaction, as `Database.exclusive` says."""
        with self.transaction() as transaction:
            transaction.execute("SELECT pg_advisory_xact_lock(?)", (_EXCLUSIVE,))
            yield transaction

    def is_alive(self, instance: str) -> bool:
        """Return whether the process of an instance still has the database open."""
        if instance == self.instance:
            return True
        with self.transaction() as transaction:
            row = transaction.execute("SELECT pg_try_advisory_xact_lock(?)", (_lock_number(instance),)).fetchone()
        return row is None or not row[0]

    def close(self) -> None:
        """Close the database and release its locks."""
        with self._turn, self._reading_turn:
            # The server notices the end of a connection a moment later, and releases locks only then.
            with suppress(self._psycopg.Error):
                self._connection.execute("SELECT pg_advisory_unlock_all()")
            self._connection.close()
            if self._reader is not None:
                self._reader.close()

    def _connect(self) -> "psycopg.Connection[Row]":
        connection = self._psycopg.connect(self._url, autocommit=True)
        # A shared lock: the server may still hold the one of a connection that broke.
        connection.execute("SELECT pg_advisory_lock_shared(%s)", (_lock_number(self.instance),))
        return connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except self._psycopg.Error as fault:
            raise DatabaseError(f"The database of the Broker cannot be used: {fault}") from fault


def _to_postgres(statement: str) -> str:
    for ours, theirs in _WORDS:
        statement = statement.replace(ours, theirs)
    return statement


def _without_nul(parameters: Sequence[object]) -> Sequence[object]:
    """Return parameters without the character NUL, which no text of PostgreSQL may have. Other systems may send it."""
    return [
        value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value for value in parameters
    ]


def _lock_number(instance: str) -> int:
    """Return a number of an instance for an advisory lock, which is a signed number of 64 bits."""
    return int.from_bytes(uuid.UUID(instance).bytes[:8], signed=True)
