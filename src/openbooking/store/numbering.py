"""Gives change numbers to feed items: on SQLite before the commit (`take_numbers`), on PostgreSQL after it.

A harvester that has read a change number never reads lower numbers again. So a number must not become visible after a
higher number. How that is ensured depends on the database:

- SQLite runs one write transaction at a time. The transaction that writes feed items takes their numbers
  (`take_numbers`).
- PostgreSQL runs several write transactions at a time. They write feed items without numbers. After they have
  committed, a separate short transaction numbers the items (`DeferredNumbering`, `number_pending`). It locks the row of
  the counter until it commits, so numbering transactions run one after the other. When the numbers of one transaction
  become visible, all lower numbers are visible already.

A new number is at least the current time in milliseconds since 1970. So changes after a restore from a backup get
higher numbers than harvesters have read. A restore loses the changes that were made after the backup, but harvesters
still have them. So every item gets a new number after a restore (`renumber`), and harvesters read all items again.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property, partial
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, func, literal_column, select, tuple_, update

from openbooking.clock import Clock
from openbooking.store.database import Database, Procedure, Query, ask
from openbooking.store.dialect import Dialect, Statement
from openbooking.store.documents import microseconds
from openbooking.store.schema import counter, feed_item
from openbooking.store.statements import first

# The row of the counter that holds the last change number.
MODIFIED = counter.c.name == literal_column("'modified'")
ITEMS_PER_TRANSACTION = 1000
# How long a reader of a feed waits for the standby, and again for the numbers to be written.
_NUMBERING_SECONDS = 1.0


class FeedItemKey(NamedTuple):
    """The key of a feed item, in all feeds."""

    feed: str = ""
    partner: str = ""
    id: str = ""


class NumberedItem(NamedTuple):
    """A row of `NumberingStatements.renumber_feed_items`."""

    feed: str
    partner: str
    id: str
    number: int


class NumberingStatements:
    """The statements. Each docstring lists the parameters and, after the arrow, the columns of the result."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.one_writer = dialect.one_writer

    @cached_property
    def pending_feed_items(self) -> Statement:
        """→ one row if any feed item has no number yet, otherwise none."""
        waiting: Select[Any] = select(literal_column("1")).where(feed_item.c.modified.is_(None))
        return self._dialect.compile(select(literal_column("1")).where(waiting.exists()))

    @cached_property
    def last_number(self) -> Statement:
        """→ the last change number. The row of the counter is locked until the transaction ends."""
        return self._dialect.compile(select(counter.c.value).where(MODIFIED).with_for_update())

    @cached_property
    def set_last_number(self) -> Statement:
        """:number → nothing. Sets the last change number."""
        return self._dialect.compile(update(counter).where(MODIFIED).values(value=bindparam("number")))

    @cached_property
    def number_feed_items(self) -> Statement:
        """:last :most → the new numbers, all above `last`, of items that had no number.

        Items that another transaction is changing are skipped: that transaction writes them without a number, so a
        later call numbers them. The other items are locked, so that their row addresses do not change.
        """
        place = self._dialect.row_address(feed_item)
        waiting = select(place.label("place"), feed_item.c.changed_at).where(feed_item.c.modified.is_(None))
        chosen = first(waiting.order_by(feed_item.c.changed_at)).with_for_update(skip_locked=True).cte("chosen")
        in_order = func.row_number().over(order_by=chosen.c.changed_at)
        numbered = select(chosen.c.place, in_order.label("number")).subquery("numbered")
        found = update(feed_item).where(place == numbered.c.place)
        given = found.values(modified=bindparam("last") + numbered.c.number)
        return self._dialect.compile(given.returning(feed_item.c.modified))

    @cached_property
    def renumber_feed_items(self) -> Statement:
        """:last :feed :partner :id :most → feed, partner, id, new number of the first items after that key."""
        keys = feed_item.primary_key.columns.values()
        after = tuple_(*keys) > tuple_(*(bindparam(key.name, type_=key.type) for key in keys))
        chosen = first(select(*keys).where(after).order_by(*keys)).subquery("chosen")
        in_order = func.row_number().over(order_by=chosen.c.values())
        numbered = select(*chosen.c.values(), in_order.label("number")).subquery("numbered")
        found = update(feed_item).where(*(key == numbered.c[key.name] for key in keys))
        given = found.values(modified=bindparam("last") + numbered.c.number)
        return self._dialect.compile(given.returning(*keys, feed_item.c.modified))


