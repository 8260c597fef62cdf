"""The feeds that imports follow, as rows of a table."""

from datetime import datetime
from typing import ClassVar

from openbooking.back_office.formats import format_duration
from openbooking.back_office.rows.tables import TableContext, TableRow
from openbooking.identity.import_records import FollowedFeed


class ImportRow(TableRow, frozen=True, kw_only=True):
    """A feed that an import follows, and how far it has been imported.

    Attributes:
        feed: The name of the source.
        state: Whether the import is up to date, in words.
        items: The number of items that were imported, each version counted.
        over: The number of Opportunities that were left out because they are over.
        waiting: The number of items that wait for their parents.
        not_imported: The number of items that could not be imported.
        faults: The number of attempts that have failed.
        fault: Why the last attempt failed; empty if it succeeded.
        next_try: The time of the next attempt.
        last_page: The URL of the last page that was imported.
        read_at: When it was imported.
        lag_seconds: For how many seconds the imported items may have been out of date.
    """

    only_for_scripts: ClassVar[frozenset[str]] = frozenset({"read_at", "lag_seconds"})

    feed: str
    state: str
    items: int
    over: int
    waiting: int
    not_imported: int
    faults: int
    fault: str
    next_try: datetime | None
    last_page: str
    read_at: datetime | None
    lag_seconds: int


def import_row(feed: FollowedFeed, context: TableContext) -> ImportRow:
    """Return the row of a feed."""
    return ImportRow(
        feed=feed.source,
        state=_describe(feed, context),
        items=feed.items,
        over=feed.over,
        waiting=feed.waiting,
        not_imported=feed.not_imported,
        faults=feed.faults,
        fault=feed.fault,
        next_try=context.local(feed.next_try),
        last_page=feed.last_page,
        read_at=context.local(feed.read_at),
        lag_seconds=round(feed.lag(context.now).total_seconds()),
    )


def _describe(feed: FollowedFeed, context: TableContext) -> str:
    if feed.current_at is None:
        return "being read for the first time"
    again = ", being read again from its first page" if feed.rereads else ""
    return f"up to date {format_duration(feed.lag(context.now))} ago{again}"
