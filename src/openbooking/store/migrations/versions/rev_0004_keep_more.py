"""What is kept from now on: when the database was last in use."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COUNTER = sa.table("counter", sa.column("name", sa.String), sa.column("value", sa.BigInteger))


def upgrade() -> None:
    """Keep more."""
    _note_time()


def downgrade() -> None:
    """Keep it no longer."""
    op.execute(_COUNTER.delete().where(_COUNTER.c.name == "noted"))


def _note_time() -> None:
    """Take the time of the last change, as its number tells it in milliseconds; `feed renumber` lets it run ahead."""
    modified = op.get_bind().scalar(sa.select(_COUNTER.c.value).where(_COUNTER.c.name == "modified"))
    changed = min(int(modified or 0) * 1000, time.time_ns() // 1000)
    op.bulk_insert(_COUNTER, [{"name": "noted", "value": changed}])
