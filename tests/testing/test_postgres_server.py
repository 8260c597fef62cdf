"""The PostgreSQL server of the kit, late in a long run of tests."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from openbooking.testing.postgres import PostgresServer
from support.databases.opened_stores import opened

pytestmark = pytest.mark.anyio


async def test_a_server_trusts_its_clock_in_a_database_made_late(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    async with opened(postgres.url("prepared")) as store:
        await store.note_time(long_ago)
    monkeypatch.setattr(postgres, "_noted_at", time.monotonic() - 3600)
    async with opened(postgres.new_database()) as store:
        noted = await store.noted_time()
    assert noted is not None
    assert datetime.now(UTC) - noted < timedelta(minutes=5)
