"""Realtime Paged Data Exchange 1.0: items and pages as bytes, with the change-number strategy ("Ordering strategies").

`modified` is the item's change number, an integer below 2**53 so that it is exact in every JSON reader.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from openbooking.spec.terms import LICENCE

PAGE_SIZE = 500
MAX_CHANGE_NUMBER = 2**53 - 1


class Item(NamedTuple):
    """One record of a feed as it stands now; `data` is its JSON-LD, or None where the record is deleted."""

    id: str
    kind: str
    modified: int
    data: bytes | None


def _quote(text: str) -> bytes:
    return msgspec.json.encode(text)


def encode_item(item: Item) -> bytes:
    """The RPDE item as JSON ("item")."""
    state = b"deleted" if item.data is None else b"updated"
    head = b'{"state":"%b","kind":%b,"id":%b,"modified":%d' % (state, _quote(item.kind), _quote(item.id), item.modified)
    return head + b"}" if item.data is None else head + b',"data":' + item.data + b"}"


def encode_page(url: str, requested_url: str, items: Sequence[Item], *, licensed: bool) -> bytes:
    """A page as JSON ("Response grammar").

    `url` is the feed without parameters. On the last page `next` is the requested URL to the letter. Orders feeds
    carry no licence (AMB-22).
    """
    next_url = f"{url}?afterChangeNumber={items[-1].modified}" if items else requested_url
    body = b'{"next":%b,"items":[%b]' % (_quote(next_url), b",".join(encode_item(item) for item in items))
    return body + b',"license":%b}' % _quote(LICENCE) if licensed else body + b"}"
