"""Revision 0002: tables of grants, users, sessions, tokens and keys, and the Seller of each record.

Each Seller in the document of a Booking Partner becomes a grant.
"""

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

Key = sa.String().with_variant(TEXT(collation="C"), "postgresql")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, and fill them from the earlier tables."""
    _create_tables()
    _extend_records()
    _move_partners()


def downgrade() -> None:
    """Raise NotImplementedError: grants and users would be lost."""
    raise NotImplementedError


def _create(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        *columns,
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )


def _create_tables() -> None:
    _create(
        "partner_grant",
        sa.Column("partner", Key, primary_key=True),
        sa.Column("seller", Key, primary_key=True),
        sa.Column("settled", sa.Boolean, nullable=False, index=True),
    )
    _create(
        "partner_authorization",
        sa.Column("id", Key, primary_key=True),
        sa.Column("expires", sa.BigInteger, nullable=False, index=True),
    )
    _create(
        "seller_user",
        sa.Column("name", Key, primary_key=True),
        sa.Column("seller", Key, nullable=False, index=True),
        sa.Column("link_digest", Key, unique=True),
    )
    _create(
        "user_session",
        sa.Column("digest", Key, primary_key=True),
        sa.Column("username", Key, nullable=False, index=True),
        sa.Column("expires", sa.BigInteger, nullable=False, index=True),
    )
    _create(
        "sign_in_attempts",
        sa.Column("subject", Key, primary_key=True),
        sa.Column("expires", sa.BigInteger, nullable=False, index=True),
    )
    _create("registration_token", sa.Column("digest", Key, primary_key=True))
    _create("signing_key", sa.Column("kid", Key, primary_key=True))


def _extend_records() -> None:
    db = op.get_bind()
    with op.batch_alter_table("record") as table:
        table.add_column(sa.Column("seller", Key, nullable=False, server_default=""))
        table.add_column(sa.Column("withheld", sa.Boolean, nullable=False, server_default=sa.false()))
    rows = db.execute(sa.text("SELECT partner, uuid, document FROM record")).fetchall()
    set_seller = sa.text("UPDATE record SET seller = :seller WHERE partner = :partner AND uuid = :uuid")
    for partner, uuid, document in rows:
        db.execute(set_seller, {"seller": json.loads(document)["seller"], "partner": partner, "uuid": uuid})
    with op.batch_alter_table("record") as table:
        table.alter_column("seller", server_default=None)
        table.alter_column("withheld", server_default=None)
    op.create_index("ix_record_partnership", "record", ["partner", "seller", "withheld", "kind"])


def _move_partners() -> None:
    db = op.get_bind()
    documents = [json.loads(document) for (document,) in db.execute(sa.text("SELECT document FROM partner"))]
    op.drop_table("partner")
    _create("partner", sa.Column("key", Key, primary_key=True), sa.Column("api_key_digest", Key, unique=True))
    now = datetime.now(UTC).isoformat()
    add_partner = sa.text("INSERT INTO partner VALUES (:key, :api_key_digest, 1, :document)")
    add_grant = sa.text("INSERT INTO partner_grant VALUES (:partner, :seller, :settled, 1, :document)")
    for known in documents:
        partner = {
            "revision": 1,
            "key": known["key"],
            "name": known["name"],
            "registered": now,
            "registered_by": "administrator",
            "api_key_digest": known["key_digest"],
        }
        db.execute(add_partner, {**partner, "document": json.dumps(partner).encode()})
        for seller in ["*"] if known["sellers"] is None else known["sellers"]:
            grant = {
                "revision": 1,
                "partner": known["key"],
                "seller": seller,
                "scopes": ["openactive-openbooking"],
                "changed": now,
                "changed_by": "administrator",
            }
            db.execute(add_grant, {**grant, "settled": True, "document": json.dumps(grant).encode()})
