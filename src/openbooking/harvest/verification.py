"""Verification of a feed for `openbooking feed verify`: read to its end, checked, and compared with the database."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from openbooking.harvest.client import HarvestOptions, harvest, sync_client
from openbooking.harvest.copy import Copy, CopyError
from openbooking.harvest.feed_rules import FeedRules
from openbooking.harvest.reader import End
from openbooking.harvest.urls import LinkError
from openbooking.openactive.rpde import Item
from openbooking.user_error import UserError

_OPTIONS = HarvestOptions(documents=True)

Tell = Callable[[str], None]


class UnreadableFeedError(UserError):
    """The first page of a feed cannot be read."""


class Verdict(NamedTuple):
    """The result of a verification: the numbers of items, pages and faults of a feed."""

    url: str
    items: int
    pages: int
    faults: int


class _Shown(msgspec.Struct):
    """The parts of an item in the feed that are compared with the database."""

    modified: object = None
    data: msgspec.Raw = msgspec.Raw(b"null")


_decode = msgspec.json.Decoder().decode
_decode_shown = msgspec.json.Decoder(_Shown).decode


def verify_feed(url: str, tell: Tell) -> Verdict:
    """Read a feed of any system to its end, and check it.

    Args:
        url: The URL of the feed.
        tell: Receives a line for each fault.

    Raises:
        UnreadableFeedError: The first page cannot be read.
    """
    with Copy() as copy:
        return Verification(url, copy, tell).verdict()


class Verification:
    """The verification of one feed, which is read into a copy.

    Args:
        url: The URL of the feed.
        copy: An empty copy.
        tell: Receives a line for each fault.

    Raises:
        UnreadableFeedError: The first page cannot be read.
    """

    def __init__(self, url: str, copy: Copy, tell: Tell) -> None:
        self._url = url
        self._copy = copy
        self._tell = tell
        self._rules = FeedRules()
        self._pages = self._faults = self._unshown = 0
        try:
            self._harvest()
        except (CopyError, LinkError) as fault:
            raise UnreadableFeedError(f"{url} cannot be read: {fault}") from fault
        self._items = len(copy)

    def verdict(self) -> Verdict:
        """Return the numbers of items, pages and faults so far."""
        return Verdict(self._url, self._items, self._pages, self._faults)

    def compare(self, stored: Iterable[Item]) -> None:
        """Compare items of the database with the copy, and remove them from the copy.

        An item that changed in the database after the feed was read is no fault.

        Args:
            stored: Items of the database, in the order of the feed. They may be passed in several calls.
        """
        for item in stored:
            self._unshown += item.data is not None
            self._compare_item(item)

    def finish_comparison(self) -> None:
        """Report the items that are left in the copy. Call this after all items of the database have been compared."""
        if not self._items and self._unshown:
            self._report(f"{self._url} shows no items, but there are {self._unshown:,} in the database")
        for shown in self._copy.items():
            if not shown.deleted:
                self._report(f"{shown.id} is shown and not in the database")

    def _harvest(self) -> None:
        with sync_client() as client:
            for step in harvest(self._url, self._copy, client, _OPTIONS):
                if not isinstance(step, End):
                    self._pages += 1
                    for line in self._rules.check(step):
                        self._report(line)
                elif step.fault and not self._pages:
                    raise UnreadableFeedError(f"{self._url} cannot be read: {step.fault}")
                elif step.fault:
                    self._report(f"{step.url} does not lead to the end of the feed: {step.fault}")
        for id_ in self._copy.shared_ids():
            self._report(f"{id_} is the id of items of several kinds")

    def _compare_item(self, item: Item) -> None:
        copied = self._copy.take(item.id, item.kind)
        shown = _decode_shown(copied.content) if copied else None
        as_shown = shown and (shown.modified, _decode(shown.data))
        stored = item.modified, None if item.data is None else _decode(item.data)
        if item.modified <= self._rules.last.modified and as_shown != stored:
            how = "shown otherwise" if shown else "not shown"
            self._report(f"{item.id}, changed at {item.modified}, is {how}")

    def _report(self, line: str) -> None:
        self._faults += 1
        self._tell(line)
