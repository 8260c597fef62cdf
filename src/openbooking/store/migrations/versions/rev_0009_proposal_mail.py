"""The staff who want e-mail about waiting OrderProposals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, empty: nobody has asked for e-mail yet."""
    op.create_table(
        "proposal_mail",
        sa.Column("seller", Key, primary_key=True),
        sa.Column("username", Key, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Raise: this version needs the table."""
    raise NotImplementedError
