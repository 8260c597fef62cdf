"""How far each Booking Partner has read its feeds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, empty: partners fill it when they next read their feeds."""
    op.create_table(
        "feed_position",
        sa.Column("partner", Key, primary_key=True),
        sa.Column("feed", Key, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Raise: this version needs the table."""
    raise NotImplementedError
