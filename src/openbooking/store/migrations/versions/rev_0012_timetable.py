"""The entries of timetables, the courts of Slots, and the times at which Opportunities leave the open feeds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

from openbooking.store.migrations.topics.courts_0012 import fill_courts

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns to the table of Opportunities, fill them, and make the table of timetables, which is empty."""
    fill_courts()
    op.create_table(
        "timetable_entry",
        sa.Column("seller", Key, primary_key=True),
        sa.Column("key", Key, primary_key=True),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index("ix_timetable_entry_due", "timetable_entry", ["due_at"], sqlite_where=due, postgresql_where=due)


def downgrade() -> None:
    """Raise: this version needs the columns."""
    raise NotImplementedError
