"""The table of backends: the kinds of database that can hold a store, by the scheme of their URLs.

To support another kind of database, write a Dialect, a Database (its driver) and a Backend that joins both, and add the
Backend to `BACKENDS`. A backend is imported when a database of its kind is first used, because drivers take long to
load.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urlsplit

from openbooking.user_error import UserError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from openbooking.booking.model.policy import Policy
    from openbooking.booking.store import FeedWriter
    from openbooking.clock import Clock
    from openbooking.identity.store import IdentityStore
    from openbooking.store.sql import SqlStore

T = TypeVar("T")

NAME_ANOTHER = (
    "Name another database with --database or OPENBOOKING_DATABASE, or make a new one with `openbooking serve` or "
    "`openbooking migrate`."
)


class UnknownBackendError(UserError):
    """No backend has the scheme of a database URL."""


class SchemaError(UserError):
    """The database is missing, belongs to another program, or has the schema of an older or newer version."""


class MissingDatabaseError(SchemaError):
    """There is no database yet, or nothing is in it. A server makes one."""


class Backend(Protocol):
    """A kind of database: opens stores, and runs migrations and backups.

    The argument `database` of each method is the value of the setting `database`: a path or a URL.
    """

    def open_store(  # noqa: PLR0913 - what any store needs
        self,
        database: str,
        *,
        replica: str,
        policy: "Policy",
        writer: "FeedWriter",
        clock: "Clock",
        command_seconds: float,
    ) -> "SqlStore":
        """Open the store in a database whose schema is up to date.

        Args:
            database: The database that is written to.
            replica: A replica of the database, from which feeds are read, or an empty string. A backend without
                replicas ignores it.
            policy: The settings that decisions depend on.
            writer: Writes feed items.
            clock: Returns the current time.
            command_seconds: How long a command may wait for the database.
        """
        ...

    def open_identity_store(self, database: str, command_seconds: float) -> "IdentityStore":
        """Open the identity store in a database whose schema is up to date."""
        ...

    def is_prepared(self, database: str) -> bool:
        """Return True if a quick look shows that the database has the schema of this version.

        False means that the schema is another, or that only `run_in_migration` can tell.
        """
        ...

    def check_exists(self, database: str) -> None:
        """Raise SchemaError if there is no database of openbooking; change nothing.

        A backend for database servers does nothing: its server reports a missing database.
        """
        ...

    def refuse_foreign(self, database: str) -> None:
        """Raise SchemaError if the database belongs to another program; change nothing."""
        ...

    def run_in_migration(self, database: str, work: Callable[["Connection"], T]) -> T:
        """Run `work` in one transaction while no other process migrates the database; return its result.

        Raises:
            StoreUnavailableError: The database cannot be opened.
        """
        ...

    def back_up(self, database: str, copy: Path) -> None:
        """Write a copy of the database to a new file.

        Raises:
            UserError: The file exists already, or databases of this kind are backed up with other tools.
            StoreUnavailableError: The database cannot be copied.
        """
        ...


def _sqlite() -> Backend:
    from openbooking.store.sqlite.backend import SqliteBackend  # noqa: PLC0415 - loaded when it is used

    return SqliteBackend()


def _postgres() -> Backend:
    from openbooking.store.postgres.backend import PostgresBackend  # noqa: PLC0415 - loaded when it is used

    return PostgresBackend()


# Keys are schemes of URLs. The path of a file has no scheme, so its key is empty.
BACKENDS: dict[str, Callable[[], Backend]] = {"": _sqlite, "postgresql": _postgres, "postgres": _postgres}


_IN_MEMORY = ":memory:"


def _has_port(url: str) -> bool:
    """Return whether the port of a URL is a number, or missing."""
    try:
        _ = urlsplit(url).port
    except ValueError:
        return False
    return True


def scheme_of(database: str) -> str:
    """Return the scheme of a URL, without `://`; an empty string for a path."""
    scheme, separator, _ = database.partition("://")
    return scheme if separator else ""


def backend_of(database: str) -> Backend:
    """Return the backend for a database.

    Raises:
        UnknownBackendError: No backend has the scheme of the URL, or the location is neither a file nor a URL.
    """
    scheme = scheme_of(database)
    if database == _IN_MEMORY:
        # SQLite would give each connection an empty database of its own.
        raise UnknownBackendError(f"The database {database} is not supported: name a file or a postgresql:// URL.")
    if scheme and not _has_port(database):
        raise UnknownBackendError("The port in the address of the database must be a number from 0 to 65535.")
    if scheme not in BACKENDS:
        known = ", ".join(f"{known}://" for known in sorted(BACKENDS) if known)
        raise UnknownBackendError(
            f"Databases with the scheme {scheme}:// are not supported; use the path of an SQLite file, or {known}."
        )
    return BACKENDS[scheme]()
