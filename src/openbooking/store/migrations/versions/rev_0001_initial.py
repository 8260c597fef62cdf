"""The first schema.

The counter of change numbers starts at the current milliseconds since 1970. So the numbers of a new database are above
the numbers that harvesters have read from an earlier database.
"""

import time

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Key = sa.String().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "seller",
        sa.Column("key", Key, primary_key=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "partner",
        sa.Column("key", Key, primary_key=True),
        sa.Column("key_digest", Key, nullable=False, unique=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "opportunity",
        sa.Column("path", Key, primary_key=True),
        sa.Column("parent", Key, index=True),
        sa.Column("seller", Key, nullable=False),
        sa.Column("source", Key, nullable=False, index=True),
        sa.Column("booked", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "record",
        sa.Column("partner", Key, primary_key=True),
        sa.Column("uuid", Key, primary_key=True),
        sa.Column("kind", Key, nullable=False),
        sa.Column("updated", sa.Boolean, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "personal_data",
        sa.Column("partner", Key, primary_key=True),
        sa.Column("uuid", Key, primary_key=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    _create_claims_and_feeds()


def _create_claims_and_feeds() -> None:
    op.create_table(
        "claim",
        sa.Column("opportunity", Key, primary_key=True),
        sa.Column("partner", Key, primary_key=True),
        sa.Column("uuid", Key, primary_key=True),
        sa.Column("places", sa.Integer, nullable=False),
        sa.Column("expires", sa.BigInteger),
    )
    op.create_index("ix_claim_record", "claim", ["partner", "uuid"])
    _create_partial_index("ix_claim_lease", "claim", ["opportunity", "expires"], "expires IS NOT NULL")
    _create_partial_index("ix_claim_expires", "claim", ["expires"], "expires IS NOT NULL")
    op.create_table(
        "feed_item",
        sa.Column("feed", Key, primary_key=True),
        sa.Column("partner", Key, primary_key=True),
        sa.Column("id", Key, primary_key=True),
        sa.Column("kind", Key, nullable=False),
        sa.Column("modified", sa.BigInteger),
        sa.Column("data", sa.LargeBinary),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_feed_item_modified", "feed_item", ["feed", "partner", "modified"], unique=True)
    _create_partial_index("ix_feed_item_pending", "feed_item", ["changed_at"], "modified IS NULL")
    counter = op.create_table(
        "counter",
        sa.Column("name", Key, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(counter, [{"name": "modified", "value": time.time_ns() // 1_000_000}])


def _create_partial_index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Raise NotImplementedError: the first schema has no predecessor."""
    raise NotImplementedError
