"""Faster bookings and faster sums: lines of what has ended only, starts of claims, and sums of past days."""

from openbooking.store.migrations.topics.ended_lines_0010 import keep_ended_lines
from openbooking.store.migrations.topics.sales_days_0010 import create_sales_days

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep the lines that have ended, fill the starts of claims, and create the tables of sums, empty."""
    keep_ended_lines()
    create_sales_days()


def downgrade() -> None:
    """Raise: this version needs the table."""
    raise NotImplementedError
