"""Revision 0010: `ended_line` replaces `order_item`, and claims have the start of what was sold."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")


def keep_ended_lines() -> None:
    """Make the table of the lines that have ended, fill it and the starts of claims, and drop the other lines."""
    op.create_table(
        "ended_line",
        sa.Column("partner", Key, primary_key=True),
        sa.Column("uuid", Key, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("replaced", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seller", Key, nullable=False),
        sa.Column("opportunity", Key, nullable=False),
        sa.Column("starts", sa.BigInteger),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("status", Key, nullable=False),
        sa.Column("sold_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("price", sa.BigInteger, nullable=False),
        sa.Column("tax", sa.BigInteger, nullable=False),
        sa.Column("refund", sa.BigInteger, nullable=False),
        sa.Column("currency", Key),
        sa.Column("vat", Key, nullable=False),
        sa.Column("rate", sa.Integer, nullable=False),
        sa.Column("activity", Key, nullable=False),
        sa.Column("venue", Key, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO ended_line SELECT * FROM order_item WHERE status <> 'sold'")
    op.create_index("ix_ended_line_opportunity", "ended_line", ["opportunity", "partner", "uuid"])
    ended = sa.text("ended_at IS NOT NULL")
    op.create_index(
        "ix_ended_line_ended",
        "ended_line",
        ["seller", "ended_at", "partner", "uuid"],
        sqlite_where=ended,
        postgresql_where=ended,
    )
    op.add_column("claim", sa.Column("starts", sa.BigInteger))
    op.execute(
        "UPDATE claim SET starts = (SELECT min(starts) FROM order_item WHERE order_item.partner = claim.partner"
        " AND order_item.uuid = claim.uuid AND order_item.opportunity = claim.opportunity AND status = 'sold')"
        " WHERE expires IS NULL"
    )
    op.drop_table("order_item")
    # From now on a booking writes the start only if the Opportunity is not booked yet.
    op.execute(
        "INSERT INTO booked_session SELECT seller, starts, path FROM opportunity"
        " WHERE booked > 0 AND starts IS NOT NULL ON CONFLICT DO NOTHING"
    )
