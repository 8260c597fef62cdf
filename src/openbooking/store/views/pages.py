"""Pages of rows that are all in memory."""

from collections.abc import Iterable
from typing import TypeVar

from openbooking.booking.views import Page
from openbooking.store.views.cursor import Position, read_cursor, write_cursor

Row = TypeVar("Row")


def page_of(
    rows: Iterable[tuple[Position, Row]], after: str, limit: int, like: Position, *, descending: bool = False
) -> Page[Row]:
    """Return a page of rows, in the order of their positions.

    Args:
        rows: The rows, with their positions.
        after: The cursor of the page before.
        limit: The largest number of rows.
        like: An example of a position.
        descending: Whether the highest position comes first.

    Raises:
        InvalidCursorError: The cursor is not one of this list.
    """
    last = read_cursor(after, like) if after else None
    ordered = sorted(rows, key=lambda row: row[0], reverse=descending)
    if last is not None:
        ordered = [row for row in ordered if (row[0] < last if descending else row[0] > last)]
    shown = ordered[:limit]
    more = shown and len(ordered) > len(shown)
    return Page(tuple(row for _, row in shown), write_cursor(shown[-1][0]) if more else None)
