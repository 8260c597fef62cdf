"""Revision 0003: an index of deleted feed items."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    gone = sa.text("data IS NULL")
    op.create_index("ix_feed_item_deleted", "feed_item", ["changed_at"], sqlite_where=gone, postgresql_where=gone)


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_feed_item_deleted", "feed_item")
