"""Replies while another process keeps the database or one of its rows locked."""

import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from openbooking.testing.postgres import PostgresServer
from support.builders import UUID, new_uuid
from support.http_system import HALL, YOGA, World, open_world
from support.parties import CUSTOMER

pytestmark = pytest.mark.anyio

SHORT = 0.5
LOCK = "SELECT FROM opportunity WHERE path = $1 FOR UPDATE"


async def refusals(world: World) -> dict[tuple[str, ...], float]:
    reply = await world.client.get("/metrics", headers={"Authorization": "Bearer scrape-me"})
    lines = [line for line in reply.text.splitlines() if "TemporarilyUnable" in line and "_created" not in line]
    return {tuple(line.rpartition(" ")[0].split()): float(line.rpartition(" ")[2]) for line in lines}


@pytest.mark.spec("E-38", "E-39", "E-41")
async def test_while_another_writes_to_the_file_requests_are_503_and_feeds_are_read(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, command_seconds=SHORT, metrics_token="scrape-me") as world:
        with closing(sqlite3.connect(world.settings.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            quote = world.quote(world.item(YOGA), customer=CUSTOMER)
            for method, path, body, expected in (
                ("PUT", f"order-quotes/{UUID}", quote, "TemporarilyUnableToProduceOrderQuoteError"),
                ("PUT", f"orders/{UUID}", world.order(world.item(YOGA)), "TemporarilyUnableToCreateOrderError"),
                ("DELETE", f"order-quotes/{UUID}", None, "TemporarilyUnableToDeleteOrderError"),
            ):
                reply = await world.call(method, path, body)
                assert (reply.status_code, reply.json()["@type"]) == (503, expected)
                assert int(reply.headers["retry-after"]) > 0
            assert (await world.client.get("/feeds/scheduled-sessions")).status_code == 200
            other.execute("ROLLBACK")
        assert len(await refusals(world)) == 3
        assert (await world.call("PUT", f"orders/{UUID}", world.order(world.item(YOGA)))).status_code == 201


@pytest.mark.spec("E-39")
async def test_while_a_row_is_locked_bookings_of_it_are_503_and_others_are_made(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = postgres.new_database()
    async with open_world("postgresql", tmp_path, database=url, command_seconds=SHORT) as world:
        other = await asyncpg.connect(url)
        async with other.transaction():
            await other.execute(LOCK, YOGA[-1].path)
            blocked = await world.call("PUT", f"orders/{UUID}", world.order(world.item(YOGA)))
            booked = await world.call("PUT", f"orders/{new_uuid()}", world.order(world.item(HALL)))
            assert (blocked.status_code, blocked.json()["@type"]) == (503, "TemporarilyUnableToCreateOrderError")
            assert booked.status_code == 201
        await other.close()
        assert (await world.call("PUT", f"orders/{UUID}", world.order(world.item(YOGA)))).status_code == 201
