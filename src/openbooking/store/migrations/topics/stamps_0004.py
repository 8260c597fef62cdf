"""Revision 0004: records that were made before stamps were kept get stamps with an unknown actor and time."""

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

_AT_ONCE = 1000
_UNKNOWN = {"actor": {"kind": "unknown"}}
_CANCELLED = ("https://openactive.io/CustomerCancelled", "https://openactive.io/SellerCancelled")

Document = dict[str, Any]


def stamp_records() -> None:
    """Add the unknown stamp for each event of an Order, an item or a proposal."""
    db = op.get_bind()
    save = sa.text("UPDATE record SET document = :document WHERE partner = :partner AND uuid = :uuid")
    for rows in _records():
        changed = []
        for partner, uuid, document in rows:
            record = msgspec.json.decode(document)
            before = msgspec.json.encode(record)
            _stamp_record(record)
            after = msgspec.json.encode(record)
            if after != before:
                changed.append({"partner": partner, "uuid": uuid, "document": after})
        if changed:
            db.execute(save, changed)


def _records() -> Iterator[list[tuple[str, str, bytes]]]:
    """Yield pages of partner, UUID and document of the records that are not quotes."""
    some = sa.text(
        "SELECT partner, uuid, document FROM record WHERE kind <> 'quote' AND (partner, uuid) > (:partner, :uuid) "
        "ORDER BY partner, uuid LIMIT :most"
    )
    last = {"partner": "", "uuid": ""}
    while rows := op.get_bind().execute(some, {**last, "most": _AT_ONCE}).fetchall():
        yield [(partner, uuid, document) for partner, uuid, document in rows]
        last = {"partner": rows[-1][0], "uuid": rows[-1][1]}


def _stamp_record(record: Document) -> None:
    record.setdefault("changed", _UNKNOWN)
    if record["kind"] in ("order", "deleted"):
        record.setdefault("booked", _UNKNOWN)
    if record["kind"] == "deleted":
        record.setdefault("deleted", _UNKNOWN)
    for state in record.get("states", ()):
        _stamp_item(state)
    if record.get("proposal"):
        record.setdefault("proposed", _UNKNOWN)
        _stamp_proposal(record["proposal"], record)


def _stamp_item(state: Document) -> None:
    if state.get("status") in _CANCELLED:
        state.setdefault("cancelled", _UNKNOWN)
    if state:
        state.setdefault("changed", _UNKNOWN)


def _stamp_proposal(proposal: Document, record: Document) -> None:
    """Add unknown stamps to a proposal.

    A booked proposal may have been amended before it was booked. That is unknown, so `amended` gets a stamp too.
    """
    if "status" in proposal:
        proposal.setdefault("decided", _UNKNOWN)
    asked = (record.get("order") or {}).get("proposal")
    if asked is None or asked["version"] != proposal["version"]:
        proposal.setdefault("amended", _UNKNOWN)
