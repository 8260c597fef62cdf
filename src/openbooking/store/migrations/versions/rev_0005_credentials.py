"""Revision 0005: second factors at sign-in, known browsers, and former API keys of Booking Partners."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and the column, which begin empty."""
    op.create_table(
        "known_device",
        sa.Column("digest", Key, primary_key=True),
        sa.Column("username", Key, primary_key=True, index=True),
        sa.Column("expires", sa.BigInteger, nullable=False, index=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "pending_sign_in",
        sa.Column("digest", Key, primary_key=True),
        sa.Column("username", Key, nullable=False, index=True),
        sa.Column("expires", sa.BigInteger, nullable=False, index=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    with op.batch_alter_table("partner") as table:
        table.add_column(sa.Column("former_api_key_digest", Key, nullable=True))
        table.create_unique_constraint("partner_former_api_key_digest_key", ["former_api_key_digest"])


def downgrade() -> None:
    """Raise NotImplementedError: second factors and former API keys would be lost."""
    raise NotImplementedError
