"""Publishes, quotes, books and imports items of an Opportunity type that does not exist.

    python made_up_type.py FOLDER

`tests/openactive/test_opportunity_types.py` runs it with a copy of the package whose table of types has one more row.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.model.opportunity import Opportunity
from openbooking.openactive.ids import opportunity_path
from openbooking.openactive.opportunity_types import TYPE_OF_NAME
from support.builders import NOW, UUID, new_uuid, session
from support.http_system import World, open_world
from support.importing.made_up_imports import import_
from support.parties import CUSTOMER, MANAGER

FEED = "/feeds/summer-camps"


async def main(folder: Path) -> None:
    async with open_world("sqlite", folder) as world:
        # The schemas of the API have the real types only.
        world.judged = False
        await use(world)


async def use(world: World) -> None:
    camp_type = TYPE_OF_NAME["SummerCamp"]
    series = session("summer")[0]
    start = NOW + timedelta(days=9)
    camp = Opportunity(
        path=opportunity_path(camp_type, "july"),
        type=camp_type,
        seller=series.seller,
        parent=series.path,
        start=start,
        end=start + timedelta(days=5),
        capacity=3,
        properties={"name": "Camp in July"},
    )
    await world.store.execute(Publish((series, camp), actor=MANAGER))
    data = (await world.read_feed(FEED))["july"]["data"]
    assert data["@type"] == "SummerCamp"
    assert data["campSeries"] == world.ids.opportunity(series.path)
    assert (data["maximumCampers"], data["remainingCampers"]) == (3, 3)
    assert data["organizer"]["@id"] == world.ids.seller(series.seller)
    site = await world.client.get("/openactive")
    assert FEED in site.text

    item = world.item([series, camp])
    c1 = await world.call("PUT", f"order-quote-templates/{UUID}", world.quote(item))
    assert c1.status_code == 200, c1.text
    shown = c1.json()["orderedItem"][0]["orderedItem"]
    assert (shown["@type"], shown["campSeries"]["@type"]) == ("SummerCamp", "SessionSeries")
    c2 = await world.call("PUT", f"order-quotes/{UUID}", world.quote(item, customer=CUSTOMER))
    assert c2.status_code == 200, c2.text
    b = await world.call("PUT", f"orders/{UUID}", world.order(item))
    assert b.status_code == 201, b.text
    assert (await world.read_feed(FEED))["july"]["data"]["remainingCampers"] == 2

    await full_camp_cannot_be_booked(world, series, camp)
    await imported(world)


async def full_camp_cannot_be_booked(world: World, series: Opportunity, camp: Opportunity) -> None:
    await world.store.execute(Publish((series, replace(camp, capacity=1)), actor=MANAGER))
    refused = await world.call("PUT", f"orders/{new_uuid()}", world.order(world.item([series, camp])))
    assert refused.status_code == 409, refused.text
    errors = [error["@type"] for error in refused.json()["orderedItem"][0]["error"]]
    assert errors == ["OpportunityIsFullError"]


async def imported(world: World) -> None:
    camp = {"@type": "SummerCamp", "@id": "https://example.com/august", "name": "Camp in August"}
    dates = {"startDate": "2027-08-02T09:00:00Z", "endDate": "2027-08-06T16:00:00Z"}
    offer = {"@type": "Offer", "@id": "https://example.com/series#week", "price": 90, "priceCurrency": "GBP"}
    series = {
        "@type": "SessionSeries",
        "@id": "https://example.com/series",
        "name": "Camps",
        "offers": [offer],
        "camp": [{**camp, **dates, "remainingCampers": 12}],
    }
    told = await import_(world.store, {"@context": "https://openactive.io/", **series})
    assert sorted(told.outcomes()) == ["bookable", "parent"], told
    found = [entry["data"] for entry in (await world.read_feed(FEED)).values()]
    assert {data["name"]: data["remainingCampers"] for data in found}["Camp in August"] == 12


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
    sys.stdout.write("published, quoted, booked, imported\n")
