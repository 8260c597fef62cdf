"""How far imports have followed the feeds of providers, and the items that wait for their parents."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, empty: imports that follow feeds fill them."""
    for name, keys in (("followed_feed", ["source"]), ("waiting_items", ["feed", "batch"])):
        op.create_table(
            name,
            *(sa.Column(key, Key, primary_key=True) for key in keys),
            sa.Column("revision", sa.Integer, nullable=False),
            sa.Column("document", sa.LargeBinary, nullable=False),
        )


def downgrade() -> None:
    """Raise: this version needs the tables."""
    raise NotImplementedError
