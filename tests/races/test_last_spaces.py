"""A thousand callers book the last ten spaces at the same time, by HTTP.

A store without locks sells too many spaces even to a hundred callers.
"""

import asyncio
from collections import Counter

import pytest

from openbooking.openactive.ids import Identifiers
from openbooking.testing.samples import SESSIONS
from support.builders import new_uuid
from support.races.brokers import order_body
from support.races.harvesters import harvested_at_rest
from support.races.requests import Reply, exchange, request
from support.servers.served_system import HOST, PARTNERS, Plan, Served

CALLERS = 1_000
CALLERS_WITHOUT_LOCKS = 100
SPACES = 10

pytestmark = pytest.mark.anyio


async def race(port: int, asked: list[bytes]) -> list[Reply]:
    """Send all requests at the same moment, on open connections."""
    connections = [await asyncio.open_connection(HOST, port) for _ in asked]
    try:
        return await asyncio.gather(
            *(exchange(*connection, one) for connection, one in zip(connections, asked, strict=True))
        )
    finally:
        for _, writer in connections:
            writer.close()


def verdict(reply: Reply) -> tuple[int | None, str]:
    if reply.status == 201:
        return 201, ""
    return reply.status, reply.json["orderedItem"][0]["error"][0]["@type"]


async def sold_and_left(plan: Plan, callers: int) -> tuple[Counter[tuple[int | None, str]], int]:
    """Return the replies of a race of so many callers, and the spaces that the feed shows afterwards."""
    await plan.stock()
    body = order_body(Identifiers(plan.settings.base_uri), ["yoga"])
    asked = [
        request("PUT", f"/api/orders/{new_uuid()}", PARTNERS[number % len(PARTNERS)], body) for number in range(callers)
    ]
    with Served(plan) as served:
        replies = await race(served.port, asked)
    store = plan.open_store()
    try:
        ((_, data),) = (await harvested_at_rest(store, SESSIONS)).values()
    finally:
        await store.close()
    return Counter(map(verdict, replies)), data["remainingAttendeeCapacity"]


@pytest.mark.spec("OB-B-08", "OB-VAL-09")
@pytest.mark.parametrize(("kind", "workers"), [("sqlite", 1), ("sqlite", 2), ("postgresql", 3)])
async def test_ten_callers_get_a_space_and_all_others_get_opportunity_is_full(
    database: str, kind: str, workers: int
) -> None:
    sold, left = await sold_and_left(Plan(database, workers, {"yoga": SPACES}), CALLERS)
    assert sold == {(201, ""): SPACES, (409, "OpportunityIsFullError"): CALLERS - SPACES}
    assert left == 0


@pytest.mark.parametrize(("kind", "fault"), [("sqlite", "unlocked-sqlite 2"), ("postgresql", "unlocked-postgres 2")])
async def test_a_store_without_locks_sells_more_spaces(database: str, kind: str, fault: str) -> None:
    """So the race can happen, and only the locks prevent overselling."""
    sold, _ = await sold_and_left(Plan(database, 2, {"yoga": SPACES}, fault), CALLERS_WITHOUT_LOCKS)
    assert sold[201, ""] > SPACES
