"""The sums of past days are used while they are valid, and no longer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, text

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.model.order import OrderKey
from openbooking.booking.views import SalesGroup
from openbooking.store.migrate import prepare, run_in_migration
from openbooking.store.save_statements import SaveStatements
from openbooking.store.sql import SqlStore
from openbooking.store.views.cursor import Period
from openbooking.store.views.day_statements import DayStatements, OutdatedDay
from openbooking.store.views.past_days import _ended_days, save_day
from openbooking.store.views.sums import DaySums
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import ALICE, MANAGER, SELLER, START, Clock, book, cancel, fresh, session
from openbooking.testing.stores.views.view_case import exchange
from support.databases.opened_stores import open_store

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
LONDON, KATHMANDU = ZoneInfo("Europe/London"), ZoneInfo("Asia/Kathmandu")
MIDNIGHT = START.replace(hour=0)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        prepare(str(tmp_path / "x.sqlite3"))
        return str(tmp_path / "x.sqlite3")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(database: str, clock: Clock) -> AsyncIterator[SqlStore]:
    """Yield a store with two Orders of one item each, booked three days ago, whose sums say that it was 99 items."""
    opened = open_store(database, clock=clock)
    await opened.execute(PublishSeller(SELLER, actor=MANAGER))
    await opened.execute(Publish(session("yoga", 9), actor=MANAGER))
    for uuid in UUIDS:
        await opened.execute(book(uuid, "yoga"))
    clock.move(3 * DAY)
    await opened.views.add_up_past_days([SELLER.key])
    clock.move(timedelta(hours=2))
    await opened.views.add_up_past_days([SELLER.key])
    await execute(database, "UPDATE sales_sum SET items = 99")
    yield opened
    await opened.close()


UUIDS = [fresh(), fresh()]


async def execute(database: str, statement: str) -> list[Any]:
    def run(connection: Connection) -> list[Any]:
        result = connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []

    return await asyncio.to_thread(run_in_migration, database, run)


async def sold(
    store: SqlStore, by: SalesGroup = SalesGroup.DAY, zone: tzinfo = LONDON, since: timedelta = timedelta()
) -> int:
    views = store.views.of(SELLER.key)
    sales = await views.sales(MIDNIGHT + since, MIDNIGHT + 9 * DAY, by, zone)
    return sum(row.sold.count for row in sales.rows)


async def test_sums_of_whole_days_are_used(store: SqlStore) -> None:
    assert [await sold(store, by) for by in SalesGroup] == [99] * 5
    assert await sold(store, since=timedelta(hours=1)) == 2


async def test_sums_are_not_used_for_days_that_begin_at_another_time(store: SqlStore) -> None:
    assert await sold(store, zone=KATHMANDU) == 2
    assert await sold(store, SalesGroup.MONTH, KATHMANDU) == 99


async def test_sums_stay_valid_when_items_are_booked_or_cancelled_later(store: SqlStore) -> None:
    await store.execute(cancel(UUIDS[0], 1))
    assert await sold(store) == 99
    await store.execute(book(fresh(), "yoga"))
    assert await sold(store) == 100


async def test_sums_stay_valid_when_an_item_is_replaced_again(store: SqlStore, database: str, clock: Clock) -> None:
    for key in ("pilates", "spin", "boxing"):
        await store.execute(Publish(session(key, 9), actor=MANAGER))
        await store.execute(exchange(OrderKey(ALICE.partner, UUIDS[0]), 1, key))
        clock.move(2 * DAY)
        await store.views.add_up_past_days([SELLER.key])
        clock.move(timedelta(hours=2))
        await store.views.add_up_past_days([SELLER.key])
    assert set(await execute(database, "SELECT version, summed FROM sales_day")) == {(0, 0)}
    assert await sold(store) == 99 + 3
    ended = await execute(database, "SELECT replaced FROM ended_line WHERE number = 1 ORDER BY replaced")
    assert ended == [(1,), (2,), (3,)]


async def test_sums_are_added_up_again_after_a_deletion(store: SqlStore, database: str) -> None:
    await store.execute(DeleteOrder(caller=ALICE, uuid=UUIDS[0]))
    assert await sold(store) == 1
    await store.views.add_up_past_days([SELLER.key])
    assert await sold(store) == 1
    assert await execute(database, "SELECT items FROM sales_sum") == [(1,)]
    assert await execute(database, "SELECT version, summed FROM sales_day ORDER BY since") == [(1, 1), (0, 0), (0, 0)]


async def test_sums_of_a_day_that_has_changed_meanwhile_are_not_stored(store: SqlStore, database: str) -> None:
    ((since, until),) = await execute(database, "SELECT since, until FROM sales_day ORDER BY since LIMIT 1")
    day = OutdatedDay(SELLER.key, since, until, version=0)
    await store.execute(DeleteOrder(caller=ALICE, uuid=UUIDS[0]))
    days, saves = DayStatements(store._dialect), SaveStatements(store._dialect)
    await store._database.write(lambda: save_day(days, saves, day, DaySums()))
    assert await execute(database, "SELECT items FROM sales_sum") == [(99,)]
    assert await sold(store) == 1


async def test_a_day_is_listed_an_hour_after_its_end(store: SqlStore, database: str, clock: Clock) -> None:
    clock.time = MIDNIGHT + 4 * DAY + timedelta(minutes=59)
    await store.views.add_up_past_days([SELLER.key])
    assert len(await execute(database, "SELECT since FROM sales_day")) == 3
    clock.move(timedelta(minutes=1))
    await store.views.add_up_past_days([SELLER.key])
    assert len(await execute(database, "SELECT since FROM sales_day")) == 4


async def test_days_that_a_clock_ahead_has_listed_are_removed(store: SqlStore, database: str, clock: Clock) -> None:
    now = clock.time
    clock.move(9 * DAY)
    await store.views.add_up_past_days([SELLER.key])
    assert len(await execute(database, "SELECT since FROM sales_day")) == 12
    clock.time = now
    await store.views.add_up_past_days([SELLER.key])
    assert len(await execute(database, "SELECT since FROM sales_day")) == 3
    assert await sold(store) == 99


def test_days_are_shorter_and_longer_when_clocks_change() -> None:
    march, october = START.replace(month=3, day=27, hour=0), START.replace(month=10, day=30, hour=5)
    lengths = [[length(day) for day in _ended_days(since, since + 3 * DAY, LONDON)] for since in (march, october)]
    assert lengths == [[24, 23, 24], [24, 25, 24]]


def length(day: Period) -> int:
    return (day.until.astimezone(UTC) - day.since.astimezone(UTC)) // timedelta(hours=1)
