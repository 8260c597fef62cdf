"""The tables, described once for every database.

`document` columns hold a struct of `openbooking.booking` as JSON; other columns are what statements look at. Personal
data has a table of its own, so that it is erased by deleting a row. Instants are microseconds since 1970 UTC.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData()

seller = Table(
    "seller",
    metadata,
    Column("key", String, primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

partner = Table(
    "partner",
    metadata,
    Column("key", String, primary_key=True),
    Column("key_digest", String, nullable=False, unique=True),
    Column("document", LargeBinary, nullable=False),
)

opportunity = Table(
    "opportunity",
    metadata,
    Column("path", String, primary_key=True),
    Column("parent", String, index=True),
    Column("source", String, nullable=False, index=True),
    Column("booked", Integer, nullable=False, default=0),
    Column("document", LargeBinary, nullable=False),
)

record = Table(
    "record",
    metadata,
    Column("partner", String, primary_key=True),
    Column("uuid", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("updated", Boolean, nullable=False),
    Column("document", LargeBinary, nullable=False),
)

personal_data = Table(
    "personal_data",
    metadata,
    Column("partner", String, primary_key=True),
    Column("uuid", String, primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

claim = Table(
    "claim",
    metadata,
    Column("opportunity", String, primary_key=True),
    Column("partner", String, primary_key=True),
    Column("uuid", String, primary_key=True),
    Column("places", Integer, nullable=False),
    Column("expires", BigInteger),
    Index("ix_claim_record", "partner", "uuid"),
    Index("ix_claim_expires", "expires"),
)

feed_item = Table(
    "feed_item",
    metadata,
    Column("feed", String, primary_key=True),
    Column("partner", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("modified", BigInteger, nullable=False),
    Column("data", LargeBinary),
    Column("changed_at", BigInteger, nullable=False),
    Index("ix_feed_item_modified", "feed", "partner", "modified", unique=True),
)

counter = Table(
    "counter",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
