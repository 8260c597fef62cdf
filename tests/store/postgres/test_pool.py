"""A connection to PostgreSQL that is lost: the error says why, and the connection is closed."""

import asyncio

import pytest

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.store import StoreUnavailableError
from openbooking.store.postgres.pool import StaleConnectionError, detect_loss
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import MANAGER, SELLER, book, fresh, session, session_path
from support.databases.opened_stores import opened, postgres_driver
from support.postgres_sessions import LOCK_OPPORTUNITY, connected, until_waiting

pytestmark = pytest.mark.anyio


@pytest.fixture
async def url(postgres: PostgresServer) -> str:
    """Return the URL of a new database that sells spaces of yoga."""
    url = postgres.new_database()
    async with opened(url) as store:
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        await store.execute(Publish(session("yoga", 5), actor=MANAGER))
    return url


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("SELECT pg_terminate_backend(pid)", "terminating connection|closed in the middle"),
        ("SELECT pg_cancel_backend(pid)", "cancel"),
    ],
)
async def test_the_error_of_a_lost_connection_names_the_cause(url: str, end: str, reason: str) -> None:
    async with opened(url) as store, connected(url) as other, other.transaction():
        await other.execute(LOCK_OPPORTUNITY, session_path("yoga"))
        booking = asyncio.create_task(store.execute(book(fresh(), "yoga")))
        await until_waiting(other, 1)
        await other.execute(f"{end} FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        with pytest.raises(StoreUnavailableError, match=reason) as told:
            await booking
    assert "cannot call" not in str(told.value)
    assert "released back" not in str(told.value)


async def test_a_connection_lost_while_idle_is_reported_as_stale(url: str) -> None:
    async with opened(url) as store, postgres_driver(store)._writers.connection() as connection:
        connection.terminate()
        for _ in range(2):
            with (
                pytest.raises(StaleConnectionError, match="while it was not in use"),
                detect_loss(connection),
            ):
                await connection.execute("SELECT 1")
