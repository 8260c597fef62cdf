"""The kinds of database that can hold a store, each found by the scheme of its URL.

A further kind of database takes a Dialect, a Database (its driver), a Backend that joins them, and one entry in
`BACKENDS`. A backend is imported when a database of its kind is first used, because drivers take long to load.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

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
    "Name the one that is meant with --database or OPENBOOKING_DATABASE; `openbooking serve` and `openbooking migrate` "
    "make a new one."
)


class UnknownBackendError(UserError):
    """No backend has the scheme of a database URL."""


class SchemaError(UserError):
    """The schema of the database is not the one this version works with."""


class Backend(Protocol):
    """What openbooking needs of a kind of database.

    `database` is the value of the setting of that name: a path or a URL.
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
        """Open the store; the schema must be up to date.

        Args:
            database: The database that is written to.
            replica: A database that feeds are read from, or an empty string. A backend may ignore it.
            policy: What the decisions of this Booking System depend on.
            writer: Writes feed items.
            clock: Returns the current time.
            command_seconds: How long a command may wait for the database.
        """
        ...

    def open_identity_store(self, database: str, command_seconds: float) -> "IdentityStore":
        """Open the identity store; the schema must be up to date."""
        ...

    def is_prepared(self, database: str) -> bool:
        """Return whether the database is known to have the schema of this version.

        False also means that finding out would take as long as `in_migration`.
        """
        ...

    def check_exists(self, database: str) -> None:
        """Raise SchemaError if there is no database of openbooking; change nothing.

        A database on a server need not be checked: its server reports that it is missing.
        """
        ...

    def refuse_foreign(self, database: str) -> None:
        """Raise SchemaError if the database belongs to another program; change nothing."""
        ...

    def in_migration(self, database: str, work: Callable[["Connection"], T]) -> T:
        """Return the result of `work`, done in one transaction while no other process migrates the database.

        Raises:
            StoreUnavailableError: The database cannot be opened.
        """
        ...

    def back_up(self, database: str, copy: Path) -> None:
        """Write a copy of the database to a new file.

        Raises:
            UserError: The file exists already, or databases of this kind are backed up in another way.
            StoreUnavailableError: The database cannot be copied.
        """
        ...


def _sqlite() -> Backend:
    from openbooking.store.sqlite.backend import SqliteBackend  # noqa: PLC0415 - loaded when it is used

    return SqliteBackend()


def _postgres() -> Backend:
    from openbooking.store.postgres.backend import PostgresBackend  # noqa: PLC0415 - loaded when it is used

    return PostgresBackend()


# By the scheme of the URL; a path has none.
BACKENDS: dict[str, Callable[[], Backend]] = {"": _sqlite, "postgresql": _postgres, "postgres": _postgres}


def scheme_of(database: str) -> str:
    """Return what is before `://` in a URL; an empty string for a path."""
    scheme, separator, _ = database.partition("://")
    return scheme if separator else ""


def backend_of(database: str) -> Backend:
    """Return the backend for a database.

    Raises:
        UnknownBackendError: There is none with the scheme of its URL.
    """
    scheme = scheme_of(database)
    if scheme not in BACKENDS:
        known = ", ".join(f"{known}://" for known in sorted(BACKENDS) if known)
        raise UnknownBackendError(f"No database is known by {scheme}://; use the path of an SQLite file, or {known}.")
    return BACKENDS[scheme]()
