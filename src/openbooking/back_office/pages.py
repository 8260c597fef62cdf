"""Reading of views: lists to their ends, and each occurrence once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from openbooking.booking.views import Occurrence, Page, SellerViews

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


class OccurrencesOnce:
    """Reads each occurrence of a Seller once, for a page whose rows name the same occurrences.

    Args:
        views: The views of the Seller.
    """

    def __init__(self, views: SellerViews) -> None:
        self._views = views
        self._known: dict[str, Occurrence | None] = {}

    async def occurrence(self, path: str) -> Occurrence | None:
        """Return an occurrence; None if the Seller has no such occurrence."""
        if path not in self._known:
            self._known[path] = await self._views.occurrence(path)
        return self._known[path]
