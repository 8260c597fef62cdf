"""Revision 0006: the starts of Opportunities that Customers book, and indexes of them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

_AT_ONCE = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BOOKABLE = frozenset({"ScheduledSession", "Slot", "Event", "HeadlineEvent", "CourseInstance", "OnDemandEvent"})


def fill_starts() -> None:
    """Add the column and fill it, and make its indexes."""
    with op.batch_alter_table("opportunity") as table:
        table.add_column(sa.Column("starts", sa.BigInteger))
    update = sa.text("UPDATE opportunity SET starts = :starts WHERE path = :path")
    for page in _starts():
        if page:
            op.get_bind().execute(update, page)
    op.drop_index("ix_opportunity_parent", "opportunity")
    op.create_index("ix_opportunity_parent", "opportunity", ["parent", "starts"])
    dated, top = sa.text("starts IS NOT NULL"), sa.text("parent IS NULL")
    columns = ["seller", "starts", "path"]
    op.create_index("ix_opportunity_starts", "opportunity", columns, sqlite_where=dated, postgresql_where=dated)
    op.create_index("ix_opportunity_top", "opportunity", ["seller", "path"], sqlite_where=top, postgresql_where=top)


def _starts() -> Iterator[list[dict[str, str | int]]]:
    """Yield the starts with their paths, in pages, because all Opportunities may not fit into memory."""
    page = sa.text("SELECT path, document FROM opportunity WHERE path > :after ORDER BY path LIMIT :most")
    after = ""
    while rows := op.get_bind().execute(page, {"after": after, "most": _AT_ONCE}).fetchall():
        found = [(path, json.loads(document)) for path, document in rows]
        yield [
            {"path": path, "starts": _microseconds(known["start"])}
            for path, known in found
            if known.get("start") and known["type"] in _BOOKABLE and not known.get("withdrawn")
        ]
        after = rows[-1][0]


def _microseconds(instant: str) -> int:
    return (datetime.fromisoformat(instant) - _EPOCH) // timedelta(microseconds=1)
