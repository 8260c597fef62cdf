"""The supervisor replaces dead workers, and replaces all workers on SIGHUP without losing a request."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from support.races.requests import ask, request
from support.servers.served_system import Plan, Served

pytestmark = pytest.mark.anyio


@pytest.fixture
async def plan(tmp_path: Path) -> Plan:
    """Return a Booking System to be served by two processes."""
    made = Plan(str(tmp_path / "served.sqlite3"), 2, {"yoga": 50})
    await made.stock()
    return made


async def workers_without(served: Served, former: set[int]) -> set[int]:
    """Wait until two new workers have replaced the former workers; check that every request is answered."""
    while len(found := set(served.workers())) != 2 or found & former:
        assert (await ask(served.port, request("GET", "/feeds/slots", "alice"))).status == 200
        await asyncio.sleep(0.02)
    return found


async def test_sighup_replaces_all_workers_while_requests_are_answered(plan: Plan) -> None:
    with Served(plan) as served:
        first = set(served.workers())
        served.send(signal.SIGHUP)
        second = await workers_without(served, first)
        assert (len(first), len(second)) == (2, 2)
    assert sum('"event":"serving"' in line.replace(": ", ":") for line in served.log) == 1


async def test_workers_that_die_together_are_replaced(plan: Plan) -> None:
    with Served(plan) as served:
        first = set(served.workers())
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        while len(found := set(served.workers())) != 2 or found & first:
            await asyncio.sleep(0.02)
        while (await ask(served.port, request("GET", "/feeds/slots", "alice"))).status != 200:
            await asyncio.sleep(0.02)
        assert set(served.workers()) == found


async def test_supervisor_ignores_other_signals(plan: Plan) -> None:
    with Served(plan) as served:
        workers = set(served.workers())
        for signal_ in (signal.SIGTTIN, signal.SIGTTOU, signal.SIGUSR1, signal.SIGQUIT):
            served.send(signal_)
        served.send(signal.SIGHUP)
        second = await workers_without(served, workers)
        assert len(second) == 2
