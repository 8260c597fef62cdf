"""The first schema.

The counter of change numbers starts at the milliseconds since 1970, so that a system set up anew continues above what
harvesters have seen of the one before.
"""

import time

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "seller",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "partner",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("key_digest", sa.String, nullable=False, unique=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "opportunity",
        sa.Column("path", sa.String, primary_key=True),
        sa.Column("parent", sa.String, index=True),
        sa.Column("source", sa.String, nullable=False, index=True),
        sa.Column("booked", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "record",
        sa.Column("partner", sa.String, primary_key=True),
        sa.Column("uuid", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("updated", sa.Boolean, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "personal_data",
        sa.Column("partner", sa.String, primary_key=True),
        sa.Column("uuid", sa.String, primary_key=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "claim",
        sa.Column("opportunity", sa.String, primary_key=True),
        sa.Column("partner", sa.String, primary_key=True),
        sa.Column("uuid", sa.String, primary_key=True),
        sa.Column("places", sa.Integer, nullable=False),
        sa.Column("expires", sa.BigInteger),
    )
    op.create_index("ix_claim_record", "claim", ["partner", "uuid"])
    op.create_index("ix_claim_expires", "claim", ["expires"])
    op.create_table(
        "feed_item",
        sa.Column("feed", sa.String, primary_key=True),
        sa.Column("partner", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("modified", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_feed_item_modified", "feed_item", ["feed", "partner", "modified"], unique=True)
    counter = op.create_table(
        "counter",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(counter, [{"name": "modified", "value": time.time_ns() // 1_000_000}])


def downgrade() -> None:
    """There is nothing before the first schema."""
    raise NotImplementedError
