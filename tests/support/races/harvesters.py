"""Harvesters that follow `next` during the races, as data users do."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import msgspec

from openbooking.booking.store import Feed
from openbooking.store.sql import SqlStore
from support.races.requests import ask, request
from support.servers.served_system import PARTNERS

_PAUSE_SECONDS = 0.02


class Harvester:
    """A copy of one feed: the newest data of each id, with its change number."""

    def __init__(self, port: int, path: str, partner: str = PARTNERS[0]) -> None:
        self._port = port
        self._partner = partner
        self._url = path
        self.copy: dict[str, tuple[int, Any]] = {}
        self.disorder: list[str] = []

    async def run(self, stopped: asyncio.Event) -> None:
        """Follow the feed until `stopped` is set, and then once more to its end."""
        while True:
            last_time = stopped.is_set()
            while await self._page():
                pass
            if last_time:
                return
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _page(self) -> bool:
        """Read the next page; return whether to read another one at once."""
        reply = await ask(self._port, request("GET", self._url, self._partner))
        if reply.status != 200:
            return not reply.definite and await self._pause()
        page = reply.json
        after = int(self._url.partition("afterChangeNumber=")[2] or 0)
        for item in page["items"]:
            if item["modified"] <= after:
                self.disorder.append(f"{self._url}: {item['modified']} after {after}")
            after = item["modified"]
            self.copy[item["id"]] = after, item.get("data")
        following = urlsplit(page["next"])
        self._url = f"{following.path}?{following.query}" if following.query else following.path
        return bool(page["items"])

    async def _pause(self) -> bool:
        await asyncio.sleep(_PAUSE_SECONDS)
        return True


async def harvested_at_rest(store: SqlStore, feed: Feed) -> dict[str, tuple[int, Any]]:
    """Return the copy of a harvester that starts when nobody writes any more."""
    copy: dict[str, tuple[int, Any]] = {}
    after = 0
    while items := await store.feed_items(feed, after, 500):
        after = items[-1].modified
        for item in items:
            copy[item.id] = item.modified, None if item.data is None else msgspec.json.decode(item.data)
    return copy
