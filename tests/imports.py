"""Imports of what a test makes up: what is told of each item, and what the feeds hold of them then."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

from builders import NOW
from openbooking.booking.store import Store
from openbooking.harvest.documents import read_page
from openbooking.importing.pages import Got
from openbooking.importing.report import Report
from openbooking.importing.run import ImportOptions, run_import
from people import CENTRE
from published import page
from world import World


class Told(list[dict[str, Any]]):
    """The lines of a report."""

    def outcomes(self) -> list[str]:
        return [line["outcome"] for line in self if line["outcome"] != "seller"]

    def reasons(self) -> list[str]:
        return [line.get("reason", "") for line in self if line["outcome"] == "not imported"]

    def path(self, name: str) -> str:
        """By which path the thing whose label ends like this is known here."""
        return str(next(line["path"] for line in self if line["item"].endswith(name) and line.get("path")))


async def import_(
    store: Store, *items: Any, source: str = "feed", seller: str | None = CENTRE.key, hand_over: bool = False
) -> Told:
    """Import the items, each on a page of its own; bytes are pages as they come."""

    async def pages() -> AsyncIterator[Got]:
        for number, item in enumerate(items, 1):
            body = item if isinstance(item, bytes) else page(item)
            yield Got(f"page {number}", read_page(body))

    written = io.BytesIO()
    whole = await run_import(store, pages(), Report(written), ImportOptions(source, seller, NOW, hand_over))
    told = Told(json.loads(line) for line in written.getvalue().splitlines())
    assert whole is (not told.reasons())
    return told


async def feed(world: World, path: str) -> dict[str, Any]:
    """What a feed holds of what was imported, by the name or start it was published with."""
    return {
        entry["data"]["@id"].removeprefix(f"{world.ids.base_uri}/identifiers/"): entry["data"]
        for entry in (await world.read_feed(path)).values()
        if entry["state"] == "updated" and len(entry["data"]["@id"].rpartition("/")[2]) == 32
    }
