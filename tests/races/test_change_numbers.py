"""A harvester reads while one booking waits for its commit and a later booking has been committed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.model.policy import Policy
from openbooking.store.postgres.store import PostgresStore
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import MANAGER, SELLER, SESSIONS, Clock, book, fresh, session, session_path
from openbooking.testing.store_case import feed_writer
from support.databases.wrong_stores import NUMBERS, StoreThatNumbersEarly

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def opened(url: str, kind: Callable[..., PostgresStore] = PostgresStore) -> AsyncIterator[PostgresStore]:
    store = kind(url, policy=Policy(), writer=feed_writer(), clock=Clock())
    try:
        yield store
    finally:
        await store.close()


async def has_missed(url: str, kind: Callable[..., PostgresStore]) -> bool:
    """Return whether a harvester that reads between two commits ends with a wrong copy."""
    copy: dict[str, bytes | None] = {}
    async with opened(url) as stock:
        await stock.execute(PublishSeller(SELLER, actor=MANAGER))
        for key in ("yoga", "spin"):
            await stock.execute(Publish(session(key, 5), actor=MANAGER))
    async with opened(url, kind) as one, opened(url, kind) as other:
        after = await follow(other, 0, copy)
        connection = await asyncpg.connect(url)
        async with connection.transaction():
            await connection.execute("SELECT FROM feed_item WHERE id = $1 FOR UPDATE", session_path("yoga"))
            held_up = asyncio.create_task(one.execute(book(fresh(), "yoga")))
            while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
            await other.execute(book(fresh(), "spin"))
            after = await follow(other, after, copy)
        await held_up
        await connection.close()
        await follow(other, after, copy)
        return copy != {item.id: item.data for item in await other.feed_items(SESSIONS, 0, 10)}


async def follow(store: PostgresStore, after: int, copy: dict[str, bytes | None]) -> int:
    """Read the feed from `after` to its end into `copy`; return the last change number."""
    while items := await store.feed_items(SESSIONS, after, 1):
        copy.update({item.id: item.data for item in items})
        after = items[-1].modified
    return after


async def test_change_numbers_are_given_after_the_commit(postgres: PostgresServer) -> None:
    assert not await has_missed(postgres.new_database(), PostgresStore)


async def test_a_harvester_misses_items_whose_numbers_are_taken_before_the_commit(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    connection = await asyncpg.connect(url)
    await connection.execute(NUMBERS)
    await connection.close()
    assert await has_missed(url, StoreThatNumbersEarly)
