"""Bookings while a timetable is published, and while what is over is removed: `make bench`.

Callers book classes without a pause. In turns nothing else is done, the upkeep publishes the Slots of ten courts, or it
takes Slots that are over out of the feeds. Each figure is compared with that of the turns without other work.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from booking import bookings
from callers import Waits
from centre import COURTS, halls, save
from horizon import KINDS, databases
from openbooking.booking.commands.orders.book import Book
from openbooking.openactive.ids import Identifiers
from openbooking.settings import Settings
from openbooking.system import System, _publish_timetables, _remove_over, open_system
from openbooking.testing.samples import Clock
from stage import folder
from stock import order_body, settings_of, stock

SESSIONS = 10_000
CALLERS = 16
ROUNDS = 8
PUBLISHING_SECONDS, REMOVING_SECONDS = 3.0, 1.0
# All Slots before this time are over when they are removed.
OVER = timedelta(days=6)


class Turns:
    """Turns of bookings with and without other work, and what was measured in them."""

    def __init__(self, system: System, commands: Iterator[Book]) -> None:
        self._system = system
        self._commands = commands

    async def compare(self, what: str, work: Callable[[System], Coroutine[Any, Any, None]], seconds: float) -> None:
        """Print the bookings a second and their p99 beside the work, as ratios of those without it."""
        alone: list[float] = []
        beside: list[float] = []
        unfinished = 0
        for _ in range(ROUNDS):
            alone += await self._book(seconds)
            working = asyncio.create_task(work(self._system))
            beside += await self._book(seconds)
            unfinished += not working.done()
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
        rates = [len(waits) / (ROUNDS * seconds) for waits in (alone, beside)]
        p99s = [Waits(sorted(waits)).percentile(0.99) for waits in (alone, beside)]
        print(f"  {what} (the work lasted as long as the turn in {unfinished} of {ROUNDS})")
        print(f"    bookings: {rates[1]:,.0f}/s of {rates[0]:,.0f}/s  {rates[1] / rates[0]:.2f} (aim 0.9)")
        print(f"    p99: {p99s[1]:.0f} ms of {p99s[0]:.0f} ms  {p99s[1] / p99s[0]:.2f} (aim 1.1)", flush=True)

    async def _book(self, seconds: float) -> list[float]:
        """Let all callers book for some seconds; return the milliseconds of the bookings."""
        waits: list[float] = []
        until = time.perf_counter() + seconds

        async def call() -> None:
            while (began := time.perf_counter()) < until:
                await self._system.store.execute(next(self._commands))
                waits.append((time.perf_counter() - began) * 1000)

        await asyncio.gather(*(call() for _ in range(CALLERS)))
        return waits


async def measure(settings: Settings) -> None:
    """Measure both kinds of work on this database."""
    clock = Clock()
    clock.time = datetime.now(UTC)
    await stock(settings, sessions=SESSIONS)
    ids = Identifiers(settings.base_uri)
    commands = bookings(settings, (order_body(ids, [number % SESSIONS]) for number in count()))
    async with open_system(settings, clock, serves=False) as system:
        await save(system.store, halls(COURTS, clock().date()))
        turns = Turns(system, commands)
        await turns.compare(f"{COURTS} courts are published", _publish_timetables, PUBLISHING_SECONDS)
        clock.move(OVER)
        await turns.compare("what is over is removed", _remove_over, REMOVING_SECONDS)


def main() -> None:
    """Measure the named kinds of database, or all."""
    for kind in sys.argv[1:] or KINDS:
        print(f"{kind}, {CALLERS} callers", flush=True)
        with folder() as place, databases(kind, place) as (database, _):
            asyncio.run(measure(settings_of(database, 8000)))


if __name__ == "__main__":
    main()
