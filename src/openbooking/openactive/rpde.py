"""Feed pages in the format Realtime Paged Data Exchange 1.0 (RPDE), ordered by change number ("Ordering strategies").

A page ends after PAGE_SIZE items or PAGE_BYTES bytes. `web/api/feeds.py` serves the pages. The `modified` of an item is
its change number, an integer below 2**53, which every JSON reader reads exactly.
"""

from collections.abc import Sequence
from typing import Annotated, Generic, Literal, NamedTuple, TypeVar

import msgspec

from openbooking.openactive.messages.base import Uri
from openbooking.openactive.terms import LICENCE

PAGE_SIZE = 500
# Ordinary pages have up to 1 MB. The item that reaches this bound is the last item of its page. Every page therefore
# has at least one item, however large, and `is_full` can tell from the items whether the page was cut.
PAGE_BYTES = 2 * 2**20
MAX_CHANGE_NUMBER = 2**53 - 1

ChangeNumber = Annotated[int, msgspec.Meta(ge=0, le=MAX_CHANGE_NUMBER)]
Data = TypeVar("Data")


class Item(NamedTuple):
    """The current version of a feed item.

    Attributes:
        id: The id within the feed.
        kind: The RPDE `kind`.
        modified: The change number.
        data: The JSON-LD; None if the item is deleted.
    """

    id: str
    kind: str
    modified: int
    data: bytes | None


def is_full(items: Sequence[Item], limit: int = PAGE_SIZE, most_bytes: int = PAGE_BYTES) -> bool:
    """Return whether a page has reached its limit of items or of bytes of `data`. More items may then follow."""
    return len(items) >= limit or sum(len(item.data or b"") for item in items) >= most_bytes


class PageItem(msgspec.Struct, Generic[Data], gc=False):
    """An item of a page. An item that is deleted has no `data`."""

    state: Literal["updated", "deleted"]
    kind: str
    id: str
    modified: ChangeNumber
    data: Data | msgspec.UnsetType = msgspec.UNSET


class Page(msgspec.Struct, Generic[Data]):
    """A page of a feed. `next` is the URL of the next page; on the last page, which has no items, it stays the same."""

    next: Uri
    items: list[PageItem[Data]]
    license: Uri | msgspec.UnsetType = msgspec.UNSET


_encode = msgspec.json.Encoder().encode


def encode_page(url: str, requested_url: str, items: Sequence[Item], *, licensed: bool) -> bytes:
    """Return a page as JSON.

    Args:
        url: The URL of the feed, without parameters.
        requested_url: The URL of the request. The last page repeats this URL unchanged as its `next`.
        items: The items of the page; none on the last page.
        licensed: Whether the page states the licence of open data. Orders feeds do not (AMB-22).
    """
    next_url = f"{url}?afterChangeNumber={items[-1].modified}" if items else requested_url
    records: list[PageItem[msgspec.Raw]] = [
        PageItem("deleted", kind, id_, modified)
        if data is None
        else PageItem("updated", kind, id_, modified, msgspec.Raw(data))
        for id_, kind, modified, data in items
    ]
    return _encode(Page(next_url, records, LICENCE) if licensed else Page(next_url, records))
