"""The statements that write what a batch of commands has changed.

`openbooking.store.rows` makes the rows that these statements take.
"""

from collections.abc import Sequence
from functools import cached_property

from sqlalchemy import BigInteger, Column, Table, delete, exists, insert, literal_column, select, update

from openbooking.store.dialect import Dialect, Insert, RowWrite, SaveStatement
from openbooking.store.schema import (
    activity,
    booked_session,
    claim,
    ended_line,
    erasure,
    event_delivery,
    feed_item,
    opportunity,
    order_event,
    personal_data,
    record,
    sales_day,
    sales_sum,
    seller,
    sold_elsewhere,
    timetable_entry,
)


class SaveStatements:
    """Statements that each write several kinds of rows; the kinds are the keys of `rows.ROW_TYPES`."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    @cached_property
    def save_catalogue(self) -> SaveStatement:
        """Write Opportunities, the starts of those that are booked, Sellers and entries of timetables.

        An Opportunity that is changed keeps its count of booked spaces.
        """
        booked = {"booked"}
        return self._dialect.save_statement(
            {
                "opportunities_removed": self._delete("opportunities_removed", opportunity),
                "opportunities_added": self._insert("opportunities_added", opportunity),
                "opportunities_changed": self._update("opportunities_changed", opportunity, leave=booked),
                "sessions_moved": self._insert_if_new("sessions_moved", booked_session),
                "sellers_set": self._upsert("sellers_set", seller),
                "entries_removed": self._delete("entries_removed", timetable_entry),
                "entries_set": self._upsert("entries_set", timetable_entry),
            }
        )

    @cached_property
    def save_bookings(self) -> SaveStatement:
        """Write records and their ended lines, claims, personal data, counts of booked spaces, feed items and events.

        A new record is inserted and never upserted. So the second of two transactions that add a record with the same
        UUID violates the primary key, and fails.
        """
        others = frozenset(opportunity.columns.keys()) - {"path", "booked"}
        return self._dialect.save_statement(
            {
                "records_removed": self._delete("records_removed", record),
                "records_added": self._insert("records_added", record),
                "records_changed": self._update("records_changed", record),
                "ended_lines_removed": self._delete("ended_lines_removed", ended_line),
                "ended_lines_set": self._upsert("ended_lines_set", ended_line),
                "sessions_booked": self._insert_if_new("sessions_booked", booked_session),
                "claims_released": self._delete("claims_released", claim),
                "claims_set": self._upsert("claims_set", claim),
                "personal_set": self._upsert("personal_set", personal_data),
                "booked_spaces_set": self._update("booked_spaces_set", opportunity, leave=others),
                "published": self._publish("published"),
                "elsewhere_shown": self._set_shown("elsewhere_shown"),
                "events_added": self._insert_events("events_added"),
            }
        )

    @cached_property
    def save_erasures(self) -> SaveStatement:
        """Erase personal data, or attendees whom an Order no longer has.

        If the database does not overwrite deleted data at once, also note the erasure in the table `erasure`, so that
        `openbooking.store.postgres.purge` removes the data from the disk.

        This is not part of `save_bookings`, because a deletion opens all partitions of `personal_data`.
        """
        noted = {} if self._dialect.overwrites else {"erasures": self._insert_if_new("erasures", erasure)}
        return self._dialect.save_statement(
            {
                "personal_erased": self._delete("personal_erased", personal_data, ("partner", "uuid")),
                "attendees_removed": self._delete("attendees_removed", personal_data),
                **noted,
            }
        )

    @cached_property
    def save_activity(self) -> SaveStatement:
        """New entries of the activity log."""
        return self._dialect.save_statement({"activity_added": self._insert("activity_added", activity)})

    @cached_property
    def save_outdated(self) -> SaveStatement:
        """Make the sums of the days outdated in which these times are."""
        given = self._dialect.input_columns("times_outdated", [sales_day.c.seller, Column("at", BigInteger)])
        in_day = (sales_day.c.since <= given["at"], sales_day.c.until > given["at"])
        outdated = update(sales_day).where(sales_day.c.seller == given["seller"], *in_day)
        changed = outdated.values(version=sales_day.c.version + literal_column("1"))
        return self._dialect.save_statement({"times_outdated": RowWrite(tuple(given), changed)})

    @cached_property
    def save_days(self) -> SaveStatement:
        """List days that have ended."""
        return self._dialect.save_statement({"days_listed": self._insert_if_new("days_listed", sales_day)})

    @cached_property
    def save_sums(self) -> SaveStatement:
        """Write sums of days."""
        return self._dialect.save_statement({"sums_added": self._insert("sums_added", sales_sum)})

    def _delete(self, kind: str, table: Table, by: Sequence[str] = ()) -> RowWrite:
        """Delete rows by these columns, or else by the primary key."""
        keys = [table.c[name] for name in by] or table.primary_key.columns.values()
        given = self._dialect.input_columns(kind, keys)
        return RowWrite(tuple(given), delete(table).where(*(key == given[key.name] for key in keys)))

    def _insert(self, kind: str, table: Table) -> RowWrite:
        return RowWrite(tuple(table.columns.keys()), self._new(kind, table))

    def _insert_if_new(self, kind: str, table: Table) -> RowWrite:
        return RowWrite(tuple(table.columns.keys()), self._new(kind, table).on_conflict_do_nothing())

    def _new(self, kind: str, table: Table) -> Insert:
        return self._dialect.insert(table, self._dialect.input_columns(kind, table.columns.values()))

    def _update(self, kind: str, table: Table, leave: set[str] | frozenset[str] = frozenset()) -> RowWrite:
        columns = [c for c in table.columns if c.name not in leave]
        given = self._dialect.input_columns(kind, columns)
        changed = update(table).where(*(c == given[c.name] for c in columns if c.primary_key))
        return RowWrite(tuple(given), changed.values({c.name: given[c.name] for c in columns if not c.primary_key}))

    def _upsert(self, kind: str, table: Table) -> RowWrite:
        new = self._new(kind, table)
        values = {c.name: new.excluded[c.name] for c in table.columns if not c.primary_key}
        replaced = new.on_conflict_do_update(index_elements=table.primary_key.columns, set_=values)
        return RowWrite(tuple(table.columns.keys()), replaced)

    def _publish(self, kind: str) -> RowWrite:
        """Insert or replace a feed item, unless the stored item has the same data."""
        new = self._new(kind, feed_item)
        values = {name: new.excluded[name] for name in ("kind", "modified", "data", "changed_at")}
        differs = feed_item.c.data.is_distinct_from(new.excluded.data)
        keys = feed_item.primary_key.columns
        replaced = new.on_conflict_do_update(index_elements=keys, set_=values, where=differs)
        return RowWrite(tuple(feed_item.columns.keys()), replaced)

    def _set_shown(self, kind: str) -> RowWrite:
        """Set the number of spaces sold elsewhere that a feed item shows now."""
        given = self._dialect.input_columns(kind, [sold_elsewhere.c.path, sold_elsewhere.c.shown])
        differs = sold_elsewhere.c.shown != given["shown"]
        changed = update(sold_elsewhere).where(sold_elsewhere.c.path == given["path"], differs)
        return RowWrite(tuple(given), changed.values(shown=given["shown"]))

    def _insert_events(self, kind: str) -> RowWrite:
        """Insert order events, if they are kept (`event_delivery`). The database numbers them in their order."""
        columns = [c for c in order_event.columns if c.name in {"id", "partner", "uuid", "at", "document"}]
        given = self._dialect.input_columns(kind, columns)
        is_kept = exists(select(literal_column("1")).where(event_delivery.c.kept_until > given["at"]))
        kept = select(*given.values()).where(is_kept)
        return RowWrite(tuple(given), insert(order_event).from_select(list(given), kept, include_defaults=False))
