"""Procedures, which are the stores' code for a transaction, and the drivers that run them on a database.

A procedure is a generator without input or output: it yields a query, receives the rows of the result, and returns its
own result. A driver runs the queries. So each procedure is written once for all databases.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from openbooking.booking.model.opportunity import CourtTime
from openbooking.booking.model.order import OrderKey
from openbooking.booking.store import StoreUnavailableError
from openbooking.store.dialect import SaveStatement, Statement
from openbooking.store.documents import microseconds
from openbooking.store.integrity.finding import Finding
from openbooking.store.rows import Rows

# How long a command may wait for the database, if the settings do not say.
COMMAND_SECONDS = 10.0

T = TypeVar("T")


class Query(NamedTuple):
    """A statement with the values of its parameters, by name. Values without a parameter are ignored."""

    statement: Statement
    values: dict[str, Any]

    @property
    def arguments(self) -> list[Any]:
        """The values in the order of the parameters."""
        return [self.values[name] for name in self.statement.names]


class SaveRows(NamedTuple):
    """Rows to write, by kind, and the statements that write them."""

    saving: SaveStatement
    rows: Rows

    @property
    def any(self) -> bool:
        """Whether there is at least one row."""
        return any(self.rows.values())


ResultRows = Sequence[Any]
Procedure = Generator[Query | SaveRows, ResultRows, T]


class ChangedMeanwhileError(Exception):
    """The rows that a procedure has to lock were changed before it had locked them. The procedure can be run again."""


class LockedError(StoreUnavailableError):
    """Another transaction holds a lock that a procedure needs. Nothing was written."""


class Database(Protocol):
    """A driver: runs procedures on a database.

    Every method raises StoreUnavailableError if the database cannot do what is asked. `until`, a time of the event
    loop, limits how long a method waits for other transactions or for a free connection. Without `until` the limit is
    the command timeout with which the driver was opened.

    `make` returns a new generator at each call, because a driver may have to run a procedure again.
    """

    @property
    def is_remote(self) -> bool:
        """Whether each query costs a network round trip."""
        ...

    @property
    def disk_is_full(self) -> bool:
        """Whether the disk is so full that only commands that store nothing more may be carried out.

        The value is up to date while `write` runs a procedure.
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
        """Run a procedure in one transaction and commit it; run it again after a conflict with another transaction.

        Args:
            make: Returns the procedure.
            brief: Whether the procedure reads and writes only a few rows.
            until: When to give up, by the clock of the event loop.
            lock_seconds: How long each statement waits for a lock.

        Returns:
            The result of the procedure. The rows that it wrote are on disk.

        Raises:
            LockedError: A lock was not free within `lock_seconds`.
            StoreUnavailableError: Nothing was written, or the connection was lost before the database answered the
                commit.
        """
        ...

    async def read(self, make: Callable[[], Procedure[T]], *, brief: bool = False, until: float | None = None) -> T:
        """Run a procedure that writes nothing. Two of its queries may show the database at different moments.

        Args:
            make: Returns the procedure.
            brief: Whether the procedure only looks up a few rows by their keys, or one page of a feed.
            until: When to give up, by the clock of the event loop.
        """
        ...

    async def snapshot(self, make: Callable[[], Procedure[T]]) -> T:
        """Run a procedure that writes nothing. All its queries show the database at the same moment."""
        ...

    async def confirm(self, until: float) -> None:
        """Wait until all rows that could be read before this call are as durable as those of a committed `write`.

        Raises:
            StoreUnavailableError: The wait did not end until `until`, a time of the event loop.
        """
        ...

    async def run_upkeep(self) -> None:
        """Check the reserve of disk space. Called every second if several processes write to the database."""
        ...

    async def durability_findings(self) -> Sequence[Finding]:
        """Return the settings of the database server that make replies less durable than promised."""
        ...

    async def purge_deleted(self, now: datetime) -> None:
        """Wipe deleted and erased data from the files of the database, as far as possible now. Called every hour."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


def ask(statement: Statement, **values: Any) -> Procedure[ResultRows]:
    """Run one statement and return its rows."""
    return (yield Query(statement, values))


def court_time_lists(times: Iterable[CourtTime]) -> dict[str, Any]:
    """Return the parameters of `Dialect.court_times`: the times of courts as a list of triples, and as three lists."""
    ordered = [(time.court, microseconds(time.start), microseconds(time.end)) for time in sorted(times)]
    return {
        "court_times": ordered,
        "courts": [court for court, _, _ in ordered],
        "courts_from": [start for _, start, _ in ordered],
        "courts_until": [end for _, _, end in ordered],
    }


def record_keys(keys: Iterable[OrderKey]) -> dict[str, Any]:
    """Return the parameters of `Dialect.keys`: the record keys as a list of pairs, and as two lists."""
    ordered = sorted(keys)
    return {
        "keys": ordered,
        "partners": [key.partner for key in ordered],
        "uuids": [key.uuid for key in ordered],
    }
