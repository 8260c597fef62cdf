"""The work of `openbooking feed verify`: harvest, check, and compare with the database."""

import asyncio
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from openbooking.booking.store import Feed
from openbooking.cli.faults import CommandError
from openbooking.cli.feed_rules import FeedRules
from openbooking.harvest.client import HarvestOptions, harvest, sync_client
from openbooking.harvest.copy import Copy, CopyError
from openbooking.harvest.reader import End
from openbooking.harvest.urls import LinkError
from openbooking.settings import Settings
from openbooking.spec.rpde import PAGE_SIZE, Item
from openbooking.spec.terms import OpportunityType
from openbooking.system import open_store
from openbooking.web.feeds import FEEDS_PATH

_OPTIONS = HarvestOptions(documents=True)

Tell = Callable[[str], None]


class Verdict(NamedTuple):
    """What was found: how many items the feed has, on how many pages, with how many faults."""

    url: str
    items: int
    pages: int
    faults: int


class _Shown(msgspec.Struct):
    """An item as a feed shows it."""

    modified: object = None
    data: msgspec.Raw = msgspec.Raw(b"null")


_decode = msgspec.json.Decoder().decode
_decode_shown = msgspec.json.Decoder(_Shown).decode


def verify_feed(url: str, tell: Tell) -> Verdict:
    """Follow a feed of any system to its end; `tell` gets a line for each fault.

    Raises:
        CommandError: Not even its first page can be read.
    """
    with Copy() as copy:
        return _Verification(url, copy, tell).verdict()


def verify_own_feeds(settings: Settings, tell: Tell) -> Iterator[Verdict]:
    """Follow all open feeds of this system to their ends, and compare them with its database.

    Raises:
        CommandError: The first page of one cannot be read.
    """
    for name in sorted({type_.feed for type_ in OpportunityType}):
        with Copy() as copy:
            verification = _Verification(f"{settings.site}{FEEDS_PATH}/{name}", copy, tell)
            asyncio.run(verification.compare(settings, Feed(name)))
            yield verification.verdict()


class _Verification:
    """One feed in a copy."""

    def __init__(self, url: str, copy: Copy, tell: Tell) -> None:
        self._url = url
        self._copy = copy
        self._tell = tell
        self._rules = FeedRules()
        self._pages = self._faults = 0
        try:
            self._harvest()
        except (CopyError, LinkError) as fault:
            raise CommandError(f"{url} cannot be read: {fault}") from fault
        self._items = len(copy)

    def verdict(self) -> Verdict:
        """What was found."""
        return Verdict(self._url, self._items, self._pages, self._faults)

    async def compare(self, settings: Settings, feed: Feed) -> None:
        """Compare the copy with the database, but for what has changed since it was made.

        The copy keeps only what is not in the database.
        """
        after = unshown = 0
        store = open_store(settings)
        try:
            while items := await store.feed_items(feed, after, PAGE_SIZE):
                after = items[-1].modified
                for item in items:
                    unshown += item.data is not None
                    self._compare_item(item)
        finally:
            await store.close()
        if not self._items and unshown:
            self._report(f"{self._url} shows no items, but there are {unshown:,} in the database")
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
                    raise CommandError(f"{self._url} cannot be read: {step.fault}")
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
