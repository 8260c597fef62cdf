"""Lines are kept of what was cancelled or replaced only, and claims know when their items start."""

from openbooking.store.migrations.topics.ended_lines_0010 import keep_ended_lines

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move the lines that have ended to a table of their own, and fill the starts of claims."""
    keep_ended_lines()


def downgrade() -> None:
    """Raise: this version needs the table."""
    raise NotImplementedError
