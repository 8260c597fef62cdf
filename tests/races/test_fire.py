"""Brokers race, repeat requests and cancel, the Seller cancels and replaces, and Leases end, all at the same time.

Meanwhile processes and the database are killed, or clocks are changed. Afterwards the auditor must find no fault, and
must find one if the store does not lock. `make fire` runs these tests for longer.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from openbooking.booking.command import Command
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.order import OrderKey
from openbooking.booking.store import Feed, StoreUnavailableError
from openbooking.openactive.errors import OpenBookingError
from openbooking.testing.postgres import PostgresServer
from support import builders
from support.parties import MANAGER
from support.races.auditor import FEEDS, audit
from support.races.brokers import Brokers
from support.races.harvesters import Harvester
from support.servers.faulty_server import turn_clock
from support.servers.served_system import Plan, Served

CAPACITIES = {"yoga": 40, "spin": 15, "swim": 5, "hall": 1_000_000}
BROKERS = 12
HARVESTERS = 2
EVERY_SECOND = 1
MOST_SECONDS_AHEAD = 4
TEN_DAYS, WRONG_FOR_SECONDS, RIGHT_FOR_SECONDS = 864_000, 6, 2
SECONDS_TO_FINISH = 60
ROUNDS = 10
LEASES_TO_END_SECONDS = 2.5

pytestmark = pytest.mark.anyio
_log = logging.getLogger(__name__)
Trouble = Callable[[Served], Coroutine[Any, Any, None]]


async def fire(plan: Plan, seconds: float, *troubles: Trouble, clocks_ahead_by: float = 0) -> list[str]:
    """Return all faults after this many seconds of races; clocks may be ahead by `clocks_ahead_by` seconds."""
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
        await asyncio.sleep(LEASES_TO_END_SECONDS + clocks_ahead_by)
        stopped.set()
        await harvesting
        assert any(order.booked for order in brokers.orders)
        _log.info("%s; the Seller changed %d or tried to", brokers.tally(), len(by_seller))
        return await audit(plan, brokers, harvesters, by_seller)


def harvester_of(feed: Feed, port: int) -> Harvester:
    """Return a harvester of an open feed, or of a feed of a Booking Partner."""
    if feed.partner:
        return Harvester(port, f"/api/{feed.name}-rpde", feed.partner)
    return Harvester(port, f"/feeds/{feed.name}")


async def sell(plan: Plan, brokers: Brokers, by_seller: set[OrderKey], chance: random.Random) -> None:
    """Publish, cancel and replace as the Seller, in a process that does not serve requests."""
    store = plan.open_store()
    keys = list(plan.capacities)
    try:
        while True:
            await asyncio.sleep(0.05)
            booked = [OrderKey(order.partner, order.uuid) for order in brokers.orders if order.booked]
            with suppress(StoreUnavailableError, OpenBookingError):
                await store.execute(plan.publication(chance.choice(keys)))
                if booked:
                    order = chance.choice(booked)
                    by_seller.add(order)
                    await store.execute(change(order, chance.choice(keys), chance))
    finally:
        await store.close()


def change(order: OrderKey, key: str, chance: random.Random) -> Command[Any]:
    """Return a command that cancels the Order, or moves its first item to this session."""
    if chance.random() < 0.5:
        return SellerCancel(order=order, actor=MANAGER)
    series, session = builders.session(key)
    return Replace(order=order, number=1, opportunity=session.path, offer=series.offers[0].ref, actor=MANAGER)


async def kill_workers(served: Served) -> None:
    """Kill a serving process every second."""
    while True:
        await asyncio.sleep(EVERY_SECOND)
        served.kill_a_worker()


async def kill_database(postgres: PostgresServer, _: Served) -> None:
    """Kill and start the database server, again one second after each start."""
    while True:
        await asyncio.sleep(EVERY_SECOND)
        await asyncio.to_thread(postgres.kill)
        await asyncio.to_thread(postgres.start)


async def change_clocks(clock: Path, _: Served) -> None:
    """Set the clocks wrong by days for some seconds, then by a few seconds, and so on; set them right at the end."""
    try:
        while True:
            turn_clock(clock, random.choice([-1, 1]) * TEN_DAYS)  # noqa: S311 - any will do
            await asyncio.sleep(WRONG_FOR_SECONDS)
            for _second in range(RIGHT_FOR_SECONDS):
                turn_clock(clock, random.uniform(-MOST_SECONDS_AHEAD, MOST_SECONDS_AHEAD))  # noqa: S311 - any will do
                await asyncio.sleep(EVERY_SECOND)
    finally:
        turn_clock(clock, 0)


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """The file with the number of seconds that the clocks of the processes are ahead."""
    turn_clock(tmp_path / "clock", 0)
    return tmp_path / "clock"


async def test_fire_on_sqlite(tmp_path: Path, fire_seconds: float) -> None:
    assert await fire(Plan(str(tmp_path / "fire.sqlite3"), 2, CAPACITIES), fire_seconds, kill_workers) == []


async def test_fire_on_postgres(postgres: PostgresServer, fire_seconds: float) -> None:
    plan = Plan(postgres.new_database(), 3, CAPACITIES)
    assert await fire(plan, fire_seconds, kill_workers, partial(kill_database, postgres)) == []


@pytest.mark.parametrize(("kind", "workers"), [("sqlite", 2), ("postgresql", 3)])
async def test_fire_while_clocks_are_wrong(
    database: str, kind: str, workers: int, clock: Path, fire_seconds: float
) -> None:
    plan = Plan(database, workers, CAPACITIES, f"clock {clock} {MOST_SECONDS_AHEAD}")
    turning = partial(change_clocks, clock)
    assert await fire(plan, fire_seconds, turning, clocks_ahead_by=MOST_SECONDS_AHEAD) == []


async def test_the_auditor_finds_faults_of_a_store_without_locks(postgres: PostgresServer) -> None:
    for _ in range(ROUNDS):
        wrong = await fire(Plan(postgres.new_database(), 2, CAPACITIES, "unlocked-postgres 0.5"), 2)
        if any("spaces and is sold" in line or "are claimed" in line for line in wrong):
            return
    pytest.fail("The auditor found no fault, although the store did not lock.")
