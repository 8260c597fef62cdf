"""A thousand callers race for the last spaces."""

import asyncio
from collections import Counter
from typing import Any

import httpx2
import pytest

from openbooking.booking.commands.opportunities.publish import Publish
from support.builders import new_uuid, slot
from support.http_system import World
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

CALLERS, PLACES = 1_000, 10


async def book(world: World, body: dict[str, Any], partner: str) -> httpx2.Response:
    """Send B, and repeat it with the same UUID while the reply is 503, as a Broker does (OB-BRK-03)."""
    path = f"orders/{new_uuid()}"
    while (reply := await world.call("PUT", path, body, partner)).status_code == 503:
        pass
    return reply


@pytest.mark.spec("OB-B-01", "OB-B-07", "OB-B-17", "OB-VAL-21", "OB-BKBL-01")
async def test_ten_of_a_thousand_callers_get_the_ten_spaces(world: World) -> None:
    family = slot("wanted", individual=False, capacity=PLACES)
    await world.store.execute(Publish(tuple(family), actor=MANAGER))
    body = world.order(world.item(family))
    replies = await asyncio.gather(*(book(world, body, partner) for partner in ("alice", "bob") * (CALLERS // 2)))
    outcomes = Counter(
        (reply.status_code, *(error["@type"] for error in reply.json()["orderedItem"][0].get("error", [])))
        for reply in replies
    )
    assert outcomes == {(201,): PLACES, (409, "OpportunityIsFullError"): CALLERS - PLACES}
    assert (await world.read_feed("/feeds/slots"))["wanted"]["data"]["remainingUses"] == 0
