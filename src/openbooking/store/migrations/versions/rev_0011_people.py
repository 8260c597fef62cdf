"""What Orders and proposals are searched by: the terms of attendees, and of the Customers of proposals."""

from openbooking.store.migrations.topics.people_0011 import fill_people

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Extend the key of personal data, and fill in the terms."""
    fill_people()


def downgrade() -> None:
    """Raise: attendees could not be found any more."""
    raise NotImplementedError
