"""What the views of Sellers read: lines of Orders, search terms, starts, and the places of records in lists."""

from openbooking.store.migrations.topics.order_items_0006 import fill_order_items
from openbooking.store.migrations.topics.search_terms_0006 import fill_search_terms
from openbooking.store.migrations.topics.starts_0006 import fill_starts

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Extend the tables, and fill the new columns and the new table."""
    fill_starts()
    fill_order_items()
    fill_search_terms()


def downgrade() -> None:
    """Raise: Orders could not be searched any more."""
    raise NotImplementedError