def take_numbers(sql: NumberingStatements, count: int, now: datetime) -> Procedure[Iterable[int | None]]:
    """Return change numbers for the feed items that a batch writes, and raise the counter by as many.

    All are None if the database numbers feed items after the commit.

    Args:
        sql: The statements.
        count: How many feed items there are.
        now: The current time.
    """
    if not sql.one_writer or not count:
        return (None,) * count
    last = yield from _lock_counter(sql, now)
    yield Query(sql.set_last_number, {"number": last + count})
    return range(last + 1, last + count + 1)


def number_pending(sql: NumberingStatements, now: datetime) -> Procedure[bool]:
    """Give numbers to committed feed items that have none; return whether more such items may be left."""
    last = yield from _lock_counter(sql, now)
    given = yield Query(sql.number_feed_items, {"last": last, "most": ITEMS_PER_TRANSACTION})
    if given:
        yield Query(sql.set_last_number, {"number": max(number for (number,) in given)})
    return len(given) == ITEMS_PER_TRANSACTION


def raise_last_number(sql: NumberingStatements, number: int, now: datetime) -> Procedure[None]:
    """Raise the counter to `number`, so that all later change numbers are higher."""
    last = yield from _lock_counter(sql, now)
    yield Query(sql.set_last_number, {"number": max(last, number)})


def renumber(sql: NumberingStatements, after: FeedItemKey, now: datetime) -> Procedure[list[FeedItemKey]]:
    """Give new numbers to the next items of all feeds; return the keys of these items.

    Args:
        sql: The statements.
        after: The key of the last item that has its new number.
        now: The current time.
    """
    last = yield from _lock_counter(sql, now)
    asked = {"last": last, "most": ITEMS_PER_TRANSACTION, **after._asdict()}
    items = [NumberedItem._make(row) for row in (yield Query(sql.renumber_feed_items, asked))]
    if items:
        yield Query(sql.set_last_number, {"number": max(item.number for item in items)})
    return [FeedItemKey(item.feed, item.partner, item.id) for item in items]


def _lock_counter(sql: NumberingStatements, now: datetime) -> Procedure[int]:
    """Lock the counter; return the last change number, or the current milliseconds since 1970 if they are higher."""
    ((last,),) = yield Query(sql.last_number, {})
    return max(int(last), microseconds(now) // 1000)


class DeferredNumbering:
    """Numbers committed feed items on databases where several transactions write at a time.

    A failover must not lose an item that a harvester has read. So items get their numbers only after the synchronous
    standby, if there is one, has them.
    """

    def __init__(self, database: Database, sql: NumberingStatements, clock: Clock) -> None:
        self._database = database
        self._sql = sql
        self._clock = clock
        self._lock = asyncio.Lock()
        self._rounds = 0

    async def number_pending(self) -> bool:
        """Number the items of all processes that have no number; return whether there were any.

        Concurrent callers share the next transaction.

        Raises:
            StoreUnavailableError: The standby did not confirm within a second, or the numbers could not be written in
                another second.
        """
        if not await self._database.read(partial(ask, self._sql.pending_feed_items)):
            return False
        loop = asyncio.get_running_loop()
        await self._database.confirm(loop.time() + _NUMBERING_SECONDS)
        current_round = self._rounds
        async with self._lock:
            if self._rounds == current_round:
                self._rounds += 1
                while await self._database.write(
                    lambda: number_pending(self._sql, self._clock()),
                    brief=True,
                    until=loop.time() + _NUMBERING_SECONDS,
                ):
                    pass
        return True
