"""Revision 0004: stamps, Leases, venues and activities, and erasures.

See `docs/adr/0017-what-is-kept-from-now-on.md`.
"""

from openbooking.store.migrations.topics.leases_0004 import extend_records
from openbooking.store.migrations.topics.noted_0004 import note_time
from openbooking.store.migrations.topics.personal_data_0004 import (
    divide_personal_data,
    key_fingerprints,
    leave_nothing_behind,
)
from openbooking.store.migrations.topics.stamps_0004 import stamp_records
from openbooking.store.migrations.topics.whereabouts_0004 import fill_whereabouts

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Extend the tables, and convert stored documents."""
    note_time()
    fill_whereabouts()
    stamp_records()
    divide_personal_data()
    any_fingerprints = key_fingerprints()
    extend_records()
    if any_fingerprints:
        leave_nothing_behind()


def downgrade() -> None:
    """Raise NotImplementedError: Leases would be lost, and keyed fingerprints cannot be reversed."""
    raise NotImplementedError
