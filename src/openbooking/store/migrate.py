"""The schema of a database: what it is, what it should be, and the way from one to the other.

Alembic and the driver of PostgreSQL are long to load, so they are loaded where they are needed.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from sqlalchemy import Connection, NullPool, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError

from openbooking.booking.store import StoreUnavailableError
from openbooking.store.location import is_postgres, without_password
from openbooking.store.schema import REVISION
from openbooking.store.sqlite.store import BUSY_TIMEOUT_SECONDS, connect, create, is_busy, with_room_to_open
from openbooking.user_error import UserError

if TYPE_CHECKING:
    from alembic.config import Config
    from asyncpg import Connection as PostgresConnection

_OLDEST_POSTGRES = 150_000
# Any number will do, as long as all migrations take the same.
_LOCK = 5_278_137_614_120_001
_PAUSE_SECONDS = 0.02
_REVISION_OF = "SELECT version_num FROM alembic_version"
_VERSION_TABLE = "alembic_version"
_CONNECT_SECONDS = 10.0
# How long it is waited for another who migrates, or has a table locked that is to be changed.
_LOCK_SECONDS = 60
_NAME_ANOTHER = (
    "Name the one that is meant with --database or OPENBOOKING_DATABASE; `openbooking serve` and `openbooking migrate` "
    "make a new one."
)

T = TypeVar("T")


class SchemaError(UserError):
    """The schema of the database is not the one this version works with."""


class Upgraded(NamedTuple):
    """The revision of the schema that a database has now, and whether it is a new database."""

    revision: str
    is_new: bool


def upgrade(database: str) -> Upgraded:
    """Bring a database, new or old, to the schema of this version; SchemaError for a file of another program."""
    _refuse_foreign(database)
    return connected(database, _upgrade)


def prepare(database: str, *, makes_new: bool = True) -> bool:
    """Refuse, with SchemaError, a database of a newer version or not yet migrated to this one.

    One that is not there, or in which nothing has been made yet, is set up if `makes_new`; else it is refused, and left
    as it is. Returns whether it was set up.
    """
    if is_postgres(database) and asyncio.run(_is_prepared(database)):
        return False
    if makes_new:
        _refuse_foreign(database)
    else:
        check_is_there(database)
    revision, is_new = connected(database, _upgrade_new if makes_new else _found)
    if revision != REVISION:
        name = without_password(database)
        message = f"{name} has the schema of an earlier version ({revision}): back it up and run `openbooking migrate`."
        raise SchemaError(message)
    return is_new


def check_is_there(database: str) -> None:
    """Raise SchemaError if an SQLite file is not there, or is none that openbooking has made; it stays as it is.

    Where a PostgreSQL database is not there, its server says so.
    """
    if is_postgres(database):
        return
    path = Path(database).resolve()
    if not path.exists():
        raise SchemaError(f"There is no database at {path}, so it cannot be opened. {_NAME_ANOTHER}")
    if _VERSION_TABLE not in _tables(path):
        raise SchemaError(f"The file {path} is no database of openbooking. {_NAME_ANOTHER}")


def _refuse_foreign(database: str) -> None:
    """Raise SchemaError if an SQLite file has tables, and none of openbooking; it stays as it is."""
    path = Path(database).resolve()
    if not is_postgres(database) and path.exists() and (tables := _tables(path)) and _VERSION_TABLE not in tables:
        raise SchemaError(f"The file {path} is no database of openbooking. {_NAME_ANOTHER}")


def _tables(path: Path) -> set[str]:
    def read() -> set[str]:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_SECONDS)) as connection:
            return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}

    try:
        return with_room_to_open(path, read)
    except sqlite3.DatabaseError as fault:
        raise StoreUnavailableError(f"The database {path} cannot be opened: {fault}.") from fault


def _upgrade_new(connection: Connection) -> Upgraded:
    return _upgrade(connection) if _revision(connection) is None else _found(connection)


def _found(connection: Connection) -> Upgraded:
    revision = _revision(connection)
    if revision is None:
        raise SchemaError(f"There is nothing of openbooking in that database yet. {_NAME_ANOTHER}")
    _check_known(revision)
    return Upgraded(revision, is_new=False)


def _upgrade(connection: Connection) -> Upgraded:
    from alembic import command  # noqa: PLC0415

    revision = _revision(connection)
    if revision is not None:
        _check_known(revision)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return Upgraded(str(_revision(connection)), is_new=revision is None)


def connected(database: str, work: Callable[[Connection], T]) -> T:
    """The result of the work in a transaction that nobody else migrates in; StoreUnavailableError if it cannot be."""
    try:
        return asyncio.run(_in_postgres(database, work)) if is_postgres(database) else _in_sqlite(database, work)
    except (DBAPIError, sqlite3.DatabaseError, OSError, TimeoutError, ValueError) as fault:
        reason = fault.orig if isinstance(fault, DBAPIError) else fault
        raise StoreUnavailableError(f"The database {without_password(database)} cannot be opened: {reason}.") from fault


def _in_sqlite(path: str, work: Callable[[Connection], T]) -> T:
    with suppress(FileExistsError):
        create(Path(path))
    # The driver would begin a transaction only with the first row that changes, and SQLAlchemy leaves that to it.
    arguments = {"isolation_level": None, "timeout": BUSY_TIMEOUT_SECONDS}
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args=arguments)
    # The other connection is for a disk that is full, where it makes the room to open the file.
    with closing(connect(Path(path))), engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
        _keep_write_ahead_log(connection)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return work(connection)


def _keep_write_ahead_log(connection: Connection) -> None:
    """Make the file one with a write-ahead log, if it is not yet: the one thing that SQLite never waits for."""
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


async def _in_postgres(url: str, work: Callable[[Connection], T]) -> T:
    import asyncpg  # noqa: PLC0415
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415

    async def connect() -> "PostgresConnection":
        try:
            return await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
            raise ConnectionError(str(fault)) from fault

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"))
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        version = await connection.scalar(text("SELECT current_setting('server_version_num')::int"))
        if int(version or 0) < _OLDEST_POSTGRES:
            raise SchemaError("PostgreSQL 15 or newer is needed.")
        return await connection.run_sync(work)


async def _is_prepared(url: str) -> bool:
    """Whether nothing is to be done there: to ask takes less than to load what would do it, and tell what is wrong."""
    import asyncpg  # noqa: PLC0415

    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError):
        connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS, command_timeout=_CONNECT_SECONDS)
        try:
            new_enough = connection.get_server_version().major * 10_000 >= _OLDEST_POSTGRES
            return new_enough and await connection.fetchval(_REVISION_OF) == REVISION
        finally:
            await connection.close()
    return False


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _revision(connection: Connection) -> str | None:
    """None for a database in which nothing has been made yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text(_REVISION_OF))
    return revision


def _check_known(revision: str) -> None:
    if revision == REVISION:
        return
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision not in known:
        message = f"The database has the schema of a newer version ({revision}): install that version of openbooking."
        raise SchemaError(message)
