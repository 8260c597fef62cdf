"""Tests of a store that keeps order events (`openbooking.booking.event_queue`), for store authors to inherit."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from openbooking.booking.commands.orders.book import Book
from openbooking.booking.event_queue import EventQueue, QueueFigures, StoreWithEvents
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.order_event import OrderBooked, OrderCancelled
from openbooking.booking.store import Store
from openbooking.testing.processes import Channel, kill_this_process, run_in_processes
from openbooking.testing.rules import rule
from openbooking.testing.samples import ALICE, Clock, book, cancel, fresh
from openbooking.testing.store_case import StoreTestCase

_DAY = timedelta(days=1)
_BOOKINGS = 12


class _OpenStore(NamedTuple):
    """A store that keeps events, and its queue."""

    store: Store
    queue: EventQueue
    clock: Clock

    async def due(self) -> list[tuple[type[object], str]]:
        """Return the types and the Order UUIDs of the events that are due."""
        return [
            (type(waiting.event), waiting.event.order.uuid) for waiting in await self.queue.due(self.clock(), limit=50)
        ]


@rule("Order events")
class EventTests(StoreTestCase):
    """Tests of the queue of events of a store in memory."""

    @asynccontextmanager
    async def keeping(self, folder: Path) -> AsyncIterator[_OpenStore]:
        """Open a store that keeps events, and publish a session in it."""
        clock = Clock()
        async with self.stocked(folder, clock, yoga=40) as store:
            queue = _queue_of(store)
            await queue.keep_until(clock() + _DAY)
            yield _OpenStore(store, queue, clock)

    def test_events_of_an_order_are_due_one_after_the_other(self, tmp_path: Path) -> None:
        """The second event of an Order is due when the first one was removed."""

        async def run() -> None:
            async with self.keeping(tmp_path) as opened:
                one, other = fresh(), fresh()
                for command in (book(one, "yoga"), book(other, "yoga"), cancel(one, 1)):
                    await opened.store.execute(command)
                assert await opened.due() == [(OrderBooked, one), (OrderBooked, other)]
                first, _ = await opened.queue.due(opened.clock(), limit=50)
                assert (first.event.order, first.attempts) == (OrderKey(ALICE.partner, one), 0)
                assert await opened.queue.due(opened.clock(), limit=1) == [first]
                await opened.queue.remove([first])
                assert sorted(await opened.due(), key=str) == sorted(
                    [(OrderBooked, other), (OrderCancelled, one)], key=str
                )

        asyncio.run(run())

    def test_a_refused_command_leaves_no_event(self, tmp_path: Path) -> None:
        """A booking that finds no space has changed nothing, so nothing is told."""

        async def run() -> None:
            async with self.keeping(tmp_path) as opened:
                reply = await opened.store.execute(book(fresh(), *["yoga"] * 41))
                assert reply.has_errors
                assert await opened.due() == []

        asyncio.run(run())

    def test_no_events_are_kept_before_the_first_call_and_after_the_time(self, tmp_path: Path) -> None:
        """A system without `on_committed` stores no events."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                await store.execute(book(fresh(), "yoga"))
                opened = _OpenStore(store, _queue_of(store), clock)
                await opened.queue.keep_until(clock() + _DAY)
                assert await opened.due() == []
                clock.move(_DAY)
                await store.execute(book(fresh(), "yoga"))
                assert await opened.due() == []

        asyncio.run(run())

    def test_a_postponed_event_holds_up_its_order_only(self, tmp_path: Path) -> None:
        """Events of other Orders are due meanwhile; the number of attempts is counted."""

        async def run() -> None:
            async with self.keeping(tmp_path) as opened:
                one, other = fresh(), fresh()
                for command in (book(one, "yoga"), cancel(one, 1), book(other, "yoga")):
                    await opened.store.execute(command)
                first = (await opened.queue.due(opened.clock(), limit=1))[0]
                await opened.queue.postpone(first, opened.clock() + timedelta(seconds=5))
                assert await opened.due() == [(OrderBooked, other)]
                assert await opened.queue.figures() == QueueFigures(3, 1, first.event.at)
                opened.clock.move(timedelta(seconds=5))
                again = {waiting.number: waiting for waiting in await opened.queue.due(opened.clock(), limit=50)}
                assert again[first.number] == first._replace(attempts=1)

        asyncio.run(run())

    def test_a_late_removal_of_an_event_removes_no_other_event(self, tmp_path: Path) -> None:
        """A process that was stopped while it told an event removes the event after another process has done so."""

        async def run() -> None:
            async with self.keeping(tmp_path) as opened:
                await opened.store.execute(book(fresh(), "yoga"))
                told = await opened.queue.due(opened.clock(), limit=50)
                await opened.queue.remove(told)
                await opened.store.execute(book(later := fresh(), "yoga"))
                await opened.queue.remove(told)
                assert await opened.due() == [(OrderBooked, later)]

        asyncio.run(run())

    def test_the_figures_of_an_empty_queue_are_zero(self, tmp_path: Path) -> None:
        """There is no oldest event."""

        async def run() -> None:
            async with self.keeping(tmp_path) as opened:
                assert await opened.queue.figures() == QueueFigures(0, 0, None)

        asyncio.run(run())


