"""Revision 0014: the first dates of entries of timetables that are not published, instead of times that are due.

The times depended on the setting `publish_ahead_days`, so they were wrong once it was changed.
"""

import json
from datetime import date

import sqlalchemy as sa
from alembic import op


def fill_next_dates() -> None:
    """Replace the column, fill it from the documents, and make its index."""
    op.drop_index("ix_timetable_entry_due", "timetable_entry")
    with op.batch_alter_table("timetable_entry") as table:
        table.drop_column("due_at")
        table.add_column(sa.Column("next_date", sa.Integer))
    rows = op.get_bind().execute(sa.text("SELECT seller, key, document FROM timetable_entry")).fetchall()
    update = sa.text("UPDATE timetable_entry SET next_date = :next_date WHERE seller = :seller AND key = :key")
    for seller, key, document in rows:
        op.get_bind().execute(update, {"next_date": _next_date(bytes(document)), "seller": seller, "key": key})
    due = sa.text("next_date IS NOT NULL")
    op.create_index("ix_timetable_entry_due", "timetable_entry", ["next_date"], sqlite_where=due, postgresql_where=due)


def _next_date(document: bytes) -> int | None:
    """Return the number of the next date; 1, the first of all numbers, if no date is published yet."""
    known = json.loads(document)
    until = date.fromisoformat(known["published_until"]) if known.get("published_until") else date.min
    return None if until == date.max or known.get("fault") is not None else until.toordinal()
