"""Change numbers of feed items.

A reader who has seen a number never looks below it again, so a number must not be committed after a higher one has
been read. Where only one transaction writes at a time, it takes its numbers itself. Where several do, it leaves its
feed items without, and numbers are given to committed items by a separate short transaction. It holds the row of the
counter until it has committed, so these transactions follow one another: when one of them is visible, all numbers
below its own are.

Numbers are never below the milliseconds since 1970, so that a database restored from a backup continues above what
harvesters have seen of it since.
"""

from collections.abc import Iterable
from datetime import datetime

from openbooking.store.documents import microseconds
from openbooking.store.exchange import Exchange, Query
from openbooking.store.statements import Statements

AT_ONCE = 1000


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


def _last(sql: Statements, now: datetime) -> Exchange[int]:
    ((last,),) = yield Query(sql.last_number, {})
    return max(int(last), microseconds(now) // 1000)
