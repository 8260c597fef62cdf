"""Migrates databases to the schema of this version, and refuses databases with an older or newer schema.

`prepare` refuses a database of an older revision, and `openbooking migrate` upgrades it (`upgrade`). Alembic takes long
to load, so it is imported where it is used.
"""

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from openbooking.booking.store import StoreUnavailableError
from openbooking.store.backends import NAME_ANOTHER, MissingDatabaseError, SchemaError, backend_of
from openbooking.store.location import redact_password
from openbooking.store.schema import REVISION, VERSION_TABLE

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic keeps the running migration in globals of the process, so a process migrates one database at a time.
_ALEMBIC = Lock()

T = TypeVar("T")


class UpgradeResult(NamedTuple):
    """The revision of the schema that a database has now, and whether the database is new."""

    revision: str
    is_new: bool


def upgrade(database: str) -> UpgradeResult:
    """Migrate a database, new or old, to the schema of this version.

    Raises:
        SchemaError: The database belongs to another program, or to a newer version.
        StoreUnavailableError: The database cannot be opened.
    """
    backend_of(database).refuse_foreign(database)
    return run_in_migration(database, _upgrade)


def prepare(database: str, *, makes_new: bool = True, beside: bool = False) -> bool:
    """Check that a database has the schema of this version; return whether the schema was made by this call.

    Args:
        database: A path or a URL.
        makes_new: Make the schema if the database is missing or empty.
        beside: Make the schema beside the tables of another program, which stay as they are.

    Raises:
        SchemaError: The database has the schema of an older or newer version, or belongs to another program, or is
            missing or empty and `makes_new` is false. The database is not changed.
        StoreUnavailableError: The database cannot be opened.
    """
    backend = backend_of(database)
    if backend.is_prepared(database):
        return False
    if makes_new and not beside:
        backend.refuse_foreign(database)
    elif not makes_new:
        backend.check_exists(database)
    revision, is_new = run_in_migration(database, _upgrade_new if makes_new else _check_existing)
    if revision != REVISION:
        name = redact_password(database)
        message = f"{name} has the schema of an earlier version ({revision}): back it up and run `openbooking migrate`."
        raise SchemaError(message)
    return is_new


def run_in_migration(database: str, work: Callable[[Connection], T]) -> T:
    """Run `work` in one transaction while no other process migrates the database; return its result.

    Raises:
        StoreUnavailableError: The database cannot be opened.
    """
    backend = backend_of(database)
    try:
        return backend.run_in_migration(database, work)
    except (DBAPIError, OSError, TimeoutError, ValueError) as fault:
        reason = fault.orig if isinstance(fault, DBAPIError) else fault
        raise StoreUnavailableError(f"The database {redact_password(database)} cannot be opened: {reason}.") from fault


def _upgrade_new(connection: Connection) -> UpgradeResult:
    return _upgrade(connection) if _revision(connection) is None else _check_existing(connection)


def _check_existing(connection: Connection) -> UpgradeResult:
    revision = _revision(connection)
    if revision is None:
        raise MissingDatabaseError(f"There is nothing of openbooking in the database yet. {NAME_ANOTHER}")
    _check_known(revision)
    return UpgradeResult(revision, is_new=False)


def _upgrade(connection: Connection) -> UpgradeResult:
    from alembic import command  # noqa: PLC0415

    revision = _revision(connection)
    if revision is not None:
        _check_known(revision)
        _keep_writers_out(connection)
    config = _config()
    config.attributes["connection"] = connection
    with _ALEMBIC:
        command.upgrade(config, "head")
    return UpgradeResult(str(_revision(connection)), is_new=revision is None)


def _keep_writers_out(connection: Connection) -> None:
    """Wait for the transactions in which servers write, and let new ones wait until the migration ends.

    Each of them reads the revision (`openbooking.store.loading`), so a server of the old version then reads the new
    one. SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {VERSION_TABLE} IN ACCESS EXCLUSIVE MODE"))


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _revision(connection: Connection) -> str | None:
    """Return the revision of the schema; None if openbooking has made no tables yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - our own name
    return revision


def _check_known(revision: str) -> None:
    """Raise SchemaError if no migration of this version has the revision, which is then of a newer version."""
    if revision == REVISION:
        return
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision not in known:
        message = f"The database has the schema of a newer version ({revision}): install that version of openbooking."
        raise SchemaError(message)
