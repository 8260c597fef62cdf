"""Change numbers of feed items.

A harvester that has read a number never reads below it again, so no number may be committed after a higher one could be
read. If only one transaction writes at a time, it takes its numbers itself. If several do, they write feed items
without numbers, and a separate short transaction numbers the committed items. It locks the row of the counter until it
commits, so such transactions follow one another: when the numbers of one are visible, all lower numbers are too.

Numbers are never below the milliseconds since 1970, so changes after a restore from a backup get higher numbers than
harvesters have read. Changes between the backup and the restore are lost, and harvesters would keep them, so after a
restore every item gets a new number.
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

MODIFIED = counter.c.name == literal_column("'modified'")
ITEMS_PER_TRANSACTION = 1000
# How long a reader of a feed waits for items to be numbered.
_NUMBERING_SECONDS = 1.0


class FeedItemKey(NamedTuple):
    """The key of an item among the items of all feeds."""

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
    """The statements; each docstring lists the parameters and, after the arrow, the columns of the result."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.one_writer = dialect.one_writer

    @cached_property
    def pending_feed_items(self) -> Statement:
        """→ a row if a feed item has no number yet."""
        waiting: Select[Any] = select(literal_column("1")).where(feed_item.c.modified.is_(None))
        return self._dialect.compile(select(literal_column("1")).where(waiting.exists()))

    @cached_property
    def last_number(self) -> Statement:
        """→ the last change number, locked until the transaction ends."""
        return self._dialect.compile(select(counter.c.value).where(MODIFIED).with_for_update())

    @cached_property
    def set_last_number(self) -> Statement:
        """:number."""
        return self._dialect.compile(update(counter).where(MODIFIED).values(value=bindparam("number")))

    @cached_property
    def number_feed_items(self) -> Statement:
        """:last :most → the numbers after `last` that items without one were given.

        Items that another transaction is changing are skipped: they will wait for a number again. The others are
        locked, so that their addresses do not change.
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
        """:last :feed :partner :id :most → feed, partner, id and new number of the first items after that key."""
        keys = feed_item.primary_key.columns.values()
        after = tuple_(*keys) > tuple_(*(bindparam(key.name, type_=key.type) for key in keys))
        chosen = first(select(*keys).where(after).order_by(*keys)).subquery("chosen")
        in_order = func.row_number().over(order_by=chosen.c.values())
        numbered = select(*chosen.c.values(), in_order.label("number")).subquery("numbered")
        found = update(feed_item).where(*(key == numbered.c[key.name] for key in keys))
        given = found.values(modified=bindparam("last") + numbered.c.number)
        return self._dialect.compile(given.returning(*keys, feed_item.c.modified))


def take_numbers(sql: NumberingStatements, count: int, now: datetime) -> Procedure[Iterable[int | None]]:
    """Take numbers for `count` feed items of a batch; each is None if items get their numbers after the commit."""
    if not sql.one_writer or not count:
        return (None,) * count
    last = yield from _last(sql, now)
    yield Query(sql.set_last_number, {"number": last + count})
    return range(last + 1, last + count + 1)


def number_pending(sql: NumberingStatements, now: datetime) -> Procedure[bool]:
    """Number committed feed items without a number; return whether there may be more of them."""
    last = yield from _last(sql, now)
    given = yield Query(sql.number_feed_items, {"last": last, "most": ITEMS_PER_TRANSACTION})
    if given:
        yield Query(sql.set_last_number, {"number": max(number for (number,) in given)})
    return len(given) == ITEMS_PER_TRANSACTION


def raise_last_number(sql: NumberingStatements, number: int, now: datetime) -> Procedure[None]:
    """Make all later numbers higher than this one."""
    last = yield from _last(sql, now)
    yield Query(sql.set_last_number, {"number": max(last, number)})


def renumber(sql: NumberingStatements, after: FeedItemKey, now: datetime) -> Procedure[list[FeedItemKey]]:
    """Give new numbers to the first items after a key, of any feed; return the keys of these items."""
    last = yield from _last(sql, now)
    asked = {"last": last, "most": ITEMS_PER_TRANSACTION, **after._asdict()}
    items = [NumberedItem._make(row) for row in (yield Query(sql.renumber_feed_items, asked))]
    if items:
        yield Query(sql.set_last_number, {"number": max(item.number for item in items)})
    return [FeedItemKey(item.feed, item.partner, item.id) for item in items]


def _last(sql: NumberingStatements, now: datetime) -> Procedure[int]:
    ((last,),) = yield Query(sql.last_number, {})
    return max(int(last), microseconds(now) // 1000)


class DeferredNumbering:
    """Numbers committed feed items, where several transactions write at a time.

    An item that a harvester has read must not be lost in a failover. So items get their numbers only after the database
    has confirmed that a synchronous standby, if there is one, has them.
    """

    def __init__(self, database: Database, sql: NumberingStatements, clock: Clock) -> None:
        self._database = database
        self._sql = sql
        self._clock = clock
        self._lock = asyncio.Lock()
        self._rounds = 0

    async def number_pending(self) -> bool:
        """Number the items that wait for a number, whichever process has written them; return whether there were any.

        Concurrent callers share the next round.

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
