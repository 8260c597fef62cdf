"""The courts of Slots and the times at which Opportunities leave the open feeds."""

from openbooking.store.migrations.topics.courts_0012 import fill_courts

revision = "0012"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns to the table of Opportunities, fill them, and make their indexes."""
    fill_courts()


def downgrade() -> None:
    """Raise: this version needs the columns."""
    raise NotImplementedError
