"""Databases as they were before views (revision 0005)."""

from sqlalchemy import Connection, text

from openbooking.store.migrate import run_in_migration
from support.databases.database_0003 import insert, stocked_rows
from support.databases.earlier_schemas import upgrade_to

FILLED = ["opportunity", "record", "ended_line", "booked_session", "claim", "personal_data"]


def copy(source: str, target: str) -> None:
    """Make at `target` the database that the version before would have in place of that at `source`."""
    rows = run_in_migration(source, stocked_rows)

    def fill(connection: Connection) -> None:
        upgrade_to("0005", connection)
        connection.execute(text("DELETE FROM counter"))
        insert(connection, rows)

    run_in_migration(target, fill)
