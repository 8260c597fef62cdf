"""Change numbers of feed items.

A reader who has seen a number never looks below it again, so a number must not be committed after a higher one has
been read. Where only one transaction writes at a time, it takes its numbers itself. Where several do, it leaves its
feed items without, and numbers are given to committed items by a separate short transaction. It holds the row of the
counter until it has committed, so these transactions follow one another: when one of them is visible, all numbers
below its own are.

Numbers are never below the milliseconds since 1970, so that what changes after a restore from a backup is above what
harvesters have seen. What had changed between the backup and the restore they have seen otherwise than it is now, and
would not look at again: so after a restore every item is given a new number.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from openbooking.store.database import Exchange, Query
from openbooking.store.documents import microseconds
from openbooking.store.statements import Statements

AT_ONCE = 1000


class FeedItemKey(NamedTuple):
    """What identifies an item among those of all feeds."""

    feed: str = ""
    partner: str = ""
    id: str = ""


def numbers(sql: Statements, count: int, now: datetime) -> Exchange[Iterable[int | None]]:
    """The numbers of so many feed items that a batch is about to write; None where they wait for theirs."""
    if not sql.one_writer or not count:
        return (None,) * count
    last = yield from _last(sql, now)
    yield Query(sql.set_last_number, {"number": last + count})
    return range(last + 1, last + count + 1)


def number_pending(sql: Statements, now: datetime) -> Exchange[bool]:
    """Give numbers to committed feed items that wait for theirs; tell whether there may be more of them."""
    last = yield from _last(sql, now)
    given = yield Query(sql.number_feed_items, {"last": last, "most": AT_ONCE})
    if given:
        yield Query(sql.set_last_number, {"number": max(number for (number,) in given)})
    return len(given) == AT_ONCE


def set_at_least(sql: Statements, number: int, now: datetime) -> Exchange[None]:
    """Let no number be given from now on that is not above this one."""
    last = yield from _last(sql, now)
    yield Query(sql.set_last_number, {"number": max(last, number)})


def renumber(sql: Statements, after: FeedItemKey, now: datetime) -> Exchange[list[FeedItemKey]]:
    """Give new numbers to the first items, of whatever feed, whose keys come after this one; tell which they are."""
    last = yield from _last(sql, now)
    given = yield Query(sql.renumber_feed_items, {"last": last, "most": AT_ONCE, **after._asdict()})
    if given:
        yield Query(sql.set_last_number, {"number": max(number for *_, number in given)})
    return [FeedItemKey(*key) for *key, _ in given]


def _last(sql: Statements, now: datetime) -> Exchange[int]:
    ((last,),) = yield Query(sql.last_number, {})
    return max(int(last), microseconds(now) // 1000)
