"""What the stores ask of a database, written once for all of them without input or output.

An exchange is a generator: it yields what it asks, is sent the rows of the answer, and returns its result. A Database
carries it out.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from openbooking.booking.model.order import OrderKey
from openbooking.booking.store import StoreUnavailableError
from openbooking.store.dialect import SaveStatement, Statement
from openbooking.store.integrity.finding import Finding
from openbooking.store.rows import Rows

# For how long a command is tried to be carried out, if nothing else is set.
COMMAND_SECONDS = 10.0

T = TypeVar("T")


class Query(NamedTuple):
    """A statement with the values of its parameters; values that it has no parameter for do no harm."""

    statement: Statement
    values: dict[str, Any]

    @property
    def arguments(self) -> list[Any]:
        """The values by the positions of the parameters."""
        return [self.values[name] for name in self.statement.names]


class SaveRows(NamedTuple):
    """Rows to write."""

    saving: SaveStatement
    rows: Rows

    @property
    def any(self) -> bool:
        """Whether there is any row."""
        return any(self.rows.values())


ResultRows = Sequence[Any]
Procedure = Generator[Query | SaveRows, ResultRows, T]


class ChangedMeanwhileError(Exception):
    """What had to be locked had changed by the time it was: to be tried again from the start."""


class LockedError(StoreUnavailableError):
    """Somebody else keeps locked what is needed; nothing was done."""


class Database(Protocol):
    """Carries out exchanges. Its methods raise StoreUnavailableError where it cannot.

    No method waits for others, or for a connection, longer than `until`, a time of the event loop, or else than the
    seconds that a command may take.

    `disk_is_full` is up to date while an exchange that writes is carried out: then it must store nothing more.
    """

    @property
    def is_remote(self) -> bool:
        """Whether each query costs a round trip."""
        ...

    @property
    def disk_is_full(self) -> bool:
        """Whether what room there is on the disk is kept for what makes room."""
        ...

    async def write(
        self,
        make: Callable[[], Procedure[T]],
        *,
        brief: bool = False,
        until: float | None = None,
        lock_seconds: float | None = None,
    ) -> T:
        """Carry out an exchange in one transaction, from a fresh start as often as others get in its way.

        What it has written is on disk; if it raises, it has written nothing, or the answer of the database was lost.
        A brief one touches a few rows only. With `lock_seconds` it waits for a row no longer than that, and raises
        LockedError.
        """
        ...

    async def read(self, make: Callable[[], Procedure[T]], *, brief: bool = False, until: float | None = None) -> T:
        """Carry out an exchange that writes nothing; each of its queries sees one moment.

        A brief one looks up a few rows by their keys, or one page of a feed.
        """
        ...

    async def snapshot(self, make: Callable[[], Procedure[T]]) -> T:
        """Carry out an exchange that writes nothing; all its queries see the same moment."""
        ...

    async def confirm(self, until: float) -> None:
        """Return once all that was read before is as durable as what `write` has written.

        Raises StoreUnavailableError if it is not until that time of the event loop.
        """
        ...

    async def keep_up(self) -> None:
        """Do what has to be done every second, where several processes write."""
        ...

    async def durability_findings(self) -> Sequence[Finding]:
        """Settings of the database server that make replies less durable than promised."""
        ...

    async def purge_deleted(self, now: datetime) -> None:
        """Do what can be done for deleted data to leave the disk."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...


def ask(statement: Statement, **values: Any) -> Procedure[ResultRows]:
    """Ask one thing."""
    return (yield Query(statement, values))


def record_keys(keys: Iterable[OrderKey]) -> dict[str, Any]:
    """The parameters of a statement about these records, whichever way it takes them."""
    ordered = sorted(keys)
    return {
        "keys": ordered,
        "partners": [key.partner for key in ordered],
        "uuids": [key.uuid for key in ordered],
    }
