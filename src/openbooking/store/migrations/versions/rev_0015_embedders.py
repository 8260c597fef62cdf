"""For embedders: the order events that `on_committed` is told, and the spaces that other software has sold."""

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
        "sold_elsewhere",
        sa.Column("path", Key, primary_key=True),
        sa.Column("spaces", sa.Integer, nullable=False),
        sa.Column("shown", sa.Integer, nullable=False, server_default="0"),
    )
    unshown = sa.text("spaces != shown")
    op.create_index(
        "ix_sold_elsewhere_unshown", "sold_elsewhere", ["path"], sqlite_where=unshown, postgresql_where=unshown
    )
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
