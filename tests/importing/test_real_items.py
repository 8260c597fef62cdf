"""Items that real providers published: their import, their validation, and a booking."""

import io
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from openbooking.importing.page_sources import pages
from openbooking.importing.reading.source import named_source
from openbooking.importing.report import Report
from openbooking.importing.run import ImportOptions, run_import
from openbooking.openactive.opportunity_types import OpportunityType
from support.builders import new_uuid
from support.http_system import World, open_world
from support.importing import published_items as published
from support.importing.published_items import (
    course,
    event,
    facility,
    on_demand_event,
    page,
    rpde,
    series,
    session,
    slot,
)
from support.parties import CENTRE
from support.validators import Validator

pytestmark = pytest.mark.anyio
# A time at which the oldest of the published items had not taken place.
THEN = datetime(2018, 2, 1, 12, tzinfo=UTC)


@pytest.fixture
def published_items() -> Path:
    """The folder of items that real providers published."""
    if not published.PUBLISHED_ITEMS.is_dir():
        pytest.skip(f"no real items to import: {published.PUBLISHED_ITEMS} is not there")
    return published.PUBLISHED_ITEMS


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System at the time of the published items. Its replies are not validated: many items are faulty."""
    async with open_world("sqlite", tmp_path) as opened:
        opened.judged = False
        opened.clock.time = THEN
        yield opened


async def import_(world: World, path: Path, seller: str | None = None) -> list[dict[str, Any]]:
    """Import a file or folder, and return the lines of the report."""
    written = io.BytesIO()
    await run_import(world.store, pages(str(path)), Report(written), ImportOptions(named_source("feed"), seller))
    return [json.loads(line) for line in written.getvalue().splitlines()]


async def imported(world: World, lines: list[dict[str, Any]]) -> AsyncIterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the line of each published Opportunity with its data in the feed."""
    by_id = {world.ids.opportunity(line["path"]): line for line in lines if line.get("path")}
    for name in sorted({type_.feed for type_ in OpportunityType}):
        for entry in (await world.read_feed(f"/feeds/{name}")).values():
            line = by_id.get(entry.get("data", {}).get("@id"))
            if line:
                yield line, entry["data"]


async def test_the_report_names_every_file(world: World, published_items: Path) -> None:
    lines = await import_(world, published_items)
    read = {line["where"].split(" ")[0] for line in lines if "where" in line}
    assert read == _names(published_items)
    assert all(line.get("reason") for line in lines if line["outcome"] in ("not imported", "not bookable"))


def _names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


async def test_faults_that_validators_find_are_in_the_report(
    world: World, published_items: Path, validator: Validator
) -> None:
    lines = await import_(world, published_items)
    seen = 0
    async for line, data in imported(world, lines):
        seen += 1
        told = " ".join(line.get("remarks", ()))
        for failure in validator.failures("BookableRPDEFeed", data):
            properties = re.findall(r"[A-Za-z]\w+", failure.partition(": ")[0])
            assert any(name in told for name in properties), (line["item"], failure)
    assert seen == sum(line["outcome"] in ("parent", "bookable", "not bookable") for line in lines)


async def test_a_published_item_can_be_booked(world: World, published_items: Path) -> None:
    """C1, C2 and B of a Slot that a FacilityUse embeds."""
    lines = await import_(world, published_items / "facilityuse-embedded-slot.json", CENTRE.key)
    (bookable,) = [line for line in lines if line["outcome"] == "bookable"]
    async for line, data in imported(world, lines):
        if line is bookable:
            offer = data["offers"][0]
    item = {
        "@type": "OrderItem",
        "position": 0,
        "orderedItem": world.ids.opportunity(bookable["path"]),
        "acceptedOffer": offer["@id"],
    }
    uuid, customer = new_uuid(), {"@type": "Person", "email": "sam@example.net"}
    c1 = await world.call("PUT", f"order-quote-templates/{uuid}", world.quote(item))
    c2 = await world.call("PUT", f"order-quotes/{uuid}", world.quote(item, customer=customer))
    b = await world.call("PUT", f"orders/{uuid}", world.order(item, total=offer["price"]))
    assert [response.status_code for response in (c1, c2, b)] == [200, 200, 201]
    assert c1.json()["totalPaymentDue"]["price"] == 15
    assert b.json()["orderedItem"][0]["orderItemStatus"] == "https://openactive.io/OrderItemConfirmed"


@pytest.mark.spec("OB-BKBL-26")
async def test_complete_items_are_valid_in_feeds_and_replies(
    world: World, tmp_path: Path, validator: Validator
) -> None:
    court = {"@type": "IndividualFacilityUse", "@id": "x:court", "name": "Court 1", "aggregateFacilityUse": "x:hall"}
    headline = event(**{"@type": "HeadlineEvent", "@id": "x:gala"})
    items = (
        series(), facility(), facility(**{"@id": "x:hall"}), court,
        session(), slot(1), slot(2, facilityUse="x:court", remainingUses=1),
        event(), headline, event(**{"@id": "x:heat"}, superEvent="x:gala"), course(), on_demand_event(),
        event(**{"@id": "x:lesson"}, superEvent=course(**{"@id": "x:lessons"})),
    )  # fmt: skip
    file = tmp_path / "page.json"
    file.write_bytes(page(*(rpde(item) for item in items)))
    lines = await import_(world, file, CENTRE.key)
    assert Counter(line["outcome"] for line in lines) == {"parent": 4, "bookable": 10}
    assert not [line for line in lines if line.get("remarks")]
    offers: dict[str, Any] = {}
    async for line, data in imported(world, lines):
        assert validator.failures("BookableRPDEFeed", data) == []
        for offer in data.get("offers", ()):
            offers[line["path"]] = offer["@id"]
    series_path = next(path for path in offers if path.startswith("session-series"))
    for path in (line["path"] for line in lines if line["outcome"] == "bookable"):
        # The validator requires a property of an OnDemandEvent in replies that the model of the validator forbids.
        if path.startswith("on-demand"):
            continue
        item = {
            "@type": "OrderItem",
            "position": 0,
            "orderedItem": world.ids.opportunity(path),
            "acceptedOffer": offers.get(path, offers[series_path]),
        }
        response = await world.call("PUT", f"order-quote-templates/{new_uuid()}", world.quote(item))
        assert response.status_code == 200
        assert validator.failures("C1Response", response.json()) == []
