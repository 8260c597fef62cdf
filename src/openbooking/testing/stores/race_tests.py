"""Tests of a store that several processes use at the same time, for store authors to inherit."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.testing.ledger import book_in, check_bookings
from openbooking.testing.processes import Channel, run_in_processes
from openbooking.testing.rules import rule
from openbooking.testing.samples import MANAGER, SESSIONS, Clock, book, cancel, fresh, quote
from openbooking.testing.store_case import StoreTestCase
from openbooking.testing.stores.proposal_tests import approved_session, propose

_PROCESSES = 3
_CALLERS = 2
_SESSIONS_PER_ROUND = 8
_SPACES = 2


@rule("Several processes")
class RaceTests(StoreTestCase):
    """Part of `DurableStoreTests`: several processes."""

    async def stock(self, folder: Path, capacities: Mapping[str, int]) -> None:
        """Publish sessions of these capacities, and close the store."""
        async with self.stocked(folder, Clock(), **capacities) as store:
            await store.execute(Publish(approved_session("trip", 5), actor=MANAGER))

    def test_processes_that_race_for_the_last_spaces_sell_no_space_twice(self, tmp_path: Path) -> None:
        """Three processes book the same session at the same moment, then the next session, and so on."""
        capacities = {f"session-{number}": _SPACES for number in range(_SESSIONS_PER_ROUND * self.rounds)}
        asyncio.run(self.stock(tmp_path, capacities))
        racing = partial(self.book_at_the_same_moment, tmp_path, list(capacities))
        entries = [entry for sent in run_in_processes(self, *[racing] * _PROCESSES) for entry in sent]

        async def compare() -> None:
            async with self.opened(tmp_path, Clock()) as store:
                await check_bookings(store, entries, capacities)

        asyncio.run(compare())

    async def book_at_the_same_moment(self, folder: Path, keys: Sequence[str], channel: Channel) -> None:
        """Book each session at the same moment as the other processes, and send the replies."""
        async with self.opened(folder, Clock()) as store:
            await store.feed_items(SESSIONS, 0, 1)
            for key in keys:
                await channel.wait_for_others()
                for entry in await asyncio.gather(*(book_in(store, book(fresh(), key)) for _ in range(_CALLERS))):
                    channel.send(entry)

    def test_a_repeat_in_another_process_gets_the_same_answer(self, tmp_path: Path) -> None:
        """One process answers B, B after C2, and P. A day later another process answers the repeats."""
        asyncio.run(self.stock(tmp_path, {"yoga": 9}))
        booked, leased, proposed = book(fresh(), "yoga", "yoga"), fresh(), propose(fresh(), "trip")
        before: list[Command[Any]] = [
            booked,
            cancel(booked.uuid, 1),
            quote(leased, "yoga"),
            book(leased, "yoga"),
            proposed,
        ]
        repeats: list[Command[Any]] = [booked, book(leased, "yoga"), proposed]
        ((first, _, _, *others),) = run_in_processes(self, partial(self.execute_all, tmp_path, timedelta(), before))
        (again,) = run_in_processes(self, partial(self.execute_all, tmp_path, timedelta(days=1), repeats))
        for command, earlier, later in zip(repeats, [first, *others], again, strict=True):
            assert later == earlier, f"The repeat of {command} in another process got another answer."

    async def execute_all(
        self, folder: Path, after: timedelta, commands: Sequence[Command[Any]], channel: Channel
    ) -> None:
        """Execute the commands one after the other, with a clock that is ahead by `after`; send the replies."""
        clock = Clock()
        clock.move(after)
        async with self.opened(folder, clock) as store:
            for command in commands:
                channel.send(await store.execute(command))
