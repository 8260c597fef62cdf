"""Everything at once: Brokers race, repeat themselves and cancel, the Seller cancels and replaces, Leases end.

Meanwhile processes are killed, and the database, or clocks are turned. `make fire` does it for longer. What the auditor
finds wrong is the outcome: nothing, but where a store's locks are taken out.
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
from openbooking.booking.commands.replace import Replace
from openbooking.booking.commands.seller_decisions import SellerCancel
from openbooking.booking.model.order import OrderKey
from openbooking.booking.store import Feed, StoreUnavailableError
from openbooking.openactive.errors import OpenBookingError
from openbooking.testing.postgres import PostgresServer
from support import builders
from support.faulty_server import turn_clock
from support.parties import MANAGER
from support.race_auditor import FEEDS, audit
from support.race_brokers import Brokers
from support.race_harvesters import Harvester
from support.served_system import Plan, Served

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
    """All that is wrong after so many seconds of it; a Lease may have been given by the clock that is ahead."""
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
        assert any(told.booked for told in brokers.told)
        _log.info("%s; the Seller changed %d or tried to", brokers.tally(), len(by_seller))
        return await audit(plan, brokers, harvesters, by_seller)


def harvester_of(feed: Feed, port: int) -> Harvester:
    """A harvester of an open feed, or of a partner's own."""
    if feed.partner:
        return Harvester(port, f"/api/{feed.name}-rpde", feed.partner)
    return Harvester(port, f"/feeds/{feed.name}")


async def sell(plan: Plan, brokers: Brokers, by_seller: set[OrderKey], chance: random.Random) -> None:
    """What a Seller does: publishes anew, cancels, replaces; in a process that is none of those that serve."""
    store = plan.open_store()
    keys = list(plan.capacities)
    try:
        while True:
            await asyncio.sleep(0.05)
            booked = [OrderKey(told.partner, told.uuid) for told in brokers.told if told.booked]
            with suppress(StoreUnavailableError, OpenBookingError):
                await store.execute(plan.publication(chance.choice(keys)))
                if booked:
                    order = chance.choice(booked)
                    by_seller.add(order)
                    await store.execute(change(order, chance.choice(keys), chance))
    finally:
        await store.close()


def change(order: OrderKey, key: str, chance: random.Random) -> Command[Any]:
    """The Order cancelled, or a place at this session instead of the first one booked."""
    if chance.random() < 0.5:
        return SellerCancel(order=order, actor=MANAGER)
    series, session = builders.session(key)
    return Replace(order=order, number=1, opportunity=session.path, offer=series.offers[0].ref, actor=MANAGER)


async def kill_workers(served: Served) -> None:
    """One after the other."""
    while True:
        await asyncio.sleep(EVERY_SECOND)
        served.kill_a_worker()


async def kill_database(postgres: PostgresServer, _: Served) -> None:
    """Again and again, each time as soon as it has been up for so long."""
    while True:
        await asyncio.sleep(EVERY_SECOND)
        await asyncio.to_thread(postgres.kill)
        await asyncio.to_thread(postgres.start)


async def turn_clocks(clock: Path, _: Served) -> None:
    """Days ahead and behind for some seconds, a little each second between; in the end they are right."""
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
    """What the clocks of the processes are turned by."""
    turn_clock(tmp_path / "clock", 0)
    return tmp_path / "clock"


async def test_fire_on_sqlite(tmp_path: Path, fire_seconds: float) -> None:
    assert await fire(Plan(str(tmp_path / "fire.sqlite3"), 2, CAPACITIES), fire_seconds, kill_workers) == []


async def test_fire_on_postgres(postgres: PostgresServer, fire_seconds: float) -> None:
    plan = Plan(postgres.new_database(), 3, CAPACITIES)
    assert await fire(plan, fire_seconds, kill_workers, partial(kill_database, postgres)) == []


@pytest.mark.parametrize(("kind", "workers"), [("sqlite", 2), ("postgresql", 3)])
async def test_fire_while_clocks_are_turned(
    database: str, kind: str, workers: int, clock: Path, fire_seconds: float
) -> None:
    plan = Plan(database, workers, CAPACITIES, f"clock {clock} {MOST_SECONDS_AHEAD}")
    turning = partial(turn_clocks, clock)
    assert await fire(plan, fire_seconds, turning, clocks_ahead_by=MOST_SECONDS_AHEAD) == []


async def test_without_locks_the_auditor_finds_what_goes_wrong(postgres: PostgresServer) -> None:
    for _ in range(ROUNDS):
        wrong = await fire(Plan(postgres.new_database(), 2, CAPACITIES, "unlocked-postgres 0.5"), 2)
        if any("places and is sold" in line or "are claimed" in line for line in wrong):
            return
    pytest.fail("Nothing went wrong, though nothing was locked.")
