"""Realtime Paged Data Exchange 1.0: items and pages as bytes, with the change-number strategy ("Ordering strategies").

`modified` is the item's change number, an integer below 2**53 so that it is exact in every JSON reader.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from openbooking.openactive.terms import LICENCE

PAGE_SIZE = 500
# Ordinary pages have up to 1 MB. The bound is met by the item with which a page reaches it, so that every page makes
# progress, however large an item is, and so that it can be told from its items whether a page was cut.
PAGE_BYTES = 2 * 2**20
MAX_CHANGE_NUMBER = 2**53 - 1


class Item(NamedTuple):
    """One record of a feed as it stands now; `data` is its JSON-LD, or None where the record is deleted."""

    id: str
    kind: str
    modified: int
    data: bytes | None


def is_full(items: Sequence[Item], limit: int = PAGE_SIZE, most_bytes: int = PAGE_BYTES) -> bool:
    """Whether a page ends where it does because it has as many items, or bytes of `data`, as a page may have."""
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
    """A page as JSON.

    `url` is the feed without parameters. On the last page `next` is the requested URL to the letter. Orders feeds
    carry no licence (AMB-22).
    """
    next_url = f"{url}?afterChangeNumber={items[-1].modified}" if items else requested_url
    records = [
        _Record("deleted", kind, id_, modified)
        if data is None
        else _Record("updated", kind, id_, modified, msgspec.Raw(data))
        for id_, kind, modified, data in items
    ]
    return _encode(_Page(next_url, records, LICENCE) if licensed else _Page(next_url, records))
