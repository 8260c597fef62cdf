"""The next dates that timetables publish, whatever `publish_ahead_days` says."""

from openbooking.store.migrations.topics.next_dates_0014 import fill_next_dates

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the times at which entries are due by their next dates."""
    fill_next_dates()


def downgrade() -> None:
    """Raise: this version needs the column."""
    raise NotImplementedError
