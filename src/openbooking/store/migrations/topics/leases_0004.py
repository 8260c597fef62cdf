"""Revision 0004: Leases replace the Orders in quotes, and quotes and proposals get the time at which they end."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

_AT_ONCE = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def extend_records() -> None:
    """Convert quotes and proposals, and add the columns `ends`, `held_until` and `size`."""
    with op.batch_alter_table("record") as table:
        table.add_column(sa.Column("ends", sa.BigInteger))
        table.add_column(sa.Column("held_until", sa.BigInteger))
        table.add_column(sa.Column("size", sa.Integer, nullable=False, server_default="0"))
    for partner, uuid, document in _records():
        _rewrite(partner, uuid, document)
    with op.batch_alter_table("record") as table:
        table.alter_column("size", server_default=None)
    leased = sa.text("expires IS NOT NULL")
    columns = ["opportunity", "expires", "places", "partner"]
    op.drop_index("ix_claim_lease", "claim")
    op.create_index("ix_claim_lease", "claim", columns, sqlite_where=leased, postgresql_where=leased)
    ends, holds = sa.text("ends IS NOT NULL"), sa.text("held_until IS NOT NULL")
    op.create_index("ix_record_ends", "record", ["ends"], sqlite_where=ends, postgresql_where=ends)
    columns = ["partner", "seller", "kind", "held_until", "size"]
    op.create_index("ix_record_holds", "record", columns, sqlite_where=holds, postgresql_where=holds)


def _records() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield partner, UUID and document of each record, in the order of the keys. They are read in pages."""
    some = sa.text(
        "SELECT partner, uuid, document FROM record WHERE (partner, uuid) > (:partner, :uuid)"
        " ORDER BY partner, uuid LIMIT :most"
    )
    partner = uuid = ""
    while rows := op.get_bind().execute(some, {"partner": partner, "uuid": uuid, "most": _AT_ONCE}).fetchall():
        for partner, uuid, document in rows:
            yield partner, uuid, json.loads(document)


def _rewrite(partner: str, uuid: str, record: dict[str, Any]) -> None:
    if record["kind"] == "quote":
        record["lease"] = _lease(record.pop("order"), record["lease_expires"])
    proposal = record.get("proposal")
    if record["kind"] == "proposal" and proposal and "lease_expires" in record:
        proposal["expires"] = record["lease_expires"]
    written = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()
    ends = _microseconds(record["lease_expires"]) if "lease_expires" in record else None
    op.get_bind().execute(
        sa.text(
            "UPDATE record SET ends = :ends, held_until = :ends, size = :size, document = :document"
            " WHERE partner = :partner AND uuid = :uuid"
        ),
        {"ends": ends, "size": len(written), "document": written, "partner": partner, "uuid": uuid},
    )


def _lease(order: dict[str, Any], expires: str) -> dict[str, Any]:
    """Return the Lease that replaces the Order of a quote. Its beginning is unknown, so `since` is its end."""
    terms: list[dict[str, Any]] = []
    items: list[tuple[str, int]] = []
    for item in order["items"]:
        found = {"offer": item["offer"], "since": expires}
        if found not in terms:
            terms.append(found)
        items.append((item["opportunity"]["path"], terms.index(found)))
    kept: dict[str, Any] = {name: order[name] for name in ("broker_role", "broker", "payment", "tax") if name in order}
    return {"since": expires, "items": items, "terms": terms, **kept}


def _microseconds(instant: str) -> int:
    return (datetime.fromisoformat(instant) - _EPOCH) // timedelta(microseconds=1)
