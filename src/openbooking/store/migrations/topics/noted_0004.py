"""Revision 0004: the counter `noted`, the last time at which the database was in use."""

import time

import sqlalchemy as sa
from alembic import op

_COUNTER = sa.table("counter", sa.column("name", sa.String), sa.column("value", sa.BigInteger))


def note_time() -> None:
    """Store the time of the last change.

    Its change number is the time in milliseconds since 1970, unless `feed renumber` has raised the number. A raised
    number may be in the future, so the current time is stored then.
    """
    modified = op.get_bind().scalar(sa.select(_COUNTER.c.value).where(_COUNTER.c.name == "modified"))
    changed = min(int(modified or 0) * 1000, time.time_ns() // 1000)
    op.bulk_insert(_COUNTER, [{"name": "noted", "value": changed}])
