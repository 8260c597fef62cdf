"""The requests of developers for access to the API."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, empty: nobody has asked yet."""
    op.create_table(
        "access_request",
        sa.Column("id", Key, primary_key=True),
        sa.Column("expires", sa.BigInteger, nullable=False, index=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Raise: this version needs the table."""
    raise NotImplementedError
