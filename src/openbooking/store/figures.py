"""Figures for metrics and `/readyz`: the number of Leases, how far feeds have been read, the revision of the schema."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import bindparam, distinct, func, literal_column, select

from openbooking.booking.store import Feed, Figures
from openbooking.store.database import Procedure, Query
from openbooking.store.dialect import Dialect, Statement
from openbooking.store.documents import instant, microseconds
from openbooking.store.schema import check_revision, claim, feed_item, version


class OldestUnread(NamedTuple):
    """A row of `FigureStatements.oldest_unread`."""

    feed: str
    partner: str
    changed_at: int | None


class FigureStatements:
    """The statements, each with an index for the rows that it counts.

    Each docstring lists the parameters and, after the arrow, the columns of the result.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    @cached_property
    def revision(self) -> Statement:
        """→ the revision of the schema."""
        return self._dialect.compile(select(version.c.version_num))

    @cached_property
    def leases(self) -> Statement:
        """:now → the number of Leases that have not ended, the number of Leases that have ended."""
        lease = distinct(claim.c.partner + literal_column("' '") + claim.c.uuid)
        live = claim.c.expires > bindparam("now")
        counts = (func.count(lease).filter(live), func.count(lease).filter(~live))
        held = claim.c.expires.is_not(None) & (claim.c.places > literal_column("0"))
        return self._dialect.compile(select(*counts).where(held))

    @cached_property
    def oldest_unread(self) -> Statement:
        """:positions → feed, partner, when the first item after the position changed, or null if there is no item."""
        position = self._dialect.positions()
        unread = select(feed_item.c.changed_at).where(
            feed_item.c.feed == position.c.feed,
            feed_item.c.partner == position.c.partner,
            feed_item.c.modified > position.c.after,
        )
        first = unread.order_by(feed_item.c.modified).limit(literal_column("1")).offset(literal_column("0"))
        found = select(position.c.feed, position.c.partner, first.correlate(position).scalar_subquery())
        return self._dialect.compile(found)


def check_schema(sql: FigureStatements) -> Procedure[None]:
    """Raise StoreUnavailableError unless the database has the schema of this version."""
    ((revision,),) = yield Query(sql.revision, {})
    check_revision(revision)


def read_figures(sql: FigureStatements, read: Mapping[Feed, int], now: datetime) -> Procedure[Figures]:
    """Return the number of Leases, and when the oldest unread item of each feed changed.

    Args:
        sql: The statements.
        read: The change number up to which each feed has been read.
        now: The current time.
    """
    ((live, ended),) = yield Query(sql.leases, {"now": microseconds(now)})
    positions = [(*feed, after) for feed, after in read.items()]
    arrays = {
        "feeds": [feed for feed, _, _ in positions],
        "partners": [partner for _, partner, _ in positions],
        "afters": [after for _, _, after in positions],
    }
    unread = yield Query(sql.oldest_unread, {"positions": positions, **arrays})
    oldest = {Feed(each.feed, each.partner): each.changed_at for each in map(OldestUnread._make, unread)}
    return Figures(live, ended, {feed: None if at is None else instant(at) for feed, at in oldest.items()})
