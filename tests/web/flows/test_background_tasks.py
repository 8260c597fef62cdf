"""The sweeper, which ends Leases, and the upkeep continue after a fault."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import anyio
import pytest

from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.store import StoreUnavailableError
from openbooking.booking.views import StoreWithViews
from support.builders import UUID
from support.http_system import YOGA, World
from support.parties import CUSTOMER

pytestmark = pytest.mark.anyio

C2 = f"order-quotes/{UUID}"


@pytest.mark.spec("OB-LEASE-20")
async def test_upkeep_that_fails_is_tried_again_every_minute(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[datetime] = []

    async def fail(before: datetime) -> None:
        tried.append(before)
        raise StoreUnavailableError("Others are reading.")

    monkeypatch.setattr(sqlite_world.store, "forget_deleted", fail)
    while not tried:
        sqlite_world.pass_time(hours=1)
        await anyio.sleep(0.2)
    for _ in range(3):
        times = len(tried)
        sqlite_world.pass_time(minutes=1)
        while len(tried) == times:
            await anyio.sleep(0.01)
    assert len(set(tried)) == len(tried)


async def test_the_upkeep_adds_up_past_days_of_all_sellers(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = sqlite_world.store
    assert isinstance(store, StoreWithViews)
    added, done = set[str](), anyio.Event()

    async def add_up(sellers: Sequence[str]) -> None:
        added.update(sellers)
        done.set()

    monkeypatch.setattr(store.views, "add_up_past_days", add_up)
    sqlite_world.pass_time(hours=1)
    await done.wait()
    assert added == {seller.key for seller in await sqlite_world.store.sellers()}


async def test_leases_end_after_a_fault_of_the_sweeper(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await sqlite_world.call("PUT", C2, sqlite_world.quote(sqlite_world.item(YOGA), customer=CUSTOMER))
    execute, failed = sqlite_world.store.execute, anyio.Event()

    async def broken(command: Any) -> Any:
        if isinstance(command, ExpireLeases) and not failed.is_set():
            failed.set()
            raise ZeroDivisionError
        return await execute(command)

    monkeypatch.setattr(sqlite_world.store, "execute", broken)
    sqlite_world.pass_time(minutes=15)
    await failed.wait()
    while await yoga_left(sqlite_world) != 10:
        await anyio.sleep(0.05)


async def yoga_left(world: World) -> Any:
    """Return how many spaces of yoga the open feed shows as left."""
    return (await world.read_feed("/feeds/scheduled-sessions"))["yoga"]["data"]["remainingAttendeeCapacity"]
