"""`openbooking feed verify` without a URL: comparison of the open feeds of this system with its database."""

import asyncio
from collections.abc import Iterator

from openbooking.booking.store import Feed
from openbooking.harvest.copy import Copy
from openbooking.harvest.verification import Tell, Verdict, Verification
from openbooking.openactive.opportunity_types import OPEN_FEEDS
from openbooking.openactive.rpde import PAGE_SIZE
from openbooking.settings import Settings
from openbooking.store.migrate import prepare
from openbooking.system import use_store
from openbooking.web.api.feeds import FEEDS_PATH


def verify_own_feeds(settings: Settings, tell: Tell) -> Iterator[Verdict]:
    """Read each open feed of this system to its end, compare it with the database, and yield the verdict.

    Args:
        settings: The settings, with the address of the feeds and the database.
        tell: Called with a line for each fault.

    Raises:
        SchemaError: There is no database of this version's schema.
        UnreadableFeedError: The first page of a feed cannot be read.
    """
    prepare(settings.database, makes_new=False)
    for name in OPEN_FEEDS:
        with Copy() as copy:
            verification = Verification(f"{settings.site}{FEEDS_PATH}/{name}", copy, tell)
            asyncio.run(_compare(verification, settings, Feed(name)))
            yield verification.verdict()


async def _compare(verification: Verification, settings: Settings, feed: Feed) -> None:
    """Compare all items of a feed in the database with the items that were read over HTTP."""
    after = 0
    async with use_store(settings) as store:
        while items := await store.feed_items(feed, after, PAGE_SIZE):
            after = items[-1].modified
            verification.compare(items)
    verification.finish_comparison()
