"""Verification of the open feeds of this system against its database."""

import asyncio
from collections.abc import Iterator

from openbooking.booking.store import Feed
from openbooking.harvest.copy import Copy
from openbooking.harvest.verification import Tell, Verdict, Verification
from openbooking.openactive.rpde import PAGE_SIZE
from openbooking.openactive.terms import OpportunityType
from openbooking.settings import Settings
from openbooking.system import open_store
from openbooking.web.api.feeds import FEEDS_PATH


def verify_own_feeds(settings: Settings, tell: Tell) -> Iterator[Verdict]:
    """Follow all open feeds of this system to their ends, and compare them with its database.

    Args:
        settings: The address of the feeds, and the database.
        tell: Called with a line for each fault.

    Raises:
        UnreadableFeedError: The first page of a feed cannot be read.
    """
    for name in sorted({type_.feed for type_ in OpportunityType}):
        with Copy() as copy:
            verification = Verification(f"{settings.site}{FEEDS_PATH}/{name}", copy, tell)
            asyncio.run(_compare(verification, settings, Feed(name)))
            yield verification.verdict()


async def _compare(verification: Verification, settings: Settings, feed: Feed) -> None:
    after = 0
    store = open_store(settings)
    try:
        while items := await store.feed_items(feed, after, PAGE_SIZE):
            after = items[-1].modified
            verification.compare(items)
    finally:
        await store.close()
    verification.finish_comparison()
