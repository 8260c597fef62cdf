"""Revision 0010: the tables of the sums of past days. The upkeep fills them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")


def create_sales_days() -> None:
    """Create the tables, empty."""
    op.create_table(
        "sales_day",
        sa.Column("seller", Key, primary_key=True),
        sa.Column("since", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("listed_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("summed", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    outdated = sa.text("summed != version")
    op.create_index(
        "ix_sales_day_outdated", "sales_day", ["seller", "since"], sqlite_where=outdated, postgresql_where=outdated
    )
    op.create_table(
        "sales_sum",
        sa.Column("seller", Key, primary_key=True),
        sa.Column("since", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("is_sale", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("partner", Key, primary_key=True),
        sa.Column("activity", Key, primary_key=True),
        sa.Column("venue", Key, primary_key=True),
        sa.Column("currency", Key, primary_key=True),
        sa.Column("vat", Key, primary_key=True),
        sa.Column("rate", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("items", sa.BigInteger, nullable=False),
        sa.Column("price", sa.BigInteger, nullable=False),
        sa.Column("tax", sa.BigInteger, nullable=False),
        sa.Column("refunds", sa.BigInteger, nullable=False),
        sa.Column("refund", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
