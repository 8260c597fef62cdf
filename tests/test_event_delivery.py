"""`on_committed`: each event is told at least once, in the order of its Order, also after a failure or a crash."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from openbooking import event_delivery
from openbooking.booking.event_queue import StoreWithEvents
from openbooking.booking.model.order_event import AnyOrderEvent, OrderBooked, OrderCancelled
from openbooking.booking.model.policy import Policy
from openbooking.booking.store import FeedWriter, Store, StoreUnavailableError
from openbooking.event_delivery import _MOST_CALLS, _MOST_REPEATS, KEPT_FOR, EventDelivery, deliver_events, pause_after
from openbooking.store.memory import MemoryStore
from openbooking.store.migrate import prepare
from openbooking.store.postgres.store import PostgresStore
from openbooking.store.sqlite.store import SqliteStore
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.processes import Channel, kill_this_process, run_in_processes
from openbooking.testing.samples import Clock, book, cancel, fresh
from openbooking.testing.store_case import StoreTestCase

_ORDERS = 10
# After this time another process may tell the events of a killed one.
_TAKEN_OVER_AFTER = timedelta(seconds=61)


class Listener:
    """An `on_committed` that notes what it is told. It fails while `fails` returns true."""

    def __init__(self, fails: Callable[[AnyOrderEvent], bool] = lambda _: False) -> None:
        self.told: list[tuple[type[object], str]] = []
        self.ids: list[str] = []
        self.fails = fails

    async def __call__(self, event: AnyOrderEvent) -> None:
        """Note the event, or raise an exception."""
        if self.fails(event):
            raise ZeroDivisionError
        self.told.append((type(event), event.order.uuid))
        self.ids.append(event.id)


class FalseError(Exception):
    """An exception that is false."""

    def __len__(self) -> int:
        return 0


async def wait_until(is_reached: Callable[[], bool]) -> None:
    """Wait until the condition holds, and at most a minute."""
    async with asyncio.timeout(60):
        while not is_reached():
            await asyncio.sleep(0.01)


def delivery_of(store: Store, tell: Callable[[AnyOrderEvent], Any], clock: Clock, **changes: Any) -> EventDelivery:
    assert isinstance(store, StoreWithEvents)
    return EventDelivery(store.events, tell, clock, **changes)


class DeliveryTests(StoreTestCase):
    """The tests of every kind of store."""

    @asynccontextmanager
    async def delivering(self, folder: Path, listener: Listener) -> AsyncIterator[tuple[Store, EventDelivery, Clock]]:
        clock = Clock()
        async with self.stocked(folder, clock, yoga=40) as store:
            delivery = delivery_of(store, listener, clock)
            await delivery.begin()
            yield store, delivery, clock

    def test_events_are_told_once_and_in_their_order(self, tmp_path: Path) -> None:
        async def run() -> None:
            listener = Listener()
            async with self.delivering(tmp_path, listener) as (store, delivery, _):
                uuids = [fresh() for _ in range(_ORDERS)]
                for uuid in uuids:
                    await store.execute(book(uuid, "yoga"))
                await store.execute(cancel(uuids[0], 1))
                while await delivery.tell_due():
                    pass
            assert listener.told == [*((OrderBooked, uuid) for uuid in uuids), (OrderCancelled, uuids[0])]

        asyncio.run(run())

    def test_a_call_that_is_cancelled_from_within_is_a_failure(self, tmp_path: Path) -> None:
        def cancelled(_: AnyOrderEvent) -> bool:
            raise asyncio.CancelledError

        async def run() -> None:
            listener = Listener(fails=cancelled)
            async with self.delivering(tmp_path, listener) as (store, delivery, clock):
                await store.execute(book(fresh(), "yoga"))
                await delivery.tell_due()
                listener.fails = lambda _: False
                clock.move(pause_after(1))
                await delivery.tell_due()
            assert len(listener.told) == 1

        asyncio.run(run())

    def test_a_failed_event_is_told_again_and_holds_up_its_order_only(self, tmp_path: Path) -> None:
        """The failure is logged with the id of the event, and without personal data."""

        async def run() -> None:
            one, other = fresh(), fresh()
            listener = Listener(fails=lambda event: event.order.uuid == one)
            async with self.delivering(tmp_path, listener) as (store, delivery, clock):
                for command in (book(one, "yoga"), cancel(one, 1), book(other, "yoga")):
                    await store.execute(command)
                with capture_logs() as logs:
                    while await delivery.tell_due():
                        pass
                assert listener.told == [(OrderBooked, other)]
                (failed,) = logs
                assert (failed["event"], failed["order"], failed["attempts"], failed["again_in_seconds"]) == (
                    "on_committed.failed",
                    one,
                    1,
                    1,
                )
                listener.fails = lambda _: False
                clock.move(pause_after(1))
                while await delivery.tell_due():
                    pass
                assert listener.told[1:] == [(OrderBooked, one), (OrderCancelled, one)]

        asyncio.run(run())

    def test_a_call_that_takes_too_long_is_made_again(self, tmp_path: Path) -> None:
        async def run() -> None:
            calls = 0

            async def hang(event: AnyOrderEvent) -> None:
                nonlocal calls
                calls += 1
                await asyncio.Event().wait()

            clock = Clock()
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                delivery = delivery_of(store, hang, clock, call_seconds=0.01)
                await delivery.begin()
                await store.execute(book(fresh(), "yoga"))
                await delivery.tell_due()
                clock.move(pause_after(1))
                await delivery.tell_due()
            assert calls == 2

        asyncio.run(run())

    def test_calls_that_hang_hold_up_their_own_orders_only(self, tmp_path: Path) -> None:
        """Also when they hang again and again: a part of the calls is kept for new events."""

        async def run() -> None:
            hanging, calls, most = {fresh() for _ in range(_ORDERS)}, 0, 0
            listener = Listener()

            async def tell(event: AnyOrderEvent) -> None:
                nonlocal calls, most
                calls += 1
                most = max(most, calls)
                try:
                    if event.order.uuid in hanging:
                        await asyncio.Event().wait()
                    await listener(event)
                finally:
                    calls -= 1

            clock = Clock()
            async with self.stocked(tmp_path, clock, yoga=40) as store:
                assert isinstance(store, StoreWithEvents)
                await store.events.keep_until(clock() + KEPT_FOR)
                for uuid in hanging:
                    await store.execute(book(uuid, "yoga"))
                    await store.execute(cancel(uuid, 1))
                for failed in await store.events.due(clock(), _ORDERS):
                    await store.events.postpone(failed, clock())
                async with deliver_events(store.events, tell, clock):
                    await wait_until(lambda: calls == _MOST_REPEATS)
                    others = [fresh() for _ in range(2 * _MOST_CALLS)]
                    for uuid in others:
                        await store.execute(book(uuid, "yoga"))
                        await store.execute(cancel(uuid, 1))
                    await wait_until(lambda: len(listener.told) == 2 * len(others))
                    assert most <= _MOST_CALLS
                told = [[type_ for type_, uuid in listener.told if uuid == each] for each in others]
                assert told == [[OrderBooked, OrderCancelled]] * len(others)
                assert {uuid for _, uuid in listener.told} == set(others)

        asyncio.run(run())

    @pytest.mark.parametrize("fault", [GeneratorExit, SystemExit, BaseException, StopAsyncIteration, FalseError])
    def test_any_exception_is_a_failure(self, tmp_path: Path, fault: type[BaseException]) -> None:
        """The process goes on, and later events are told."""

        def fails(event: AnyOrderEvent) -> bool:
            if isinstance(event, OrderCancelled):
                raise fault
            return False

        async def run() -> None:
            listener, clock = Listener(fails), Clock()
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                assert isinstance(store, StoreWithEvents)
                async with deliver_events(store.events, listener, clock):
                    await store.execute(book(uuid := fresh(), "yoga"))
                    await store.execute(cancel(uuid, 1))
                    while not (await store.events.figures()).failing:
                        await asyncio.sleep(0.01)
                    await store.execute(book(fresh(), "yoga"))
                    await wait_until(lambda: len(listener.told) == 2)

        asyncio.run(run())

    def test_a_keyboard_interrupt_ends_the_process_and_loses_no_event(self, tmp_path: Path) -> None:
        def interrupt(_: AnyOrderEvent) -> bool:
            raise KeyboardInterrupt

        async def run() -> None:
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                assert isinstance(store, StoreWithEvents)
                await store.events.keep_until(clock() + KEPT_FOR)
                await store.execute(book(fresh(), "yoga"))
                try:
                    async with deliver_events(store.events, Listener(interrupt), clock):
                        await asyncio.Event().wait()
                finally:
                    waiting.append((await store.events.figures()).waiting)

        clock, waiting = Clock(), list[int]()
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(run())
        assert waiting == [1]

    def test_an_event_that_could_not_be_removed_is_not_told_again(self, tmp_path: Path) -> None:
        """The database is away for a moment after the call. The event is removed when it is back."""

        async def run() -> None:
            listener = Listener()
            async with self.delivering(tmp_path, listener) as (store, delivery, _):
                await store.execute(book(fresh(), "yoga"))
                remove = delivery._queue.remove

                async def fail(_: Any) -> None:
                    delivery._queue.remove = remove  # type: ignore[method-assign]
                    raise StoreUnavailableError("away")

                delivery._queue.remove = fail  # type: ignore[assignment,method-assign]
                await delivery._step()
                await delivery._step()
                assert isinstance(store, StoreWithEvents)
                assert (await store.events.figures()).waiting == 0
            assert len(listener.told) == 1

        asyncio.run(run())

    def test_a_cancelled_call_is_made_again_and_told_events_are_not(self, tmp_path: Path) -> None:
        """The system is closed during a call."""

        async def run() -> None:
            first, second = fresh(), fresh()
            listener, reached = Listener(), asyncio.Event()

            async def wait_at_the_second(event: AnyOrderEvent) -> None:
                if event.order.uuid == second and not reached.is_set():
                    reached.set()
                    await asyncio.Event().wait()
                await listener(event)

            clock = Clock()
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                assert isinstance(store, StoreWithEvents)
                await store.events.keep_until(clock() + KEPT_FOR)
                for uuid in (first, second):
                    await store.execute(book(uuid, "yoga"))
                async with deliver_events(store.events, wait_at_the_second, clock):
                    await reached.wait()
                assert listener.told == [(OrderBooked, first)]
                async with deliver_events(store.events, wait_at_the_second, clock):
                    await wait_until(lambda: len(listener.told) == 2)
            assert listener.told[1] == (OrderBooked, second)

        asyncio.run(run())

    def test_a_call_that_ignores_its_cancellation_does_not_hold_up_the_end(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(event_delivery, "STOP_SECONDS", 0.01)

        async def run() -> None:
            reached, released = asyncio.Event(), asyncio.Event()
            told = list[AnyOrderEvent]()

            async def ignore(event: AnyOrderEvent) -> None:
                reached.set()
                while not released.is_set():
                    with suppress(asyncio.CancelledError):
                        await released.wait()
                told.append(event)

            clock = Clock()
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                assert isinstance(store, StoreWithEvents)
                with capture_logs() as logs:
                    async with deliver_events(store.events, ignore, clock):
                        await store.execute(book(fresh(), "yoga"))
                        await reached.wait()
                assert [(log["event"], log["calls"]) for log in logs] == [("on_committed.not_stopped", 1)]
                assert told == []
                released.set()
                async with deliver_events(store.events, ignore, clock):
                    await wait_until(lambda: len(told) == 2)
            assert told[0] == told[1]

        asyncio.run(run())


class TestMemoryDelivery(DeliveryTests):
    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> MemoryStore:
        return MemoryStore(policy=policy, writer=writer, clock=clock)

    def test_delivery_goes_on_after_a_fault_of_the_store(self, tmp_path: Path) -> None:
        async def run() -> None:
            clock, listener = Clock(), Listener()
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                delivery = delivery_of(store, listener, clock)
                await delivery.begin()
                due, faults = delivery._queue.due, [StoreUnavailableError("away"), ZeroDivisionError()]

                async def fail(*_: Any) -> Any:
                    raise faults.pop()

                delivery._queue.due = fail  # type: ignore[assignment,method-assign]
                with capture_logs() as logs:
                    await delivery._step()
                    await delivery._step()
                delivery._queue.due = due  # type: ignore[method-assign]
                await store.execute(book(fresh(), "yoga"))
                await delivery._step()
            assert [entry["event"] for entry in logs] == ["on_committed.not_delivered", "on_committed.postponed"]
            assert len(listener.told) == 1

        asyncio.run(run())


class DurableDeliveryTests(DeliveryTests):
    """The tests of stores that several processes use. A told event is noted in a file, before the process dies."""

    def test_no_event_is_lost_when_the_process_is_killed_between_commit_and_delivery(self, tmp_path: Path) -> None:
        """The first process is killed while it tells the third event, the second one after all bookings."""
        notes = tmp_path / "told.sqlite3"
        with closing(sqlite3.connect(notes)) as db:
            db.execute("CREATE TABLE told (uuid, type)")

        async def stock() -> None:
            async with self.delivering(tmp_path, Listener()):
                pass

        asyncio.run(stock())
        uuids = [fresh() for _ in range(_ORDERS)]
        run_in_processes(self, partial(self.book_and_die_at, tmp_path, uuids, 3))
        run_in_processes(self, partial(self.tell_rest, tmp_path))
        with closing(sqlite3.connect(notes)) as db:
            told = db.execute("SELECT uuid, type FROM told ORDER BY rowid").fetchall()
        assert [uuid for uuid, type_ in told if type_ == "OrderBooked"][:3] == uuids[:3]
        assert {uuid for uuid, type_ in told if type_ == "OrderBooked"} == set(uuids)
        for uuid in uuids[::2]:
            types = [type_ for each, type_ in told if each == uuid]
            assert types.index("OrderBooked") < types.index("OrderCancelled")

    async def book_and_die_at(self, folder: Path, uuids: list[str], last: int, channel: Channel) -> None:
        """Book and cancel, tell events, and die before the return of the call for the last one."""
        del channel
        clock, told = Clock(), 0
        note = _note_in(folder)

        async def tell(event: AnyOrderEvent) -> None:
            nonlocal told
            await note(event)
            told += 1
            if told == last:
                kill_this_process()

        async with self.opened(folder, clock) as store:
            for uuid in uuids:
                await store.execute(book(uuid, "yoga"))
            for uuid in uuids[::2]:
                await store.execute(cancel(uuid, 1))
            await delivery_of(store, tell, clock).run()

    async def tell_rest(self, folder: Path, channel: Channel) -> None:
        """Tell all events that are left, once the right of the killed process has ended."""
        del channel
        clock = Clock()
        clock.move(_TAKEN_OVER_AFTER)
        async with self.opened(folder, clock) as store:
            assert isinstance(store, StoreWithEvents)
            async with deliver_events(store.events, _note_in(folder), clock):
                while (await store.events.figures()).waiting:
                    await asyncio.sleep(0.01)

    def test_events_are_told_by_one_of_several_processes(self, tmp_path: Path) -> None:
        """Two stores over one database tell events at the same time."""

        async def run() -> None:
            listeners = [Listener(), Listener()]
            async with (
                self.delivering(tmp_path, listeners[0]) as (one, _, clock),
                self.opened(tmp_path, clock) as other,
            ):
                assert isinstance(one, StoreWithEvents)
                assert isinstance(other, StoreWithEvents)
                async with (
                    deliver_events(one.events, listeners[0], clock),
                    deliver_events(other.events, listeners[1], clock),
                ):
                    for store in (one, other) * 3:
                        await store.execute(book(fresh(), "yoga"))
                    await wait_until(lambda: sum(len(listener.told) for listener in listeners) == 6)
                assert sorted(len(listener.told) for listener in listeners) == [0, 6]

        asyncio.run(run())


def _note_in(folder: Path) -> Callable[[AnyOrderEvent], Any]:
    async def note(event: AnyOrderEvent) -> None:
        with closing(sqlite3.connect(folder / "told.sqlite3", isolation_level=None)) as db:
            db.execute("INSERT INTO told VALUES (?, ?)", (event.order.uuid, type(event).__name__))

    return note


class TestSqliteDelivery(DurableDeliveryTests):
    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> SqliteStore:
        prepare(str(folder / "kit.sqlite3"))
        return SqliteStore(folder / "kit.sqlite3", policy=policy, writer=writer, clock=clock)


class TestPostgresDelivery(DurableDeliveryTests):
    @pytest.fixture(autouse=True)
    def database(self, postgres: PostgresServer) -> None:
        self.url = postgres.new_database()

    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> PostgresStore:
        return PostgresStore(self.url, policy=policy, writer=writer, clock=clock)


def test_pauses_grow_up_to_ten_minutes() -> None:
    assert [pause_after(attempts).total_seconds() for attempts in (1, 2, 3, 10, 11, 1000)] == [1, 2, 4, 512, 600, 600]
