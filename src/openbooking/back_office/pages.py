"""Reading of the lists of views to their ends."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from openbooking.booking.views import Page

Row = TypeVar("Row")


async def read_rows(view: Callable[[str], Awaitable[Page[Row]]]) -> AsyncIterator[Row]:
    """Yield each row of a list, page by page.

    Args:
        view: Returns the page after a cursor.
    """
    cursor: str | None = ""
    while cursor is not None:
        page = await view(cursor)
        for row in page.rows:
            yield row
        cursor = page.next
