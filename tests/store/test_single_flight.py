"""Concurrent callers share a lookup."""

import asyncio

import pytest

from openbooking.store.single_flight import SingleFlight

pytestmark = pytest.mark.anyio


class Slow:
    """A value whose `read` waits for the event `go_on`."""

    def __init__(self) -> None:
        self.value = 0
        self.begun = 0
        self.go_on = asyncio.Event()

    async def read(self) -> int:
        self.begun += 1
        seen = self.value
        await self.go_on.wait()
        if seen < 0:
            raise LookupError
        return seen


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_concurrent_callers_share_a_lookup_and_later_callers_get_a_new_one() -> None:
    slow, shared = Slow(), SingleFlight[int]()
    early = [asyncio.create_task(shared.get("a", slow.read)) for _ in range(3)]
    await _settle()
    slow.value = 1
    late = [asyncio.create_task(shared.get("a", slow.read)) for _ in range(3)]
    await _settle()
    assert slow.begun == 1
    slow.go_on.set()
    assert await asyncio.gather(*early, *late) == [0, 0, 0, 1, 1, 1]
    assert slow.begun == 2


async def test_different_lookups_do_not_wait_for_each_other() -> None:
    slow, shared = Slow(), SingleFlight[int]()
    held = asyncio.create_task(shared.get("a", slow.read))
    other = Slow()
    other.go_on.set()
    assert await shared.get("b", other.read) == 0
    assert not held.done()
    slow.go_on.set()
    assert await held == 0


async def test_every_caller_gets_the_exception_and_the_next_lookup_is_new() -> None:
    slow, shared = Slow(), SingleFlight[int]()
    slow.value = -1
    slow.go_on.set()
    faults = await asyncio.gather(*(shared.get("a", slow.read) for _ in range(2)), return_exceptions=True)
    assert [type(fault) for fault in faults] == [LookupError, LookupError]
    slow.value = 2
    assert await shared.get("a", slow.read) == 2


async def test_a_cancelled_caller_does_not_cancel_the_lookup() -> None:
    slow, shared = Slow(), SingleFlight[int]()
    patient, hasty = (asyncio.create_task(shared.get("a", slow.read)) for _ in range(2))
    await _settle()
    hasty.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hasty
    slow.go_on.set()
    assert await patient == 0
