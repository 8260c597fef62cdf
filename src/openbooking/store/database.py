"""Procedures, which say what the stores ask of a database, and the drivers that run them.

A procedure is a generator that does no input or output itself: it yields a query, receives the rows of the answer, and
returns its result. So each procedure is written once for all databases.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from openbooking.booking.model.order import OrderKey
from openbooking.booking.store import StoreUnavailableError
from openbooking.store.dialect import SaveStatement, Statement
from openbooking.store.integrity.finding import Finding
from openbooking.store.rows import Rows

# How long a command may wait for the database, unless the setting says otherwise.
COMMAND_SECONDS = 10.0

T = TypeVar("T")


class Query(NamedTuple):
    """A statement, and the values of its parameters by name. Values without a parameter are ignored."""

    statement: Statement
    values: dict[str, Any]

    @property
    def arguments(self) -> list[Any]:
        """The values in the order of the parameters."""
        return [self.values[name] for name in self.statement.names]


class SaveRows(NamedTuple):
    """Rows to write, by kind, and the statement that writes them."""

    saving: SaveStatement
    rows: Rows

    @property
    def any(self) -> bool:
        """Whether there is at least one row."""
        return any(self.rows.values())


ResultRows = Sequence[Any]
Procedure = Generator[Query | SaveRows, ResultRows, T]


class ChangedMeanwhileError(Exception):
    """The rows that a procedure has to lock had changed by the time they were locked. It can be run again."""


class LockedError(StoreUnavailableError):
    """Another transaction holds a lock that a procedure needs. Nothing was written."""


class Database(Protocol):
    """A driver: it runs procedures on a database.

    Every method raises StoreUnavailableError if the database cannot do what is asked. No method waits for other
    transactions, or for a free connection, longer than `until`, a time of the event loop; without `until` the limit is
    the command timeout that the driver was opened with.

    `make` returns a new generator each time, because a driver may have to run a procedure again.
    """

    @property
    def is_remote(self) -> bool:
        """Whether each query costs a network round trip."""
        ...

    @property
    def disk_is_full(self) -> bool:
        """Whether the space that is left on the disk is reserved for commands that store nothing more.

        Up to date while `write` runs a procedure.
        """
        ...

    async def write(
        self,
        make: Callable[[], Procedure[T]],
        *,
        brief: bool = False,
        until: float | None = None,
        lock_seconds: float | None = None,
    ) -> T:
        """Run a procedure in one transaction, again if it conflicts with another transaction.

        Args:
            make: Returns the procedure.
            brief: The procedure touches a few rows only.
            until: When to give up, by the clock of the event loop.
            lock_seconds: How long each statement waits for a lock.

        Returns:
            The result of the procedure. What it has written is on disk.

        Raises:
            LockedError: Waiting for a lock took more than `lock_seconds`.
            StoreUnavailableError: Nothing was written, or the connection was lost before the database answered the
                commit.
        """
        ...

    async def read(self, make: Callable[[], Procedure[T]], *, brief: bool = False, until: float | None = None) -> T:
        """Run a procedure that writes nothing; each of its queries sees one moment.

        Args:
            make: Returns the procedure.
            brief: The procedure looks up a few rows by their keys, or one page of a feed.
            until: When to give up, by the clock of the event loop.
        """
        ...

    async def snapshot(self, make: Callable[[], Procedure[T]]) -> T:
        """Run a procedure that writes nothing; all its queries see the same moment."""
        ...

    async def confirm(self, until: float) -> None:
        """Return once everything that could be read before is as durable as a committed `write`.

        Raises:
            StoreUnavailableError: That took longer than `until`, a time of the event loop.
        """
        ...

    async def keep_up(self) -> None:
        """Do the upkeep of the database. Called every second where several processes write."""
        ...

    async def durability_findings(self) -> Sequence[Finding]:
        """Return the settings of the database server that make replies less durable than promised."""
        ...

    async def purge_deleted(self, now: datetime) -> None:
        """Remove deleted data from the files of the database, as far as that is possible now. Called every hour."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


def ask(statement: Statement, **values: Any) -> Procedure[ResultRows]:
    """Run one statement and return its rows."""
    return (yield Query(statement, values))


def record_keys(keys: Iterable[OrderKey]) -> dict[str, Any]:
    """Return the parameters of a statement about these records, for dialects that take pairs or columns."""
    ordered = sorted(keys)
    return {
        "keys": ordered,
        "partners": [key.partner for key in ordered],
        "uuids": [key.uuid for key in ordered],
    }
