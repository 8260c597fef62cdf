"""Tests of a store whose processes are killed (SIGKILL), for store authors to inherit."""

import asyncio
import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from openbooking.booking.commands.orders.book import Book
from openbooking.booking.store import Store
from openbooking.testing.ledger import Entry, book_in, check_bookings, order_in
from openbooking.testing.processes import Channel, Kill, kill_this_process, run_in_processes
from openbooking.testing.rules import rule
from openbooking.testing.samples import SESSIONS, Clock, book, fresh
from openbooking.testing.store_case import StoreTestCase

_CALLERS = 4
_BOOKINGS = 16
_CAPACITY = 40
_MOST_SECONDS_TO_KILL = 0.02


@rule("Crashes")
class CrashTests(StoreTestCase):
    """Part of `DurableStoreTests`: killed processes."""

    def test_a_killed_process_loses_no_booking_that_it_acknowledged(self, tmp_path: Path) -> None:
        """Three processes book: one is killed right after a reply, one at a random moment, and one is not killed.

        Afterwards the store holds all acknowledged bookings and has sold no space twice. Repeats get the first reply.
        """
        capacities = {f"session-{number}": _CAPACITY for number in range(self.rounds)}
        chance = random.Random()  # noqa: S311 - any moment will do, and each run tries others

        async def stock() -> None:
            async with self.stocked(tmp_path, Clock(), **capacities):
                pass

        asyncio.run(stock())
        for key, capacity in capacities.items():
            commands = [[book(fresh(), key) for _ in range(_BOOKINGS)] for _ in range(3)]
            last = chance.randint(1, _BOOKINGS // 2)
            sent = run_in_processes(
                self,
                partial(self.book_until_killed, tmp_path, commands[0], last),
                partial(self.book_until_killed, tmp_path, commands[1], None),
                partial(self.book_until_killed, tmp_path, commands[2], None),
                kills=[None, Kill(chance.randint(1, _BOOKINGS // 2), chance.uniform(0, _MOST_SECONDS_TO_KILL))],
            )
            answered = {entry.command.uuid: entry for entries in sent for entry in entries}
            entries = [answered.get(command.uuid, Entry(command, None)) for asked in commands for command in asked]
            asyncio.run(self.check_after_the_crash(tmp_path, entries, {key: capacity}))

    async def book_until_killed(
        self, folder: Path, commands: Sequence[Book], last: int | None, channel: Channel
    ) -> None:
        """Execute the commands, several at the same time, and send each reply.

        Args:
            folder: The folder of the test.
            commands: The bookings to make.
            last: The number of replies after which the process kills itself; None if it does not.
            channel: The connection with the test.
        """
        waiting, answers = list(commands), 0

        async def execute_some(store: Store) -> None:
            nonlocal answers
            while waiting:
                channel.send(await book_in(store, waiting.pop()))
                answers += 1
                if answers == last:
                    kill_this_process()

        async with self.opened(folder, Clock()) as store:
            await store.feed_items(SESSIONS, 0, 1)
            await channel.wait_for_others()
            await asyncio.gather(*(execute_some(store) for _ in range(_CALLERS)))

    async def check_after_the_crash(self, folder: Path, entries: list[Entry], capacities: dict[str, int]) -> None:
        """Open the store again, compare its Orders with the replies, and repeat all requests."""
        async with self.opened(folder, Clock()) as store:
            await check_bookings(store, entries, capacities)
            for entry in entries:
                kept = await order_in(store, entry.command)
                answers = [await store.execute(entry.command) for _ in range(2)]
                about = f"The repeat of Order {entry.command.uuid} after the crash"
                assert answers[0] == answers[1], f"{about} got two answers: {answers}."
                if kept:
                    assert answers[0] == kept, f"{about} was answered with {answers[0]}, and the store held {kept}."
