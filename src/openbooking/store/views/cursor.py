"""Cursors: where a page ended, as a text that callers pass back."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from openbooking.booking.views import InvalidCursorError

# The position of a row in its list. Its members have the same types in all rows of a list.
Position = tuple[int | str, ...]


class PageRequest(NamedTuple):
    """Which page of a list is read: that after a cursor, with at most so many rows."""

    after: str
    limit: int


class Period(NamedTuple):
    """The time from `since` to before `until`."""

    since: datetime
    until: datetime


# The largest number in a position; the latest instant is before it.
LARGEST = 2**62
_decode = msgspec.json.Decoder(list[int | str]).decode


def write_cursor(position: Sequence[int | str]) -> str:
    """Return the cursor of a position."""
    return urlsafe_b64encode(msgspec.json.encode(list(position))).decode().rstrip("=")


def read_cursor(cursor: str, like: Position) -> Position:
    """Return the position of a cursor.

    Args:
        cursor: The cursor.
        like: The members of the position must have the types of these.

    Raises:
        InvalidCursorError: It is no cursor of such a position.
    """
    try:
        found = _decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, msgspec.DecodeError) as fault:
        raise InvalidCursorError(cursor) from fault
    numbers = [member for member in found if isinstance(member, int)]
    texts = [member for member in found if isinstance(member, str)]
    if list(map(type, found)) != list(map(type, like)) or any(not 0 <= n <= LARGEST for n in numbers):
        raise InvalidCursorError(cursor)
    if any("\0" in text for text in texts):
        raise InvalidCursorError(cursor)
    return tuple(found)
