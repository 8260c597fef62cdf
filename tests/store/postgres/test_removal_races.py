"""Processes that remove what is over, book, cancel and publish at the same time do not disturb each other."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import asyncpg
import pytest

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.remove_over import RemoveOver
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.record import OrderRecord
from openbooking.openactive.errors import OpenBookingError
from openbooking.store.sql import SqlStore
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import ALICE, MANAGER, SELLER, Clock, cancel, fresh
from openbooking.testing.stores.court_tests import OPENS, book_slots, free_slots, quote_slots, slots
from support.databases.opened_stores import open_store

pytestmark = pytest.mark.anyio

COURTS = ("a", "b", "c")
STARTS = range(0, 240, 30)
POLICY = Policy(leasing=Leasing.NAMED)


@pytest.mark.parametrize("minutes", [150, 200, 240, 600])
async def test_removal_bookings_and_publications_at_once_do_not_disturb_each_other(
    postgres: PostgresServer, minutes: int
) -> None:
    database, clock = postgres.new_database(), Clock()
    stores = [open_store(database, policy=POLICY, clock=clock) for _ in range(3)]
    first, second, third = stores
    await first.execute(PublishSeller(SELLER, actor=MANAGER))
    for court in COURTS:
        await first.execute(Publish(slots(court), actor=MANAGER))
    orders = {fresh(): key for court in COURTS for key in (f"{court}-0-60", f"{court}-60-60", f"{court}-120-90")}
    for uuid, key in orders.items():
        assert not (await first.execute(book_slots(uuid, key))).has_errors
    clock.move(OPENS - clock() + timedelta(minutes=minutes))
    works: list[Awaitable[None]] = []
    for store in stores:
        works += (repeat_removal(store), *(execute(store, Publish(slots(court), actor=MANAGER)) for court in COURTS))
    for court in COURTS:
        for start in STARTS:
            works += (
                execute(second, book_slots(fresh(), f"{court}-{start}-60")),
                execute(third, quote_slots(fresh(), f"{court}-{start}-90")),
            )
    works += (execute(third, cancel(uuid, 1)) for uuid in orders)
    await asyncio.gather(*works)
    for store in stores:
        await repeat_removal(store)
    kept = [await first.execute(GetOrder(caller=ALICE, uuid=uuid)) for uuid in orders]
    assert {order.uuid for order in kept if isinstance(order, OrderRecord)} == orders.keys()
    await free_slots(first)
    assert await first.check_integrity() == []
    for store in stores:
        await store.close()
    assert await deadlocks(database) == 0


async def deadlocks(database: str) -> int:
    """Return how many transactions of this database have been ended because of a deadlock."""
    connection = await asyncpg.connect(database)
    found = await connection.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    await connection.close()
    return int(found)


async def repeat_removal(store: SqlStore) -> None:
    while await store.execute(RemoveOver()):
        pass


async def execute(store: SqlStore, command: Command[object]) -> None:
    """Carry out a command that may be refused."""
    try:
        await store.execute(command)
    except OpenBookingError:
        return
