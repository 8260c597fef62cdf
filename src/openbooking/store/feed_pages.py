"""Reads a page of a feed, which is limited in items and in bytes, and the change numbers of items.

The memory that a page takes is limited too. The first query returns items up to the limit in items, but leaves the data
of large items out. Nearly always no item is large, and the result is cut to the limit in bytes. If an item is large, a
second query sums the sizes of items in the database, and returns exactly the items of the page.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, LargeBinary, bindparam, case, func, literal_column, select

from openbooking.booking.store import Feed
from openbooking.openactive.rpde import Item
from openbooking.store.database import Procedure, Query
from openbooking.store.dialect import Dialect, Statement
from openbooking.store.schema import feed_item
from openbooking.store.statements import first

# How many bytes the first query returns at most, as a multiple of the limit in bytes.
_READ_AT_MOST = 4
# Stands for the data of a large item. The data of an item is never empty.
_WITHHELD = b""


class ChangeNumber(NamedTuple):
    """A row of `FeedPageStatements.change_numbers`."""

    id: str
    modified: int


class FeedPageStatements:
    """The statements. Each docstring lists the parameters and, after the arrow, the columns of the result."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    @cached_property
    def items(self) -> Statement:
        """:feed :partner :after :most :small :withheld → id, kind, modified, data.

        Data of more than `small` bytes is replaced by `withheld`. The database does not read such data, because it
        finds the length of the data in the row.
        """
        large = func.length(feed_item.c.data) > bindparam("small", type_=BigInteger)
        data = case((large, bindparam("withheld", type_=LargeBinary)), else_=feed_item.c.data)
        found = select(feed_item.c.id, feed_item.c.kind, feed_item.c.modified, data).where(*_of_feed())
        return self._dialect.compile(first(found.order_by(feed_item.c.modified)))

    @cached_property
    def large_items(self) -> Statement:
        """:feed :partner :after :most :most_bytes → id, kind, modified, data of items until they reach `most_bytes`."""
        length = func.coalesce(func.length(feed_item.c.data), literal_column("0")).label("length")
        sizes = first(select(feed_item.c.modified, length).where(*_of_feed()).order_by(feed_item.c.modified)).subquery()
        so_far = func.sum(sizes.c.length).over(order_by=sizes.c.modified, rows=(None, 0))
        summed = select(sizes.c.modified, (so_far - sizes.c.length).label("before")).subquery()
        not_reached = summed.c.before < bindparam("most_bytes", type_=BigInteger)
        last = select(func.max(summed.c.modified)).where(not_reached).scalar_subquery()
        found = select(feed_item.c.id, feed_item.c.kind, feed_item.c.modified, feed_item.c.data)
        of_page = found.where(*_of_feed(), feed_item.c.modified <= last)
        return self._dialect.compile(first(of_page.order_by(feed_item.c.modified)))

    @cached_property
    def change_numbers(self) -> Statement:
        """:feed :partner :ids → ChangeNumbers of the items that have one."""
        found = select(feed_item.c.id, feed_item.c.modified).where(
            feed_item.c.feed == bindparam("feed"),
            feed_item.c.partner == bindparam("partner"),
            self._dialect.among(feed_item.c.id, self._dialect.values("ids")),
            feed_item.c.modified.is_not(None),
        )
        return self._dialect.compile(found)


def feed_page(
    sql: FeedPageStatements, feed: Feed, after: int, limit: int, most_bytes: int
) -> Procedure[Sequence[Item]]:
    """Return the first items of a feed after a change number.

    The page ends with the item that reaches the limit of `limit` items or of `most_bytes` bytes.
    """
    asked = {"feed": feed.name, "partner": feed.partner, "after": after, "most": limit}
    small = _READ_AT_MOST * most_bytes // limit
    rows = yield Query(sql.items, {**asked, "small": small, "withheld": _WITHHELD})
    items = list(map(Item._make, rows))
    size = 0
    for number, item in enumerate(items, 1):
        data = item.data
        if data == _WITHHELD:
            rows = yield Query(sql.large_items, {**asked, "most_bytes": most_bytes})
            return list(map(Item._make, rows))
        if data:
            size += len(data)
        if size >= most_bytes:
            return items[:number]
    return items


def _of_feed() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the items of the feed with change numbers above :after."""
    return (
        feed_item.c.feed == bindparam("feed"),
        feed_item.c.partner == bindparam("partner"),
        feed_item.c.modified > bindparam("after"),
    )
