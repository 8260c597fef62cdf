"""The activity log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, empty: earlier decisions are known by the stamps of their records only."""
    op.create_table(
        "activity",
        sa.Column("seller", Key, primary_key=True),
        sa.Column("id", Key, primary_key=True),
        sa.Column("partner", Key, nullable=True),
        sa.Column("uuid", Key, nullable=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    of_order = sa.text("uuid IS NOT NULL")
    columns = ["partner", "uuid", "id"]
    op.create_index("ix_activity_record", "activity", columns, sqlite_where=of_order, postgresql_where=of_order)


def downgrade() -> None:
    """Raise: the log would be lost."""
    raise NotImplementedError
