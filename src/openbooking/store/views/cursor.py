"""Cursors: where a page ended, as a text that callers pass back."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

import msgspec

from openbooking.booking.views import InvalidCursorError

# The position of a row in its list. Its members have the same types in all rows of a list.
Position = tuple[int | str, ...]

_LARGEST = 2**63
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
    if list(map(type, found)) != list(map(type, like)) or any(not 0 <= n < _LARGEST for n in numbers):
        raise InvalidCursorError(cursor)
    if any("\0" in text for text in texts):
        raise InvalidCursorError(cursor)
    return tuple(found)
