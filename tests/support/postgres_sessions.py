"""Database sessions beside a store on PostgreSQL, for tests that lock rows or read tables."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

# Locks the Opportunity with the path $1 until the transaction ends.
LOCK_OPPORTUNITY = "SELECT FROM opportunity WHERE path = $1 FOR UPDATE"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Yield a connection to the database at a URL, and close the connection at the end."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def until_waiting(session: "asyncpg.Connection[asyncpg.Record]", count: int) -> None:
    """Return once at least `count` transactions of the server wait for a lock."""
    while await session.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") < count:
        await asyncio.sleep(0.01)
