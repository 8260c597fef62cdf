"""Revision 0004: when the database was last in use."""

import time

import sqlalchemy as sa
from alembic import op

_COUNTER = sa.table("counter", sa.column("name", sa.String), sa.column("value", sa.BigInteger))


def note_time() -> None:
    """Note the time of the last change, which is its number in milliseconds unless `feed renumber` has raised it."""
    modified = op.get_bind().scalar(sa.select(_COUNTER.c.value).where(_COUNTER.c.name == "modified"))
    changed = min(int(modified or 0) * 1000, time.time_ns() // 1000)
    op.bulk_insert(_COUNTER, [{"name": "noted", "value": changed}])
