"""The work of `openbooking feed verify`: harvest, and compare with the database."""

import asyncio

import httpx2
import msgspec

from openbooking.booking.store import Feed
from openbooking.cli.feed_harvest import Harvest
from openbooking.settings import Settings
from openbooking.spec.rpde import PAGE_SIZE
from openbooking.spec.terms import OpportunityType
from openbooking.system import open_store
from openbooking.web.feeds import FEEDS_PATH


def verify_feed(url: str) -> list[Harvest]:
    """A feed of any system, followed to its end."""
    with httpx2.Client() as client:
        harvest = Harvest(url)
        harvest.follow(client)
        return [harvest]


def verify_own_feeds(settings: Settings) -> list[Harvest]:
    """All open feeds of this system, followed to their ends and compared with its database."""
    harvests = []
    with httpx2.Client() as client:
        for name in sorted({type_.feed for type_ in OpportunityType}):
            harvest = Harvest(f"{settings.site}{FEEDS_PATH}/{name}")
            harvest.follow(client)
            harvest.wrong += asyncio.run(_differences(settings, Feed(name), harvest))
            harvests.append(harvest)
    return harvests


async def _differences(settings: Settings, feed: Feed, harvest: Harvest) -> list[str]:
    """How the copy differs from the database, but for what has changed since it was made."""
    wrong, after = [], 0
    only_shown = {id_ for id_, (_, data) in harvest.items.items() if data is not None}
    store = open_store(settings)
    try:
        while items := await store.feed_items(feed, after, PAGE_SIZE):
            after = items[-1].modified
            for item in items:
                only_shown.discard(item.id)
                data = None if item.data is None else msgspec.json.decode(item.data)
                if item.modified <= harvest.last.modified and harvest.items.get(item.id) != (item.modified, data):
                    how = "shown otherwise" if item.id in harvest.items else "not shown"
                    wrong.append(f"{item.id}, changed at {item.modified}, is {how}")
    finally:
        await store.close()
    return wrong + [f"{id_} is shown and not in the database" for id_ in sorted(only_shown)]
