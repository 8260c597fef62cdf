"""Revision 0004: personal data in partitions that can be rewritten, and keyed fingerprints.

On PostgreSQL the table of personal data is divided into partitions, and the records are rewritten, so that no unkeyed
fingerprint stays on the disk. Each row of personal data gets the time at which its retention period begins.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")

_PARTITIONS = 16
_AT_ONCE = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Document = dict[str, Any]


def divide_personal_data() -> None:
    """Divide personal data into partitions, add `over_at`, and make the table of erasures."""
    if op.get_bind().dialect.name == "postgresql":
        _partition()
    else:
        with op.batch_alter_table("personal_data") as table:
            table.add_column(sa.Column("over_at", sa.BigInteger))
    op.create_index("ix_personal_data_over_at", "personal_data", ["over_at"])
    op.create_table(
        "erasure",
        sa.Column("partner", Key, primary_key=True),
        sa.Column("uuid", Key, primary_key=True),
        sa.Column("erased_at", sa.BigInteger, primary_key=True),
        sa.Column("stage", sa.Integer, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
    )


def _partition() -> None:
    """Divide the table into partitions. Statistics of the documents are off, because they would hold copies of some."""
    op.execute("ALTER TABLE personal_data RENAME TO personal_data_before")
    op.execute("ALTER INDEX personal_data_pkey RENAME TO personal_data_before_pkey")
    op.create_table(
        "personal_data",
        sa.Column("partner", Key, primary_key=True),
        sa.Column("uuid", Key, primary_key=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("over_at", sa.BigInteger),
        postgresql_partition_by="HASH (partner, uuid)",
    )
    for number in range(_PARTITIONS):
        name = f"personal_data_{number:02}"
        bound = f"FOR VALUES WITH (MODULUS {_PARTITIONS}, REMAINDER {number})"
        op.execute(f"CREATE TABLE {name} PARTITION OF personal_data {bound}")
        op.execute(f"ALTER TABLE {name} ALTER COLUMN document SET STATISTICS 0")
    op.execute("ALTER TABLE personal_data ALTER COLUMN document SET STATISTICS 0")
    op.execute("INSERT INTO personal_data (partner, uuid, document) SELECT * FROM personal_data_before")
    op.execute("DROP TABLE personal_data_before")


def key_fingerprints() -> bool:
    """Replace each fingerprint by its HMAC, and store the key of the HMAC with the personal data.

    Returns:
        Whether any row was changed.
    """
    db = op.get_bind()
    now = datetime.now(UTC)
    set_record = sa.text("UPDATE record SET document = :document WHERE partner = :partner AND uuid = :uuid")
    set_personal = sa.text(
        "INSERT INTO personal_data (partner, uuid, document, over_at) VALUES (:partner, :uuid, :document, :over_at)"
        " ON CONFLICT (partner, uuid) DO UPDATE SET document = excluded.document, over_at = excluded.over_at"
    )
    some = False
    for partner, uuid, stored, stored_personal in _records(db):
        record: Document = msgspec.json.decode(stored)
        personal: Document | None = None
        if stored_personal is not None:
            personal = msgspec.json.decode(stored_personal)
        elif record["kind"] == "order" and "order" in record:
            personal = {}
        fingerprint = record.pop("fingerprint", None)
        if personal is not None:
            key = secrets.token_hex(32)
            if fingerprint:
                record["fingerprint"] = hmac.new(key.encode(), fingerprint.encode(), hashlib.sha256).hexdigest()
                personal["fingerprint_key"] = key
            personal["told_at"] = now.isoformat()
            row = {
                "partner": partner,
                "uuid": uuid,
                "document": msgspec.json.encode(personal),
                "over_at": _over_at(record, now),
            }
            db.execute(set_personal, row)
            some = True
        if fingerprint:
            db.execute(set_record, {"partner": partner, "uuid": uuid, "document": msgspec.json.encode(record)})
            some = True
    return some


def leave_nothing_behind() -> None:
    """Rewrite the table of records on PostgreSQL, without old row versions; note that the log still holds those."""
    if op.get_bind().dialect.name != "postgresql":
        return
    now = datetime.now(UTC)
    op.execute("ALTER TABLE record ALTER COLUMN document TYPE bytea USING document || ''::bytea")
    op.get_bind().execute(
        sa.text("INSERT INTO erasure VALUES ('', '', :now, 1, pg_current_wal_insert_lsn() - '0/0')"),
        {"now": _microseconds(now)},
    )


def _records(db: sa.Connection) -> Iterator[tuple[str, str, bytes, bytes | None]]:
    """Yield partner, UUID, document and personal data of each record. They are read in pages."""
    some = sa.text(
        "SELECT record.partner, record.uuid, record.document, personal_data.document FROM record"
        " LEFT JOIN personal_data ON personal_data.partner = record.partner AND personal_data.uuid = record.uuid"
        " WHERE (record.partner, record.uuid) > (:partner, :uuid) ORDER BY record.partner, record.uuid LIMIT :most"
    )
    last = {"partner": "", "uuid": ""}
    while rows := db.execute(some, {**last, "most": _AT_ONCE}).fetchall():
        yield from (tuple(row) for row in rows)
        last = {"partner": rows[-1][0], "uuid": rows[-1][1]}


def _over_at(record: Document, now: datetime) -> int | None:
    """Return the end of an Order's last Opportunity, or `now` if none has a date; None for other kinds of record."""
    if record["kind"] != "order":
        return None
    items = record["order"]["items"]
    states = record.get("states") or [{}] * len(items)
    standing = [state.get("replacement") or item for item, state in zip(items, states, strict=True)]
    opportunities = [item.get("opportunity") or {} for item in standing]
    ends = [opportunity.get("end") or opportunity.get("start") for opportunity in opportunities]
    return _microseconds(max((datetime.fromisoformat(end) for end in ends if end), default=now))


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
