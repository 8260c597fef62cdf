"""Revision 0004: the counter `noted`, the last time at which the database was in use."""

import time

import sqlalchemy as sa
from alembic import op

_COUNTER = sa.table("counter", sa.column("name", sa.String), sa.column("value", sa.BigInteger))


def note_time() -> None:
    """Store the time of the last change.

    The change number of that change is its time in milliseconds since 1970. `feed renumber` may have raised the number
    above the current time; the current time is then stored instead.
    """
    modified = op.get_bind().scalar(sa.select(_COUNTER.c.value).where(_COUNTER.c.name == "modified"))
    changed = min(int(modified or 0) * 1000, time.time_ns() // 1000)
    op.bulk_insert(_COUNTER, [{"name": "noted", "value": changed}])
