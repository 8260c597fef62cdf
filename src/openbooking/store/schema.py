"""The tables of bookings and feeds, described once for all databases.

The tables of partners and users are in `openbooking.store.identity.schema`.

`document` columns hold a struct of `openbooking.booking` as JSON. Statements look rows up by the other columns.
Instants are microseconds since 1970 UTC.

Personal data is in a separate table, so deleting a row erases the personal data of a record. On PostgreSQL this table
has partitions, and erased data is wiped from the disk by rewriting one partition at a time. No statistics are gathered
of documents and search terms, because statistics would hold copies of personal data.

`record.listed_at` is the place of a record in the lists of views. For an Order it is the time of B, or 0 if that is
unknown; for an OrderProposal that awaits the Seller it is the end of the lifetime. Other records have none.
`ended_line` has the lines of Orders (`booking/rules/orders/order_lines.py`) that were cancelled or replaced. Other
lines follow from the record, so a booking writes none. Amounts are in hundredths of the currency, and rates in
ten-thousandths. `opportunity.starts` is the start of what Customers book.

`record.ends` is the time at which the Lease, hold or lifetime of a quote or proposal ends, and the sweeper has to load
the record. `record.held_until` is the time until which the record holds spaces. `record.size` is the size of its
document in bytes.

The counter `modified` is the last change number. The counter `noted` is the last time, by a trusted clock, at which the
database was in use.

If `feed_item.modified` is null, the item has changed and has no change number yet (see `openbooking.store.numbering`).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    case,
    cast,
    column,
    literal_column,
    table,
)

from openbooking.booking.store import StoreUnavailableError

metadata = MetaData()

# The revision of the last migration. This version works with databases of this revision only.
REVISION = "0016"
# The table in which Alembic keeps the revision.
VERSION_TABLE = "alembic_version"
version = table(VERSION_TABLE, column("version_num", String))

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
    Column("parent", Key),
    Column("seller", Key, nullable=False),
    Column("source", Key, nullable=False, index=True),
    Column("booked", Integer, nullable=False, default=0),
    Column("starts", BigInteger),
    Column("court", Key),
    Column("court_from", BigInteger),
    Column("court_until", BigInteger),
    Column("leaves_at", BigInteger),
    Column("document", LargeBinary, nullable=False),
    Index("ix_opportunity_parent", "parent", "starts"),
)
_dated, _top = opportunity.c.starts.is_not(None), opportunity.c.parent.is_(None)
Index(
    "ix_opportunity_starts",
    opportunity.c.seller,
    opportunity.c.starts,
    opportunity.c.path,
    sqlite_where=_dated,
    postgresql_where=_dated,
)
_shared, _leaves = opportunity.c.court.is_not(None), opportunity.c.leaves_at.is_not(None)
Index(
    "ix_opportunity_court",
    opportunity.c.court,
    opportunity.c.court_from,
    sqlite_where=_shared,
    postgresql_where=_shared,
)
Index("ix_opportunity_leaves", opportunity.c.leaves_at, sqlite_where=_leaves, postgresql_where=_leaves)
Index("ix_opportunity_top", opportunity.c.seller, opportunity.c.path, sqlite_where=_top, postgresql_where=_top)

# The entries of timetables. `next_date` is the ordinal number of the first date that is not published.
timetable_entry = Table(
    "timetable_entry",
    metadata,
    Column("seller", Key, primary_key=True),
    Column("key", Key, primary_key=True),
    Column("next_date", Integer),
    Column("document", LargeBinary, nullable=False),
)
_due = timetable_entry.c.next_date.is_not(None)
Index("ix_timetable_entry_due", timetable_entry.c.next_date, sqlite_where=_due, postgresql_where=_due)

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
    Column("listed_at", BigInteger),
    Column("status", Key),
    Column("value", BigInteger),
    Column("currency", Key),
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

# It has all columns that lists of Orders are searched by, so that only the Orders found are read.
_listed = record.c.listed_at.is_not(None)
Index(
    "ix_record_listed",
    record.c.seller,
    record.c.kind,
    record.c.listed_at,
    record.c.partner,
    record.c.uuid,
    record.c.status,
    record.c.value,
    record.c.currency,
    sqlite_where=_listed,
    postgresql_where=_listed,
)

ended_line = Table(
    "ended_line",
    metadata,
    Column("partner", Key, primary_key=True),
    Column("uuid", Key, primary_key=True),
    Column("number", Integer, primary_key=True),
    # 0 for current items, 1 for booked items that were replaced, and 2 and more for replacements that were replaced.
    Column("replaced", Integer, primary_key=True),
    Column("seller", Key, nullable=False),
    Column("opportunity", Key, nullable=False),
    Column("starts", BigInteger),
    Column("quantity", Integer, nullable=False),
    Column("status", Key, nullable=False),
    Column("sold_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("price", BigInteger, nullable=False),
    Column("tax", BigInteger, nullable=False),
    Column("refund", BigInteger, nullable=False),
    Column("currency", Key),
    Column("vat", Key, nullable=False),
    Column("rate", Integer, nullable=False),
    Column("activity", Key, nullable=False),
    Column("venue", Key, nullable=False),
    Index("ix_ended_line_opportunity", "opportunity", "partner", "uuid"),
    sqlite_with_rowid=False,
)
_ended = ended_line.c.ended_at.is_not(None)
Index(
    "ix_ended_line_ended",
    ended_line.c.seller,
    ended_line.c.ended_at,
    ended_line.c.partner,
    ended_line.c.uuid,
    sqlite_where=_ended,
    postgresql_where=_ended,
)

# The starts of the Opportunities for which Orders have had current items. A row stays when its last item has gone. It
# is written at the first booking only, so that it costs less than an index of `claim.starts`.
booked_session = Table(
    "booked_session",
    metadata,
    Column("seller", Key, primary_key=True),
    Column("starts", BigInteger, primary_key=True),
    Column("opportunity", Key, primary_key=True),
    sqlite_with_rowid=False,
)

# Sums of the sales of past days (`openbooking.store.views.past_days`). The sums of a day are valid if `summed` is its
# `version`. A change of what was sold or cancelled that day raises `version`.
sales_day = Table(
    "sales_day",
    metadata,
    Column("seller", Key, primary_key=True),
    Column("since", BigInteger, primary_key=True, autoincrement=False),
    Column("until", BigInteger, nullable=False),
    Column("listed_at", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("summed", Integer, nullable=False),
    sqlite_with_rowid=False,
)
_outdated = sales_day.c.summed != sales_day.c.version
Index(
    "ix_sales_day_outdated",
    sales_day.c.seller,
    sales_day.c.since,
    sqlite_where=_outdated,
    postgresql_where=_outdated,
)
sales_sum = Table(
    "sales_sum",
    metadata,
    Column("seller", Key, primary_key=True),
    Column("since", BigInteger, primary_key=True, autoincrement=False),
    # 1 for sales, 0 for cancellations and replacements.
    Column("is_sale", Integer, primary_key=True, autoincrement=False),
    Column("partner", Key, primary_key=True),
    Column("activity", Key, primary_key=True),
    Column("venue", Key, primary_key=True),
    # Empty if nothing had a price.
    Column("currency", Key, primary_key=True),
    Column("vat", Key, primary_key=True),
    Column("rate", Integer, primary_key=True, autoincrement=False),
    Column("items", BigInteger, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("tax", BigInteger, nullable=False),
    Column("refunds", BigInteger, nullable=False),
    Column("refund", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

personal_data = Table(
    "personal_data",
    metadata,
    Column("partner", Key, primary_key=True),
    Column("uuid", Key, primary_key=True),
    # 0 for the row with the document and the terms of the Customer. The other rows have the terms of one attendee, and
    # the number of the OrderItem.
    Column("number", Integer, primary_key=True),
    Column("seller", Key, nullable=False),
    # What Orders and proposals are searched by (`openbooking.booking.rules.orders.search_terms`).
    Column("family_name", Key),
    Column("given_name", Key),
    Column("email", Key),
    Column("telephone", Key),
    Column("document", LargeBinary),
    # When the retention period begins; null for proposals and attendees.
    Column("over_at", BigInteger, index=True),
    postgresql_partition_by="HASH (partner, uuid)",
)
for _name in ("family_name", "given_name", "email", "telephone"):
    _term = personal_data.c[_name]
    Index(
        f"ix_personal_data_{_name}",
        personal_data.c.seller,
        _term,
        personal_data.c.partner,
        personal_data.c.uuid,
        sqlite_where=_term.is_not(None),
        postgresql_where=_term.is_not(None),
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
    # When the earliest sold item of the Opportunity in the Order starts; null for Leases and proposals.
    Column("starts", BigInteger),
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

# The activity log. Ids sort by time.
activity = Table(
    "activity",
    metadata,
    Column("seller", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("partner", Key),
    Column("uuid", Key),
    Column("document", LargeBinary, nullable=False),
)
_of_order = activity.c.uuid.is_not(None)
Index(
    "ix_activity_record",
    activity.c.partner,
    activity.c.uuid,
    activity.c.id,
    sqlite_where=_of_order,
    postgresql_where=_of_order,
)

# The spaces that other software of the operator has sold (`docs/how-to/embed.md`). That software writes `path` and
# `spaces`. `shown` is the number with which this system has last written the feed item. Statements read
# `counted_elsewhere` instead of `spaces`: the other software may write any number, and SQLite stores any value.
sold_elsewhere = Table(
    "sold_elsewhere",
    metadata,
    Column("path", Key, primary_key=True),
    Column("spaces", Integer, nullable=False),
    Column("shown", Integer, nullable=False, server_default="0"),
)
_unshown = sold_elsewhere.c.spaces != sold_elsewhere.c.shown
Index("ix_sold_elsewhere_unshown", sold_elsewhere.c.path, sqlite_where=_unshown, postgresql_where=_unshown)
_none, _most = literal_column("0", Integer), literal_column(str(2**31 - 1), Integer)
counted_elsewhere = case(
    (sold_elsewhere.c.spaces < _none, _none),
    (sold_elsewhere.c.spaces > _most, _most),
    else_=cast(sold_elsewhere.c.spaces, Integer),
)

# The order events that `on_committed` has not been told, in the order of `number`. `due_at` and `attempts` change if it
# fails. SQLite uses the number of a removed event again, so events are found by `number` and `id`.
order_event = Table(
    "order_event",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", Key, nullable=False),
    Column("partner", Key, nullable=False),
    Column("uuid", Key, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("document", LargeBinary, nullable=False),
    Index("ix_order_event_record", "partner", "uuid", "number"),
    Index("ix_order_event_due", "due_at", "number"),
)

# At most one row: until when events are kept, and which process tells them, until when.
event_delivery = Table(
    "event_delivery",
    metadata,
    Column("name", Key, primary_key=True),
    Column("kept_until", BigInteger, nullable=False),
    Column("holder", Key, nullable=False),
    Column("held_until", BigInteger, nullable=False),
)

counter = Table(
    "counter",
    metadata,
    Column("name", Key, primary_key=True),
    Column("value", BigInteger, nullable=False),
)


def check_revision(revision: str) -> None:
    """Raise StoreUnavailableError unless `revision`, which a running server has read, is that of this version."""
    if revision != REVISION:
        message = f"The database has the schema {revision}, but this version of openbooking needs {REVISION}."
        raise StoreUnavailableError(message)
