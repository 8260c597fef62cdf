"""Imports of items that a test makes up, with their reports, and the feeds afterwards."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

from openbooking.booking.commands.opportunities.find_opportunities import GetOpportunity
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.store import Store
from openbooking.harvest.documents import read_page
from openbooking.importing.page_sources import ReceivedPage
from openbooking.importing.reading.schedules import Horizon
from openbooking.importing.reading.source import Source, named_source
from openbooking.importing.report import Report
from openbooking.importing.run import Confirm, ImportOptions, run_import
from openbooking.openactive.money import VatTreatment
from support.builders import new_uuid
from support.http_system import World
from support.importing.published_items import page
from support.parties import CENTRE, MANAGER

SESSIONS, SERIES, SLOTS = "/feeds/scheduled-sessions", "/feeds/session-series", "/feeds/slots"
EVENTS = "/feeds/events"


class Told(list[dict[str, Any]]):
    """The lines of a report."""

    def outcomes(self) -> list[str]:
        return [line["outcome"] for line in self if line["outcome"] != "seller"]

    def reasons(self) -> list[str]:
        return [line.get("reason", "") for line in self if line["outcome"] == "not imported"]

    def path(self, name: str) -> str:
        """Return the path of the published thing whose label ends with this text."""
        return str(next(line["path"] for line in self if line["item"].endswith(name) and line.get("path")))


async def import_(
    store: Store,
    *items: Any,
    source: str | Source = "feed",
    seller: str | None = CENTRE.key,
    hand_over: bool = False,
    dry_run: bool = False,
    confirm: Confirm | None = None,
    vat: VatTreatment | None = None,
    horizon: Horizon | None = None,
) -> Told:
    """Import the items, each on a separate page; bytes are whole pages."""

    async def pages() -> AsyncIterator[ReceivedPage]:
        for number, item in enumerate(items, 1):
            body = item if isinstance(item, bytes) else page(item)
            yield ReceivedPage(f"page {number}", read_page(body))

    written = io.BytesIO()
    report = Report(written)
    known_as = source if isinstance(source, Source) else named_source(source)
    options = ImportOptions(known_as, seller, hand_over=hand_over, dry_run=dry_run, vat=vat, horizon=horizon)
    await run_import(store, pages(), report, options, confirm)
    told = Told(json.loads(line) for line in written.getvalue().splitlines())
    assert report.exit_status == int(bool(told.reasons()))
    return told


async def feed(world: World, path: str) -> dict[str, Any]:
    """Return the imported items in a feed, by their published name or start."""
    return {
        entry["data"]["@id"].removeprefix(f"{world.ids.base_uri}/identifiers/"): entry["data"]
        for entry in (await world.read_feed(path)).values()
        if entry["state"] == "updated" and len(entry["data"]["@id"].rpartition("/")[2]) == 32
    }


async def book(world: World, told: Told, name: str = "sessions/1", status: int = 201) -> str:
    """Book one space at the imported thing with this name; return the UUID of the Order."""
    return await book_path(world, told.path(name), status)


async def book_path(world: World, path: str, status: int = 201) -> str:
    """Book one space at the thing with this path, with its first Offer or that of its parent; return the UUID."""
    found = await world.store.execute(GetOpportunity(path, actor=MANAGER))
    assert isinstance(found, Opportunity)
    offers = found.offers
    if not offers:
        parent = await world.store.execute(GetOpportunity(found.parent or "", actor=MANAGER))
        assert isinstance(parent, Opportunity)
        offers = parent.offers
    uuid = new_uuid()
    item = {
        "@type": "OrderItem",
        "position": 0,
        "orderedItem": world.ids.opportunity(path),
        "acceptedOffer": world.ids.offer(offers[0].ref),
    }
    response = await world.call("PUT", f"orders/{uuid}", world.order(item, total=float(offers[0].price)))
    assert response.status_code == status, response.text
    return uuid


async def item_of(world: World, uuid: str) -> dict[str, Any]:
    """Return the only OrderItem of an Order, as Order Status shows it."""
    (item,) = (await world.call("GET", f"orders/{uuid}")).json()["orderedItem"]
    found: dict[str, Any] = item
    return found


async def left(world: World, told: Told, name: str = "sessions/1") -> int:
    """Return the number of spaces of a session that are left according to its feed."""
    return int((await feed(world, SESSIONS))[told.path(name)]["remainingAttendeeCapacity"])
