"""Everything at once: Brokers race, repeat themselves and cancel, the Seller cancels and publishes, Leases end.

Meanwhile processes are killed, and the database. `make fire` does it for longer. What the auditor finds wrong is the
outcome: nothing, but where a store's locks are taken out.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from openbooking.booking.order import OrderKey
from openbooking.booking.seller import SellerCancel
from openbooking.booking.store import Feed, StoreUnavailableError
from openbooking.spec.errors import OpenBookingError
from openbooking.testing.postgres import PostgresServer
from races.auditor import FEEDS, audit
from races.brokers import Brokers
from races.harvesters import Harvester
from races.served import Plan, Served

CAPACITIES = {"yoga": 40, "spin": 15, "swim": 5, "hall": 1_000_000}
BROKERS = 12
HARVESTERS = 2
KILL_EVERY_SECONDS = 2
SECONDS_TO_FINISH = 60
ROUNDS = 10
LEASES_TO_END_SECONDS = 2.5

pytestmark = pytest.mark.anyio
Trouble = Callable[[Served], Coroutine[Any, Any, None]]


async def fire(plan: Plan, seconds: float, *troubles: Trouble) -> list[str]:
    """All that is wrong after so many seconds of it."""
    await plan.stock()
    chance = random.Random()  # noqa: S311 - any history will do, and each is another
    stopped = asyncio.Event()
    by_seller: set[OrderKey] = set()
    with Served(plan) as served:
        brokers = Brokers(plan, served.port, chance)
        harvesters = {feed: [harvester_of(feed, served.port) for _ in range(HARVESTERS)] for feed in FEEDS}
        harvesting = asyncio.gather(*(one.run(stopped) for several in harvesters.values() for one in several))
        booking = asyncio.create_task(brokers.run(BROKERS))
        selling = asyncio.create_task(sell(plan, brokers, by_seller, chance))
        troubling = [asyncio.create_task(trouble(served)) for trouble in troubles]
        await asyncio.sleep(seconds)
        for task in (*troubling, selling):
            task.cancel()
        for outcome in await asyncio.gather(*troubling, selling, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome
        brokers.stop()
        async with asyncio.timeout(SECONDS_TO_FINISH):
            await booking
        await asyncio.sleep(LEASES_TO_END_SECONDS)
        stopped.set()
        await harvesting
        assert any(told.booked for told in brokers.told)
        return await audit(plan, brokers, harvesters, by_seller)


def harvester_of(feed: Feed, port: int) -> Harvester:
    """A harvester of an open feed, or of a partner's own."""
    if feed.partner:
        return Harvester(port, f"/api/{feed.name}-rpde", feed.partner)
    return Harvester(port, f"/feeds/{feed.name}")


async def sell(plan: Plan, brokers: Brokers, by_seller: set[OrderKey], chance: random.Random) -> None:
    """What a Seller does: publishes anew, and cancels; in a process that is none of those that serve."""
    store = plan.open_store()
    try:
        while True:
            await asyncio.sleep(0.05)
            booked = [OrderKey(told.partner, told.uuid) for told in brokers.told if told.booked]
            with suppress(StoreUnavailableError, OpenBookingError):
                await store.execute(plan.publication(chance.choice(list(plan.capacities))))
                if booked:
                    order = chance.choice(booked)
                    by_seller.add(order)
                    await store.execute(SellerCancel(order=order))
    finally:
        await store.close()


async def kill_workers(served: Served) -> None:
    """One after the other."""
    while True:
        await asyncio.sleep(KILL_EVERY_SECONDS)
        served.kill_a_worker()


async def test_fire_on_sqlite(tmp_path_factory: pytest.TempPathFactory, fire_seconds: float) -> None:
    database = str(tmp_path_factory.mktemp("fire") / "fire.sqlite3")
    assert await fire(Plan(database, 2, CAPACITIES), fire_seconds, kill_workers) == []


async def test_fire_on_postgres(postgres: PostgresServer, fire_seconds: float) -> None:
    async def kill_database(_: Served) -> None:
        while True:
            await asyncio.sleep(fire_seconds / max(fire_seconds // 8, 1) / 2)
            await asyncio.to_thread(postgres.kill)
            await asyncio.to_thread(postgres.start)

    plan = Plan(postgres.new_database(), 3, CAPACITIES)
    assert await fire(plan, fire_seconds, kill_workers, kill_database) == []


async def test_without_locks_the_auditor_finds_what_goes_wrong(postgres: PostgresServer) -> None:
    for _ in range(ROUNDS):
        wrong = await fire(Plan(postgres.new_database(), 2, CAPACITIES, "unlocked-postgres 0.5"), 2)
        if any("places and is sold" in line or "are claimed" in line for line in wrong):
            return
    pytest.fail("Nothing went wrong, though nothing was locked.")
