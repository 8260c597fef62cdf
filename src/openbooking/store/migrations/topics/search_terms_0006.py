"""Revision 0006: what Orders are searched by, in the table of personal data.

The terms are derived as `booking/rules/orders/search_terms.py` derived them then, because a migration must never
change.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")

_AT_ONCE = 500
_PARTITIONS = 16
_MOST_CHARACTERS = 100
_TERMS = ("family_name", "given_name", "email", "telephone")

Row = dict[str, str | None]


def fill_search_terms() -> None:
    """Add the columns without statistics, which would hold copies, fill them, and make their indexes."""
    with op.batch_alter_table("personal_data") as table:
        table.add_column(sa.Column("seller", Key, nullable=False, server_default=""))
        for name in _TERMS:
            table.add_column(sa.Column(name, Key))
    if op.get_bind().dialect.name == "postgresql":
        for table_name in ("personal_data", *(f"personal_data_{number:02}" for number in range(_PARTITIONS))):
            for name in _TERMS:
                op.execute(f"ALTER TABLE {table_name} ALTER COLUMN {name} SET STATISTICS 0")
    save = sa.text(
        "UPDATE personal_data SET seller = :seller, family_name = :family_name, given_name = :given_name,"
        " email = :email, telephone = :telephone WHERE partner = :partner AND uuid = :uuid"
    )
    for rows in _rows():
        op.get_bind().execute(save, rows)
    with op.batch_alter_table("personal_data") as table:
        table.alter_column("seller", server_default=None)
    for name in _TERMS:
        stated = sa.text(f"{name} IS NOT NULL")
        columns = ["seller", name, "partner", "uuid"]
        op.create_index(
            f"ix_personal_data_{name}", "personal_data", columns, sqlite_where=stated, postgresql_where=stated
        )


def _rows() -> Iterator[list[Row]]:
    """Yield the Sellers and terms of personal data, in pages. Proposals have no terms."""
    some = sa.text(
        "SELECT personal_data.partner, personal_data.uuid, record.seller, record.kind, personal_data.document"
        " FROM personal_data"
        " JOIN record ON personal_data.partner = record.partner AND personal_data.uuid = record.uuid"
        " WHERE (personal_data.partner, personal_data.uuid) > (:partner, :uuid)"
        " ORDER BY personal_data.partner, personal_data.uuid LIMIT :most"
    )
    last = {"partner": "", "uuid": ""}
    while rows := op.get_bind().execute(some, {**last, "most": _AT_ONCE}).fetchall():
        yield [
            {
                "partner": partner,
                "uuid": uuid,
                "seller": seller,
                **terms_of((json.loads(document).get("customer") or {}) if kind == "order" else {}),
            }
            for partner, uuid, seller, kind, document in rows
        ]
        last = {"partner": rows[-1][0], "uuid": rows[-1][1]}


def terms_of(person: dict[str, Any]) -> Row:
    """Return the terms of a Customer or attendee."""
    given, family = _text(person, "givenName"), _text(person, "familyName")
    if not given and not family:
        family = _text(person, "name")
        if person.get("@type") == "Person":
            given, _, family = family.rpartition(" ")
    email = _text(person, "email").strip().replace("\0", "").casefold()
    telephone = _telephone(_text(person, "telephone"))
    terms = {"family_name": _name(family), "given_name": _name(given), "email": email, "telephone": telephone}
    return {name: term[:_MOST_CHARACTERS] or None for name, term in terms.items()}


def _name(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(bare.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("\0", "").split())


def _telephone(text: str) -> str:
    digits = "".join(re.findall(r"[0-9]", text))
    if text.lstrip().startswith("+") or re.fullmatch("44[0-9]{10}", digits):
        digits = f"00{digits}"
    return "0" + digits.removeprefix("0044").removeprefix("0") if digits.startswith("0044") else digits


def _text(thing: dict[str, Any], name: str) -> str:
    value = thing.get(name)
    return value if isinstance(value, str) else ""
