"""The limit on the memory of feed pages, and pages that are too large for the cache."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Message

from openbooking.openactive.errors import TemporarilyUnavailableError
from openbooking.web.api import feeds
from openbooking.web.api.feed_pages import Page, PageCache, PageKey, make_page, send_page
from openbooking.web.api.page_memory import MAKING_BYTES, PageMemory
from support.http_system import World

pytestmark = pytest.mark.anyio

LARGE = Page([], b"x" * (40 * 2**20), full=True)
SOUGHT = PageKey("events", 0, gzip=False)


async def test_a_page_too_large_for_the_cache_is_sent() -> None:
    kept, made = PageCache(), 0

    async def make() -> Page:
        nonlocal made
        made += 1
        return LARGE

    assert [await kept.make(SOUGHT, make), await kept.make(SOUGHT, make)] == [LARGE, LARGE]
    assert kept.find(SOUGHT) is None
    assert made == 2


async def test_a_page_is_given_to_the_server_in_pieces() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await send_page(LARGE, {"type": "http", "method": "GET", "headers": []}, send)
    bodies = [message["body"] for message in sent[1:]]
    assert max(map(len, bodies)) == 256 * 2**10
    assert b"".join(bodies) == LARGE.body
    assert [message.get("more_body", False) for message in sent[1:]] == [True] * (len(bodies) - 1) + [False]


async def test_pages_are_made_in_order_while_memory_is_free() -> None:
    room, order = PageMemory(2 * MAKING_BYTES), list[int]()
    begin = asyncio.Event()

    async def make(number: int) -> None:
        async with room.reserve():
            order.append(number)
            await begin.wait()

    making = [asyncio.create_task(make(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert order == [0, 1]
    begin.set()
    await asyncio.gather(*making)
    assert order == [0, 1, 2, 3, 4]


async def test_a_request_that_waits_too_long_for_memory_is_refused() -> None:
    room = PageMemory(MAKING_BYTES, seconds=0.01)
    async with room.reserve():
        with pytest.raises(TemporarilyUnavailableError) as refusal:
            async with room.reserve():
                pytest.fail("There is no room.")
    assert refusal.value.retry_after
    async with room.reserve():
        pass


async def test_a_request_cancelled_while_waiting_does_not_block_others() -> None:
    room, begun = PageMemory(MAKING_BYTES), list[int]()

    async def make(number: int) -> None:
        async with room.reserve():
            begun.append(number)

    async with room.reserve():
        waiting = [asyncio.create_task(make(number)) for number in range(3)]
        await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.wait(waiting)
    assert begun == [1, 2]


async def test_a_page_sent_to_several_clients_takes_memory_once() -> None:
    room = PageMemory(len(LARGE.body) + MAKING_BYTES, seconds=0.01)
    with room.count_while_sent(LARGE), room.count_while_sent(LARGE):
        async with room.reserve():
            pass
        other = Page([], bytes(len(LARGE.body)))
        with room.count_while_sent(other), pytest.raises(TemporarilyUnavailableError):
            async with room.reserve():
                pytest.fail("There is no room.")
    async with room.reserve():
        pass


async def test_pages_are_compressed_while_their_memory_is_reserved(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    being_made, compressed = 0, list[int]()
    reserve = PageMemory.reserve

    @asynccontextmanager
    async def counted(memory: PageMemory) -> AsyncIterator[None]:
        nonlocal being_made
        async with reserve(memory):
            being_made += 1
            yield
            being_made -= 1

    def observed(body: bytes, headers: Mapping[str, str], **options: Any) -> Page:
        compressed.append(being_made)
        return make_page(body, headers, **options)

    monkeypatch.setattr(PageMemory, "reserve", counted)
    monkeypatch.setattr(feeds, "make_page", observed)
    for path in ("/feeds/slots", "/api/orders-rpde"):
        await sqlite_world.read_feed(path)
    assert set(compressed) == {1}
    assert len(compressed) >= 2
