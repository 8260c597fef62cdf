"""The schema of a database: what it is, what it should be, and the way from one to the other."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, NullPool, create_engine


class SchemaError(Exception):
    """The schema of the database is not the one this version works with."""


def upgrade(path: Path) -> str:
    """Bring the SQLite file, new or old, to the schema of this version; return its revision."""
    config = _config()
    with _engine(path).begin() as connection:
        _check_known(config, _revision(connection))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return str(_revision(connection))


def prepare(path: Path) -> None:
    """Create a new file; refuse, with SchemaError, one whose schema is newer than this version or not yet migrated."""
    config = _config()
    with _engine(path).connect() as connection:
        revision = _revision(connection)
    if revision is None:
        upgrade(path)
        return
    _check_known(config, revision)
    if revision != ScriptDirectory.from_config(config).get_current_head():
        message = f"{path} has the schema of an earlier version ({revision}): back it up and run `openbooking migrate`."
        raise SchemaError(message)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _engine(path: Path) -> Engine:
    return create_engine(f"sqlite:///{path}", poolclass=NullPool)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _check_known(config: Config, revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        message = f"The database has the schema of a newer version ({revision}): install that version of openbooking."
        raise SchemaError(message)
