"""Serving processes that receive SIGTERM, and the metrics that they share."""

import asyncio
import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.order import Caller
from openbooking.openactive.ids import Identifiers
from support.builders import UUID, new_uuid
from support.parties import CENTRE
from support.races.brokers import order_body
from support.races.requests import ask, request
from support.servers.served_system import HOST, Plan, Served

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("measured_processes")]

OURS = "gateway-7"


@pytest.fixture(params=[1, 2])
async def plan(request: pytest.FixtureRequest, tmp_path: Path) -> Plan:
    """Return a Booking System to be served by one process or two."""
    made = Plan(str(tmp_path / "served.sqlite3"), request.param, {"yoga": 50})
    await made.stock()
    return made


def booking(plan: Plan, uuid: str) -> bytes:
    """Return the bytes of a B request."""
    return request("PUT", f"/api/orders/{uuid}", "alice", order_body(Identifiers(plan.settings.base_uri), ["yoga"]))


async def stops_listening(port: int) -> None:
    """Wait until connections are refused."""
    while True:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except ConnectionRefusedError:
            return
        writer.close()
        await asyncio.sleep(0.02)


async def test_a_booking_received_before_sigterm_is_made_and_answered(plan: Plan) -> None:
    head, _, body = booking(plan, UUID).partition(b"\r\n\r\n")
    with Served(plan) as served, closing(sqlite3.connect(plan.database, isolation_level=None)) as other:
        reader, writer = await asyncio.open_connection(HOST, served.port)
        writer.write(head + f"\r\nX-Request-ID: {OURS}\r\nExpect: 100-continue\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        other.execute("BEGIN IMMEDIATE")
        writer.write(body)
        served.terminate()
        await stops_listening(served.port)
        other.execute("ROLLBACK")
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 201"), answer
    store = plan.open_store()
    await store.execute(GetOrder(caller=Caller("alice", frozenset({CENTRE.key})), uuid=UUID))
    await store.close()
    told = [json.loads(line) for line in served.log]
    (line,) = [line for line in told if line.get("request_id") == OURS]
    assert (line["event"], line["order"], line["partner"], line["status"]) == ("request", UUID, "alice", 201)


async def test_a_draining_server_is_not_ready_and_still_answers(plan: Plan) -> None:
    ready = request("GET", "/readyz", "alice")
    with Served(plan, drain_seconds="600") as served:
        while (await ask(served.port, ready)).status != 200:
            await asyncio.sleep(0.02)
        served.terminate()
        while (await ask(served.port, ready)).status != 503:
            await asyncio.sleep(0.02)
        for _ in range(4):
            assert (await ask(served.port, booking(plan, new_uuid()))).status == 201
        # `Served` sends a second SIGTERM at the end of the block, which ends the drain.


async def test_a_process_that_starts_during_the_drain_is_not_ready(tmp_path: Path) -> None:
    plan = Plan(str(tmp_path / "served.sqlite3"), 2, {"yoga": 50})
    await plan.stock()
    with Served(plan, drain_seconds="600") as served:

        async def told() -> Any:
            while (reply := await ask(served.port, request("GET", "/readyz", "alice"))).status is None:
                await asyncio.sleep(0.02)
            return reply.json

        served.terminate()
        while (await told())["serving"] == "ok":
            await asyncio.sleep(0.02)
        for pid in served.workers():
            os.kill(pid, signal.SIGKILL)
        while (parts := await told())["sweeper"] != "ok":
            assert parts["serving"] == "not ok"
        assert parts["serving"] == "not ok"
        assert (await ask(served.port, booking(plan, UUID))).status == 201


async def test_every_process_reports_the_metrics_of_all(plan: Plan) -> None:
    def counted() -> Any:
        with httpx2.Client(base_url=f"http://{HOST}:{served.port}", trust_env=False) as client:
            page = client.get("/metrics", headers={"Authorization": "Bearer scrape-me"}).raise_for_status().text
        samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
        return {
            (sample.labels["method"], sample.labels["status"]): sample.value
            for sample in samples
            if sample.name.endswith("_duration_seconds_count") and sample.labels["endpoint"] == "/api/orders/{uuid}"
        }

    with Served(plan, metrics_token="scrape-me") as served:
        uuids = [new_uuid() for _ in range(20)]
        await asyncio.gather(*(ask(served.port, booking(plan, uuid)) for uuid in uuids))
        await asyncio.gather(*(ask(served.port, request("GET", f"/api/orders/{uuid}", "bob")) for uuid in uuids))
        for _ in range(4):
            assert await asyncio.to_thread(counted) == {("PUT", "201"): 20, ("GET", "404"): 20}
