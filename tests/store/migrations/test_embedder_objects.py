"""Views and triggers that an embedder has on our tables outlive the migrations, or a message names them."""

import pytest
from alembic import command
from sqlalchemy import Connection

from openbooking.store.backends import SchemaError, scheme_of
from openbooking.store.migrate import _config, run_in_migration, upgrade
from openbooking.store.schema import REVISION

# A table of the embedder, a view on tables of ours, and triggers on both. On SQLite migrations make `record` anew.
_OF_BOTH = (
    "CREATE TABLE walk_ins (path text, orders integer)",
    "CREATE VIEW app_orders AS SELECT record.uuid, opportunity.path FROM record LEFT JOIN opportunity ON true",
)
_OBJECTS = {
    "": (
        *_OF_BOTH,
        """CREATE TRIGGER count_orders AFTER INSERT ON walk_ins
        BEGIN UPDATE walk_ins SET orders = (SELECT count(*) FROM app_orders); END""",
        "CREATE TRIGGER note_order AFTER INSERT ON record BEGIN INSERT INTO walk_ins (path) VALUES (NEW.uuid); END",
    ),
    "postgresql": (
        *_OF_BOTH,
        """CREATE FUNCTION count_orders() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE walk_ins SET orders = (SELECT count(*) FROM app_orders); RETURN NULL; END $$""",
        "CREATE TRIGGER count_orders AFTER INSERT ON walk_ins FOR EACH ROW EXECUTE FUNCTION count_orders()",
        """CREATE FUNCTION note_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO walk_ins (path) VALUES (NEW.uuid); RETURN NULL; END $$""",
        "CREATE TRIGGER note_order AFTER INSERT ON record FOR EACH ROW EXECUTE FUNCTION note_order()",
    ),
}
_ORDER = """INSERT INTO record (partner, uuid, kind, updated, seller, withheld, size, document)
    VALUES ('app', 'one', 'order', false, 'club', false, 2, '{}')"""


def run(database: str, *statements: str) -> list[tuple[object, ...]]:
    """Run statements, and return the rows of the last one."""

    def execute(connection: Connection) -> list[tuple[object, ...]]:
        *most, last = statements
        for statement in most:
            connection.exec_driver_sql(statement)
        return [tuple(row) for row in connection.exec_driver_sql(last)]

    return run_in_migration(database, execute)


@pytest.fixture
def first_revision(database: str) -> str:
    """Return a database with the schema of the first revision."""

    def make(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    run_in_migration(database, make)
    return database


def test_views_and_triggers_of_an_embedder_outlive_all_migrations(first_revision: str) -> None:
    database = first_revision
    run(database, *_OBJECTS[scheme_of(database)], "SELECT 1")
    assert upgrade(database).revision == REVISION
    assert run(database, _ORDER, "SELECT path, orders FROM walk_ins") == [("one", 1)]


def test_a_view_that_stops_a_migration_is_named(first_revision: str) -> None:
    """PostgreSQL removes no table that a view reads. Migration 0002 makes the table of partners anew."""
    database = first_revision
    run(database, "CREATE VIEW apps AS SELECT key FROM partner", "SELECT 1")
    if scheme_of(database):
        with pytest.raises(SchemaError, match=r"view apps depends on table partner.*openbooking migrate"):
            upgrade(database)
        run(database, "DROP VIEW apps", "SELECT 1")
    assert upgrade(database).revision == REVISION
