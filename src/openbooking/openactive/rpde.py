"""Realtime Paged Data Exchange 1.0: items and pages as bytes, with the change-number strategy ("Ordering strategies").

`modified` is the item's change number, an integer below 2**53 so that it is exact in every JSON reader.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from openbooking.openactive.terms import LICENCE

PAGE_SIZE = 500
# Ordinary pages have up to 1 MB. A page ends with the item that reaches this bound. So every page makes progress,
# however large an item is, and the items of a page show whether it was cut.
PAGE_BYTES = 2 * 2**20
MAX_CHANGE_NUMBER = 2**53 - 1


class Item(NamedTuple):
    """The current version of a feed item.

    Attributes:
        id: Its id within the feed.
        kind: Its RPDE `kind`.
        modified: Its change number.
        data: Its JSON-LD; None if the item is deleted.
    """

    id: str
    kind: str
    modified: int
    data: bytes | None


def is_full(items: Sequence[Item], limit: int = PAGE_SIZE, most_bytes: int = PAGE_BYTES) -> bool:
    """Return whether a page has reached its limit of items or of bytes of `data`, so that more items may follow."""
    return len(items) >= limit or sum(len(item.data or b"") for item in items) >= most_bytes


class _Record(msgspec.Struct, gc=False):
    """An item as JSON ("item")."""

    state: str
    kind: str
    id: str
    modified: int
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Page(msgspec.Struct):
    """A page as JSON ("Response grammar")."""

    next: str
    items: list[_Record]
    license: str | msgspec.UnsetType = msgspec.UNSET


_encode = msgspec.json.Encoder().encode


def encode_page(url: str, requested_url: str, items: Sequence[Item], *, licensed: bool) -> bytes:
    """Return a page as JSON.

    Args:
        url: The URL of the feed, without parameters.
        requested_url: The URL of the request, which is the `next` of the last page, unchanged.
        items: The items of the page; none on the last page.
        licensed: Whether the page states the licence of open data. Orders feeds do not (AMB-22).
    """
    next_url = f"{url}?afterChangeNumber={items[-1].modified}" if items else requested_url
    records = [
        _Record("deleted", kind, id_, modified)
        if data is None
        else _Record("updated", kind, id_, modified, msgspec.Raw(data))
        for id_, kind, modified, data in items
    ]
    return _encode(_Page(next_url, records, LICENCE) if licensed else _Page(next_url, records))