@rule("Order events")
class DurableEventTests(EventTests):
    """Tests of the queue of events of a store on disk that several processes can open at the same time."""

    def test_one_process_tells_events_at_a_time(self, tmp_path: Path) -> None:
        """Another one takes over when the first one has given up, or has not renewed its right in time.

        A right that was taken before a clock was turned back does not last for days.
        """

        async def run() -> None:
            async with self.keeping(tmp_path) as opened, self.opened(tmp_path, opened.clock) as other:
                one, two, now = opened.queue, _queue_of(other), opened.clock()
                later = now + timedelta(seconds=60)
                assert [await one.take_over("one", now, later), await two.take_over("two", now, later)] == [True, False]
                assert await one.take_over("one", now, later)
                await two.release("two")
                assert not await two.take_over("two", now, later)
                await one.release("one")
                assert await two.take_over("two", now, later)
                after = later + timedelta(seconds=1)
                assert await one.take_over("one", after, after)
                turned_back = now - _DAY
                assert await two.take_over("two", turned_back, turned_back + timedelta(seconds=60))

        asyncio.run(run())

    def test_a_killed_process_loses_no_event_of_a_booking_that_it_acknowledged(self, tmp_path: Path) -> None:
        """The events of all acknowledged bookings are due in another process, each once."""

        async def stock() -> None:
            async with self.keeping(tmp_path):
                pass

        asyncio.run(stock())
        commands = [book(fresh(), "yoga") for _ in range(_BOOKINGS)]
        works = [partial(self.book_until_killed, tmp_path, half) for half in (commands[::2], commands[1::2])]
        acknowledged = {uuid for sent in run_in_processes(self, *works) for uuid in sent}

        async def check() -> None:
            clock = Clock()
            async with self.opened(tmp_path, clock) as store:
                due = [waiting.event for waiting in await _queue_of(store).due(clock(), limit=50)]
                uuids = [event.order.uuid for event in due if isinstance(event, OrderBooked)]
                assert acknowledged <= set(uuids)
                assert len(uuids) == len(due) == len(set(uuids))

        asyncio.run(check())

    async def book_until_killed(self, folder: Path, commands: Sequence[Book], channel: Channel) -> None:
        """Execute the commands at the same time, send the UUIDs that are booked, and die before the last one."""
        async with self.opened(folder, Clock()) as store:
            await channel.wait_for_others()
            for number, done in enumerate(asyncio.as_completed([store.execute(command) for command in commands]), 2):
                reply = await done
                channel.send(reply.uuid)
                if number == len(commands):
                    kill_this_process()


def _queue_of(store: Store) -> EventQueue:
    assert isinstance(store, StoreWithEvents), "The store has no attribute `events`."
    return store.events
