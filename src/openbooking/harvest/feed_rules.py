"""The RPDE rules for the pages of a feed that `openbooking feed verify` checks.

`harvest.reader` reads pages that break these rules, too.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec

from openbooking.harvest.documents import DocumentError, parse
from openbooking.harvest.reader import Received
from openbooking.openactive.web_addresses import is_web_address

_SHOWN = 80

_decode = msgspec.json.Decoder().decode


class Position(NamedTuple):
    """The position of an item in its feed: `modified` and `id`. Several items may share a `modified`."""

    modified: Any
    id: str


class FeedRules:
    """Checks the pages of one feed, in the order of the feed.

    Attributes:
        last: The position of the last item so far.
    """

    def __init__(self) -> None:
        self.last = Position(0, "")

    def check(self, received: Received) -> Iterator[str]:
        """Yield a line for each fault of a page. Call this for the pages in the order of the feed."""
        url, page, following = received.url, received.page, received.following
        if not page.is_rpde:
            yield f"{url} has no items: it is no page of a feed"
            return
        by_time = "afterTimestamp" in _query(following)
        for item in page.items:
            for line in self._check_item(item, by_time=by_time):
                yield f"{url}: {line}"
        # The reader reports a missing next.
        if not following:
            return
        # OB-FEED-12
        if not is_web_address(str(page.next)):
            yield f"{url} has a next that is not absolute: {page.next}"
        if page.items:
            yield from self._check_next(url, following)
        elif not received.at_end:
            yield from _check_progress(received.found_at, following)

    def _check_item(self, raw: msgspec.Raw, *, by_time: bool) -> Iterator[str]:
        """Yield the faults of an item. `by_time`: the feed orders items by time and id, not by change number."""
        try:
            item = parse(_decode, raw)
        except DocumentError as fault:
            yield f"an item cannot be read: {fault}"
            return
        wrong = list(_check_envelope(item))
        if wrong:
            yield from wrong
            return
        position = Position(item["modified"], str(item["id"]))
        before, here = (self.last, position) if by_time else (self.last[:1], position[:1])
        if before[0] != 0 and not _is_after(here, before):
            yield f"{position.id} at {position.modified} comes after {self.last.modified}"
        self.last = position

    def _check_next(self, url: str, following: str) -> Iterator[str]:
        """Check that the next page begins after the last item of this page (OB-FEED-23)."""
        named = _position(following)
        if named is None:
            yield f"{url} has a next that names no position: {following}"
        elif named.modified != str(self.last.modified):
            yield f"{url} ends at {self.last.modified}, but its next begins after {named.modified}"


def _check_envelope(item: Any) -> Iterator[str]:
    """Check that an item has an id, a kind, a state and a number, and data unless it is deleted (OB-FEED-20)."""
    if not isinstance(item, dict) or not {"id", "kind", "state", "modified"} <= item.keys():
        yield f"an item without id, kind, state or modified: {str(item)[:_SHOWN]}"
    elif item["state"] not in ("updated", "deleted"):
        yield f"{item['id']} has the state {item['state']}"
    elif (item["state"] == "updated") is not isinstance(item.get("data"), dict):
        yield f"{item['id']} is {item['state']} and has {'' if item.get('data') else 'no '}data"


def _check_progress(url: str, following: str) -> Iterator[str]:
    """Check that a page without items has a `next` at a later position (OB-FEED-17, OB-FEED-34)."""
    here, there = _position(url), _position(following)
    if there is None:
        yield f"{url} has no items, but its next is {following}, which names no position"
    elif here is not None and not _is_after(_numbers(there), _numbers(here)):
        yield f"{url} has no items, but its next is {following}, which is no later position"


def _is_after(here: tuple[Any, ...], before: tuple[Any, ...]) -> bool:
    try:
        return here > before
    except TypeError:
        return str(here) > str(before)


def _position(url: str) -> Position | None:
    """Return the position after which a page begins, from the URL of the page; None if the URL has none."""
    query = _query(url)
    modified = query.get("afterChangeNumber", query.get("afterTimestamp"))
    return Position(modified[-1], query.get("afterId", [""])[-1]) if modified else None


def _numbers(position: Position) -> tuple[Any, ...]:
    """Return a position for comparison: `modified` is a number if possible, and the id is text, as in RPDE."""
    modified = position.modified
    is_number = modified.isascii() and modified.isdigit() and len(modified) < len("9" * 100)
    return int(modified) if is_number else modified, position.id


def _query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)
