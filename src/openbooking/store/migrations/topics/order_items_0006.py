"""Revision 0006: the lines of Orders, and the places of records in lists.

The lines are derived as `booking/rules/orders/order_lines.py` derived them then, because a migration must never change.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")

_AT_ONCE = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OPENACTIVE = "https://openactive.io/"
_AWAITING = f"{_OPENACTIVE}AwaitingSellerConfirmation"
_NET = f"{_OPENACTIVE}TaxNet"
_ENDED = {
    f"{_OPENACTIVE}CustomerCancelled": "customer-cancelled",
    f"{_OPENACTIVE}SellerCancelled": "seller-cancelled",
}
_RATES = {"standard": Decimal("0.2"), "reduced": Decimal("0.05")}

Document = dict[str, Any]
Row = dict[str, Any]


def fill_order_items() -> None:
    """Make the table of lines and the columns of records, and fill them."""
    order_item = _create_table()
    with op.batch_alter_table("record") as table:
        table.add_column(sa.Column("listed_at", sa.BigInteger))
        table.add_column(sa.Column("status", Key))
        table.add_column(sa.Column("value", sa.BigInteger))
        table.add_column(sa.Column("currency", Key))
    db = op.get_bind()
    place = sa.text(
        "UPDATE record SET listed_at = :listed_at, status = :status, value = :value, currency = :currency"
        " WHERE partner = :partner AND uuid = :uuid"
    )
    for records in _records():
        lines = [(record, _lines(record)) for record in records]
        if placed := [row for record, of_record in lines if (row := _place(record, of_record))]:
            db.execute(place, placed)
        if rows := [row for _, of_record in lines for row in of_record]:
            db.execute(sa.insert(order_item), rows)
    op.create_table(
        "booked_session",
        sa.Column("seller", Key, primary_key=True),
        sa.Column("starts", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("opportunity", Key, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO booked_session SELECT DISTINCT seller, starts, opportunity FROM order_item"
        " WHERE starts IS NOT NULL AND replaced = 0"
    )
    _create_indexes()


def _create_table() -> sa.Table:
    return op.create_table(
        "order_item",
        sa.Column("partner", Key, primary_key=True),
        sa.Column("uuid", Key, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("replaced", sa.Integer, primary_key=True),
        sa.Column("seller", Key, nullable=False),
        sa.Column("opportunity", Key, nullable=False),
        sa.Column("starts", sa.BigInteger),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("status", Key, nullable=False),
        sa.Column("sold_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("price", sa.BigInteger, nullable=False),
        sa.Column("tax", sa.BigInteger, nullable=False),
        sa.Column("refund", sa.BigInteger, nullable=False),
        sa.Column("currency", Key),
        sa.Column("vat", Key, nullable=False),
        sa.Column("rate", sa.Integer, nullable=False),
        sa.Column("activity", Key, nullable=False),
        sa.Column("venue", Key, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_indexes() -> None:
    def create(name: str, table: str, columns: str, condition: str | None = None) -> None:
        where = sa.text(condition) if condition else None
        op.create_index(name, table, columns.split(), sqlite_where=where, postgresql_where=where)

    create("ix_order_item_opportunity", "order_item", "opportunity partner uuid", "status <> 'sold'")
    create("ix_order_item_ended", "order_item", "seller ended_at partner uuid", "ended_at IS NOT NULL")
    listed = "seller kind listed_at partner uuid status value currency"
    create("ix_record_listed", "record", listed, "listed_at IS NOT NULL")


def _records() -> Iterator[list[Document]]:
    """Yield Orders and proposals, in pages."""
    some = sa.text(
        "SELECT partner, uuid, document FROM record WHERE kind IN ('order', 'proposal')"
        " AND (partner, uuid) > (:partner, :uuid) ORDER BY partner, uuid LIMIT :most"
    )
    last = {"partner": "", "uuid": ""}
    while rows := op.get_bind().execute(some, {**last, "most": _AT_ONCE}).fetchall():
        yield [json.loads(document) for _, _, document in rows]
        last = {"partner": rows[-1][0], "uuid": rows[-1][1]}


def _place(record: Document, lines: list[Row]) -> Row | None:
    """Return the columns for the lists; None if no list shows the record."""
    key = {"partner": record["partner"], "uuid": record["uuid"]}
    if record["kind"] == "proposal":
        proposal = record["proposal"]
        if proposal.get("status", _AWAITING) != _AWAITING or "expires" not in proposal:
            return None
        ends = _microseconds(proposal["expires"])
        return {**key, "listed_at": ends, "status": None, "value": None, "currency": None}
    if "order" not in record:
        return None
    cancelled = [state.get("status") in _ENDED for state in _states(record)]
    booked = "partly-cancelled" if any(cancelled) else "booked"
    return {
        **key,
        "listed_at": _time(record.get("booked")) or 0,
        "status": "cancelled" if all(cancelled) else booked,
        "value": sum(line["price"] * line["quantity"] for line in lines if line["status"] == "sold"),
        "currency": next((line["currency"] for line in lines if line["currency"]), None),
    }


def _lines(record: Document) -> list[Row]:
    """Return the lines of an Order: equal items together."""
    groups: dict[tuple[Any, ...], Row] = {}
    for line in _single_lines(record):
        alike = tuple(value for name, value in line.items() if name != "number")
        if alike in groups:
            groups[alike]["quantity"] += 1
        else:
            groups[alike] = line
    return list(groups.values())


def _single_lines(record: Document) -> Iterator[Row]:
    if record["kind"] != "order" or "order" not in record:
        return
    prepaid = "payment" in record["order"]
    for booked, state in zip(record["order"]["items"], _states(record), strict=True):
        item = state.get("replacement", booked)
        line = _line(record, item)
        if _what(item) != _what(booked):
            at = _time(state.get("replaced", state.get("changed")))
            before = _line(record, booked)
            refund = before["price"] - line["price"] if prepaid else 0
            yield {**before, "replaced": 1, "status": "replaced", "ended_at": at, "refund": refund}
            line["sold_at"] = at
        if state.get("status") in _ENDED:
            line["status"] = _ENDED[state["status"]]
            line["ended_at"] = _time(state.get("cancelled"))
            line["refund"] = line["price"] if prepaid else 0
        yield line


def _line(record: Document, item: Document) -> Row:
    opportunity, offer = item["opportunity"], item["offer"]
    family = [opportunity, *item.get("parents", ())]
    vat, price = offer.get("vat", "standard"), _due(record["order"], offer)
    taxes = item.get("tax", ())
    return {
        "partner": record["partner"],
        "uuid": record["uuid"],
        "number": item["number"],
        "replaced": 0,
        "seller": record["seller"],
        "opportunity": opportunity["path"],
        "starts": _microseconds(opportunity["start"]) if "start" in opportunity else None,
        "quantity": 1,
        "status": "sold",
        "sold_at": _time(record.get("booked")),
        "ended_at": None,
        "price": int(100 * price),
        "tax": int(sum(100 * Decimal(charge["price"]) for charge in taxes)),
        "refund": 0,
        "currency": offer.get("currency") if price else None,
        "vat": vat if taxes else "",
        "rate": int(10_000 * _RATES.get(vat, Decimal(0))) if taxes else 0,
        "activity": next((member["activities"][0] for member in family if member.get("activities")), ""),
        "venue": next((member["venue"] for member in family if member.get("venue")), ""),
    }


def _due(order: Document, offer: Document) -> Decimal:
    """Return what is due for an item: with tax that is added to a net price, and without tax if it is excluded."""
    price, rate = Decimal(offer["price"]), _RATES.get(offer.get("vat", "standard"), Decimal(0))
    is_net, treatment = order["seller"]["tax_mode"] == _NET, order.get("tax", "calculated")
    if is_net and treatment == "calculated":
        return price + _rounded(price * rate)
    if not is_net and treatment == "excluded":
        return price - _rounded(price * rate / (1 + rate))
    return price


def _states(record: Document) -> list[Document]:
    return record.get("states") or [{} for _ in record["order"]["items"]]


def _what(item: Document) -> tuple[Any, ...]:
    return (item["opportunity"]["path"], item["offer"])


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def _time(stamp: Document | None) -> int | None:
    return _microseconds(stamp["at"]) if stamp and "at" in stamp else None


def _microseconds(instant: str) -> int:
    return (datetime.fromisoformat(instant) - _EPOCH) // timedelta(microseconds=1)
