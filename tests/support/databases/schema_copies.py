"""The schema of new SQLite files, copied from one file, because the migrations take a tenth of a second."""

import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import Connection

from openbooking.store import migrate
from openbooking.store.migrate import UpgradeResult, prepare
from openbooking.store.schema import REVISION

MIGRATE = migrate._upgrade_new


def copy_schema(connection: Connection) -> UpgradeResult:
    """Make the schema in a new SQLite file without migrations; otherwise do what `prepare` does.

    The file then has the tables, indexes and rows that the migrations make.
    """
    if connection.dialect.name != "sqlite" or migrate._revision(connection) is not None:
        return MIGRATE(connection)
    for statement in _statements():
        connection.exec_driver_sql(statement)
    return UpgradeResult(REVISION, is_new=True)


@cache
def _statements() -> list[str]:
    """Return the statements that make the schema, from a file that the migrations have made in this process."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "_upgrade_new", MIGRATE)
        made = Path(folder) / "made.sqlite3"
        prepare(str(made))
        with closing(sqlite3.connect(made)) as connection:
            in_order = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
            schema = [statement for (statement,) in connection.execute(in_order)]
            return [*schema, *(line for line in connection.iterdump() if line.startswith("INSERT"))]
