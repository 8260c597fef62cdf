"""Revision 0012: the courts that Slots share, and when Opportunities leave the open feeds."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

_AT_ONCE = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST, _SHOWN_AFTER_END = timedelta(days=1), timedelta(hours=1)
_COURT = "individual-facility-uses/"

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")


def fill_courts() -> None:
    """Add the columns and fill them, write the court into the documents of Slots, and make the indexes."""
    with op.batch_alter_table("opportunity") as table:
        table.add_column(sa.Column("court", Key))
        for name in ("court_from", "court_until", "leaves_at"):
            table.add_column(sa.Column(name, sa.BigInteger))
    update = sa.text(
        "UPDATE opportunity SET court = :court, court_from = :court_from, court_until = :court_until, "
        "leaves_at = :leaves_at, document = :document WHERE path = :path"
    )
    for page in _pages():
        if page:
            op.get_bind().execute(update, page)
    shared, leaves = sa.text("court IS NOT NULL"), sa.text("leaves_at IS NOT NULL")
    columns = ["court", "court_from"]
    op.create_index("ix_opportunity_court", "opportunity", columns, sqlite_where=shared, postgresql_where=shared)
    op.create_index("ix_opportunity_leaves", "opportunity", ["leaves_at"], sqlite_where=leaves, postgresql_where=leaves)


def _pages() -> Iterator[list[dict[str, Any]]]:
    """Yield the rows to change, in pages, because all Opportunities may not fit into memory."""
    page = sa.text("SELECT path, document FROM opportunity WHERE path > :after ORDER BY path LIMIT :most")
    after = ""
    while rows := op.get_bind().execute(page, {"after": after, "most": _AT_ONCE}).fetchall():
        yield [row for path, document in rows if (row := _row(path, bytes(document)))["leaves_at"] or row["court"]]
        after = rows[-1][0]


def _row(path: str, document: bytes) -> dict[str, Any]:
    known = json.loads(document)
    start, end = (datetime.fromisoformat(known[name]) if known.get(name) else None for name in ("start", "end"))
    court = known.get("parent") or ""
    shares = known["type"] == "Slot" and court.startswith(_COURT) and start and end and start < end <= start + _LONGEST
    over = end or start
    in_feed = over is not None and known.get("sale") not in ("unpublished", "over")
    if shares:
        document = json.dumps(known | {"court": court}, ensure_ascii=False, separators=(",", ":")).encode()
    return {
        "path": path,
        "court": court if shares else None,
        "court_from": _microseconds(start) if shares and start else None,
        "court_until": _microseconds(end) if shares and end else None,
        "leaves_at": _microseconds(over + _SHOWN_AFTER_END) if in_feed and over else None,
        "document": document,
    }


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
