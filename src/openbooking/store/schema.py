"""The tables of bookings and feeds, described once for all databases.

The tables of partners and users are in `openbooking.store.identity.schema`.

`document` columns hold a struct of `openbooking.booking` as JSON. Statements look rows up by the other columns.
Instants are microseconds since 1970 UTC.

Personal data is in a separate table, so deleting a row erases the personal data of a record. On PostgreSQL this table
has partitions, and erased data is wiped from the disk by rewriting one partition at a time. No statistics are gathered
of the documents there, because statistics would hold copies of personal data.

`record.ends` is the time at which the Lease, hold or lifetime of a quote or proposal ends, and the sweeper has to load
the record. `record.held_until` is the time until which the record holds spaces. `record.size` is the size of its
document in bytes.

The counter `modified` is the last change number. The counter `noted` is the last time, by a trusted clock, at which the
database was in use.

If `feed_item.modified` is null, the item has changed and has no change number yet (see `openbooking.store.numbering`).
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

# The revision of the last migration. This version works with databases of this revision only.
REVISION = "0005"
# The table in which Alembic keeps the revision.
VERSION_TABLE = "alembic_version"

# The number of partitions of personal data on PostgreSQL.
PERSONAL_DATA_PARTITIONS = 16

# Keys are compared byte by byte, independently of the collation of the database.
Key = String().with_variant(Text(collation="C"), "postgresql")

seller = Table(
    "seller",
    metadata,
    Column("key", Key, primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

opportunity = Table(
    "opportunity",
    metadata,
    Column("path", Key, primary_key=True),
    Column("parent", Key, index=True),
    Column("seller", Key, nullable=False),
    Column("source", Key, nullable=False, index=True),
    Column("booked", Integer, nullable=False, default=0),
    Column("document", LargeBinary, nullable=False),
)

record = Table(
    "record",
    metadata,
    Column("partner", Key, primary_key=True),
    Column("uuid", Key, primary_key=True),
    Column("kind", Key, nullable=False),
    Column("updated", Boolean, nullable=False),
    Column("seller", Key, nullable=False),
    Column("withheld", Boolean, nullable=False),
    Column("ends", BigInteger),
    Column("held_until", BigInteger),
    Column("size", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("ix_record_partnership", "partner", "seller", "withheld", "kind"),
)
_ends, _holds = record.c.ends.is_not(None), record.c.held_until.is_not(None)
Index("ix_record_ends", record.c.ends, sqlite_where=_ends, postgresql_where=_ends)
Index(
    "ix_record_holds",
    record.c.partner,
    record.c.seller,
    record.c.kind,
    record.c.held_until,
    record.c.size,
    sqlite_where=_holds,
    postgresql_where=_holds,
)

personal_data = Table(
    "personal_data",
    metadata,
    Column("partner", Key, primary_key=True),
    Column("uuid", Key, primary_key=True),
    Column("document", LargeBinary, nullable=False),
    # When the retention period begins; null for proposals.
    Column("over_at", BigInteger, index=True),
    postgresql_partition_by="HASH (partner, uuid)",
)

# Notes of personal data that was erased or replaced, and may still be on the disk of a PostgreSQL server. For `stage`
# and `position` see `openbooking.store.postgres.purge`. SQLite overwrites such data at once.
erasure = Table(
    "erasure",
    metadata,
    Column("partner", Key, primary_key=True),
    Column("uuid", Key, primary_key=True),
    Column("erased_at", BigInteger, primary_key=True),
    Column("stage", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
)

claim = Table(
    "claim",
    metadata,
    Column("opportunity", Key, primary_key=True),
    Column("partner", Key, primary_key=True),
    Column("uuid", Key, primary_key=True),
    Column("places", Integer, nullable=False),
    Column("expires", BigInteger),
    Index("ix_claim_record", "partner", "uuid"),
)
# Most claims on a popular Opportunity are booked. This index finds its Leases without reading booked claims.
_leased = claim.c.expires.is_not(None)
Index(
    "ix_claim_lease",
    claim.c.opportunity,
    claim.c.expires,
    claim.c.places,
    claim.c.partner,
    sqlite_where=_leased,
    postgresql_where=_leased,
)
Index("ix_claim_expires", claim.c.expires, sqlite_where=_leased, postgresql_where=_leased)

feed_item = Table(
    "feed_item",
    metadata,
    Column("feed", Key, primary_key=True),
    Column("partner", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("kind", Key, nullable=False),
    Column("modified", BigInteger),
    Column("data", LargeBinary),
    Column("changed_at", BigInteger, nullable=False),
    Index("ix_feed_item_modified", "feed", "partner", "modified", unique=True),
)
_pending = feed_item.c.modified.is_(None)
Index("ix_feed_item_pending", feed_item.c.changed_at, sqlite_where=_pending, postgresql_where=_pending)
_deleted = feed_item.c.data.is_(None)
Index("ix_feed_item_deleted", feed_item.c.changed_at, sqlite_where=_deleted, postgresql_where=_deleted)

counter = Table(
    "counter",
    metadata,
    Column("name", Key, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
