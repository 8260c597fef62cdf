"""The positions up to which Booking Partners have read their feeds."""

import asyncio
from unittest.mock import AsyncMock

import pytest

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.store import ORDERS, Feed, StoreUnavailableError
from openbooking.identity.partners.feed_positions import FeedPositionRecorder
from openbooking.testing.samples import MANAGER, book, cancel, fresh, session
from support.identity_provider import Desk

pytestmark = pytest.mark.anyio

FEED = Feed(ORDERS, "alice")


@pytest.fixture
async def numbers(desk: Desk) -> list[int]:
    """Return the change numbers of three Orders in the feed of Alice."""
    await desk.bookings.execute(Publish(session("yoga", 9), actor=MANAGER))
    for uuid in (fresh(), fresh(), fresh()):
        await desk.bookings.execute(book(uuid, "yoga"))
        await desk.bookings.execute(cancel(uuid, 1))
    return [item.modified for item in await desk.bookings.feed_items(FEED, 0, 9)]


async def record(recorder: FeedPositionRecorder, *positions: int) -> int:
    """Record positions one after the other, and return the stored one."""
    for position in positions:
        recorder.record(FEED, position)
        await recorder.wait_until_written()
    return await recorder.position(FEED)


async def test_the_highest_position_is_kept(desk: Desk, numbers: list[int]) -> None:
    first, second, last = numbers
    recorder = desk.provider.feed_positions
    assert await recorder.position(FEED) == 0
    assert await record(recorder, second) == second
    assert await record(recorder, 0, first) == second
    assert await record(recorder, last) == last
    assert await recorder.position(Feed(ORDERS, "bob")) == 0


async def test_a_position_survives_a_restart(desk: Desk, numbers: list[int]) -> None:
    await record(desk.provider.feed_positions, numbers[1])
    restarted = FeedPositionRecorder(desk.store, desk.bookings, desk.clock)
    assert await record(restarted, numbers[0]) == numbers[1]
    assert await record(restarted, numbers[2]) == numbers[2]


async def test_processes_that_record_at_once_keep_the_highest_position(desk: Desk, numbers: list[int]) -> None:
    recorders = [FeedPositionRecorder(desk.store, desk.bookings, desk.clock) for _ in numbers]
    for recorder, position in zip(recorders, reversed(numbers), strict=True):
        recorder.record(FEED, position)
    await asyncio.gather(*(recorder.wait_until_written() for recorder in recorders))
    assert await desk.provider.feed_positions.position(FEED) == numbers[-1]


async def test_a_process_tries_again_if_another_one_has_written(
    desk: Desk, numbers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    save = AsyncMock(side_effect=[False, True])
    monkeypatch.setattr(desk.store, "save", save)
    await record(desk.provider.feed_positions, numbers[0])
    assert save.await_count == 2


async def test_a_position_behind_the_end_of_the_feed_is_not_recorded(desk: Desk, numbers: list[int]) -> None:
    recorder = desk.provider.feed_positions
    assert await record(recorder, numbers[-1] + 1) == 0
    assert await record(recorder, numbers[0]) == numbers[0]


async def test_a_position_that_could_not_be_written_is_written_by_the_next_request(
    desk: Desk, numbers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = desk.provider.feed_positions
    with monkeypatch.context() as patched:
        patched.setattr(desk.store, "save", AsyncMock(side_effect=StoreUnavailableError("The disk is full.")))
        assert await record(recorder, numbers[0]) == 0
    assert await record(recorder, numbers[0]) == numbers[0]
