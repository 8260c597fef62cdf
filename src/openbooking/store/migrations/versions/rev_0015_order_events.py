"""The order events that `on_committed` is told, and which process tells them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, empty: what happened before is not told."""
    op.create_table(
        "order_event",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("id", Key, nullable=False),
        sa.Column("partner", Key, nullable=False),
        sa.Column("uuid", Key, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_order_event_record", "order_event", ["partner", "uuid", "number"])
    op.create_index("ix_order_event_due", "order_event", ["due_at", "number"])
    op.create_table(
        "event_delivery",
        sa.Column("name", Key, primary_key=True),
        sa.Column("kept_until", sa.BigInteger, nullable=False),
        sa.Column("holder", Key, nullable=False),
        sa.Column("held_until", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Raise: this version needs the tables."""
    raise NotImplementedError
