"""Imported Slots that overlap on one court share it: no time of the court is sold twice."""

import pytest

from support.http_system import World
from support.importing.made_up_imports import SLOTS, book, book_path, feed, import_
from support.importing.published_items import FACILITY_ID, facility, rpde, slot

pytestmark = pytest.mark.anyio

COURT_ID = "https://provider.example.com/courts/1"
COURT = {"@type": "IndividualFacilityUse", "@id": COURT_ID, "name": "Court 1", "aggregateFacilityUse": FACILITY_ID}


def on_court(number: int, time: str, minutes: int) -> dict[str, object]:
    """Return an RPDE item with a Slot of the court on 4 March 2027."""
    start = f"2027-03-04T{time}:00Z"
    return rpde(slot(number, facilityUse=COURT_ID, startDate=start, duration=f"PT{minutes}M", remainingUses=1))


@pytest.mark.spec("OB-BKBL-33")
async def test_a_booking_closes_the_imported_slots_that_overlap(world: World) -> None:
    slots = [
        on_court(1, "18:00", 60),
        on_court(2, "18:00", 90),
        on_court(3, "18:30", 60),
        on_court(4, "19:00", 60),
        on_court(5, "19:30", 60),
    ]
    told = await import_(world.store, rpde(facility()), rpde(COURT), *slots)
    paths = {number: told.path(f"slots/{number}") for number in range(1, 6)}
    await book(world, told, "slots/3")
    uses = {path: data["remainingUses"] for path, data in (await feed(world, SLOTS)).items()}
    assert {number: uses[path] for number, path in paths.items()} == {1: 0, 2: 0, 3: 0, 4: 0, 5: 1}
    for number in (1, 2, 3, 4):
        await book_path(world, paths[number], 409)
    await book_path(world, paths[5])


async def test_a_further_import_keeps_the_overlapping_slots_closed(world: World) -> None:
    items = [rpde(facility()), rpde(COURT), on_court(1, "18:00", 60), on_court(2, "18:30", 60)]
    told = await import_(world.store, *items)
    await book(world, told, "slots/1")
    again = await import_(world.store, *items, on_court(3, "18:45", 30))
    assert {data["remainingUses"] for data in (await feed(world, SLOTS)).values()} == {0}
    await book_path(world, again.path("slots/3"), 409)
