"""The schemas of earlier versions, which the tests of migrations begin with."""

from alembic import command
from sqlalchemy import Connection

from openbooking.store.migrate import _config


def upgrade_to(revision: str, connection: Connection) -> None:
    """Give a database the schema of a revision, as a function that runs in a migration.

    Args:
        revision: The number of the last migration that is applied.
        connection: The connection to a database of an earlier revision, or to one without a schema.
    """
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
