"""Revision 0011: the terms of attendees, and those of the Customers of proposals.

The people are chosen as `booking/rules/orders/search_terms.py` chose them then, because a migration must never change.
"""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

from openbooking.store.migrations.topics.search_terms_0006 import terms_of

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")

_AT_ONCE = 500
_TERMS = ("family_name", "given_name", "email", "telephone")

Row = dict[str, str | int | None]


def fill_people() -> None:
    """Add the number to the key of personal data, and fill in the terms of attendees and of proposals."""
    if op.get_bind().dialect.name == "postgresql":
        _extend()
    else:
        _copy()
    add = sa.text(
        "INSERT INTO personal_data (partner, uuid, number, seller, family_name, given_name, email, telephone)"
        " VALUES (:partner, :uuid, :number, :seller, :family_name, :given_name, :email, :telephone)"
    )
    complete = sa.text(
        "UPDATE personal_data SET family_name = :family_name, given_name = :given_name, email = :email,"
        " telephone = :telephone WHERE partner = :partner AND uuid = :uuid AND number = 0"
    )
    for added, completed in _rows():
        if added:
            op.get_bind().execute(add, added)
        if completed:
            op.get_bind().execute(complete, completed)


def _extend() -> None:
    op.execute("ALTER TABLE personal_data ADD COLUMN number integer NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE personal_data ALTER COLUMN number DROP DEFAULT")
    op.execute("ALTER TABLE personal_data ALTER COLUMN document DROP NOT NULL")
    op.execute("ALTER TABLE personal_data DROP CONSTRAINT personal_data_pkey")
    op.execute("ALTER TABLE personal_data ADD CONSTRAINT personal_data_pkey PRIMARY KEY (partner, uuid, number)")


def _copy() -> None:
    """Make the table again, because SQLite cannot change a primary key."""
    op.rename_table("personal_data", "personal_data_before")
    for name in (*_TERMS, "over_at"):
        op.drop_index(f"ix_personal_data_{name}")
    op.create_table(
        "personal_data",
        sa.Column("partner", Key, primary_key=True),
        sa.Column("uuid", Key, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seller", Key, nullable=False),
        *(sa.Column(name, Key) for name in _TERMS),
        sa.Column("document", sa.LargeBinary),
        sa.Column("over_at", sa.BigInteger),
    )
    copied = "seller, family_name, given_name, email, telephone, document, over_at"
    op.execute(
        f"INSERT INTO personal_data (partner, uuid, number, {copied})"  # noqa: S608 - our own names
        f" SELECT partner, uuid, 0, {copied} FROM personal_data_before"
    )
    op.drop_table("personal_data_before")
    for name in _TERMS:
        stated = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"ix_personal_data_{name}", "personal_data", ["seller", name, "partner", "uuid"], sqlite_where=stated
        )
    op.create_index("ix_personal_data_over_at", "personal_data", ["over_at"])


def _rows() -> Iterator[tuple[list[Row], list[Row]]]:
    """Yield the rows of attendees to add, and the rows of proposals to complete, in pages."""
    some = sa.text(
        "SELECT personal_data.partner, personal_data.uuid, record.seller, record.kind, personal_data.document"
        " FROM personal_data"
        " JOIN record ON personal_data.partner = record.partner AND personal_data.uuid = record.uuid"
        " WHERE (personal_data.partner, personal_data.uuid) > (:partner, :uuid) AND personal_data.number = 0"
        " ORDER BY personal_data.partner, personal_data.uuid LIMIT :most"
    )
    last = {"partner": "", "uuid": ""}
    while rows := op.get_bind().execute(some, {**last, "most": _AT_ONCE}).fetchall():
        added: list[Row] = []
        completed: list[Row] = []
        for partner, uuid, seller, kind, document in rows:
            for number, terms in _people(json.loads(document)).items():
                row = {"partner": partner, "uuid": uuid, "number": number, "seller": seller, **terms}
                if number:
                    added.append(row)
                elif kind == "proposal":
                    completed.append(row)
        yield added, completed
        last = {"partner": rows[-1][0], "uuid": rows[-1][1]}


def _people(personal: dict[str, Any]) -> dict[int, dict[str, str | None]]:
    """Return the terms of the Customer, number 0, and of the attendees who have other terms than those before."""
    found = {0: terms_of(personal.get("customer") or {})}
    attendees = {int(number): sent for number, sent in personal.get("attendees", {}).items()}
    for number, attendee in sorted(attendees.items()):
        terms = terms_of(attendee)
        if all(any(terms[name] not in (None, before[name]) for name in _TERMS) for before in found.values()):
            found[number] = terms
    return found
