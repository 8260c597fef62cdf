"""The gate waits for requests inside, and lets none in while it is closed."""

import asyncio

import pytest

from openbooking.sandbox.control.gate import Gate

pytestmark = pytest.mark.anyio


async def test_a_closed_gate_waits_for_those_inside_and_lets_nobody_in() -> None:
    gate, told, leave = Gate(), list[str](), asyncio.Event()

    async def request(name: str) -> None:
        async with gate.inside():
            told.append(f"{name} enters")
            await leave.wait()
            told.append(f"{name} leaves")

    async def replace() -> None:
        async with gate.closed():
            told.append("closed")
            await asyncio.sleep(0)
            told.append("open")

    tasks = [asyncio.create_task(request("first"))]
    await asyncio.sleep(0)
    tasks += [asyncio.create_task(replace()), asyncio.create_task(request("second"))]
    await asyncio.sleep(0)
    leave.set()
    await asyncio.gather(*tasks)
    assert told == ["first enters", "first leaves", "closed", "open", "second enters", "second leaves"]
