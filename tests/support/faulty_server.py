"""Serves with something that is not as it should be: `python faulty_server.py --port 0`.

OPENBOOKING_FAULT is `clock FILE APART`: the file tells how many seconds the wall clock of the machine is ahead of the
time; monotonic time goes on. Where APART is more than 0, each process is on a machine of its own, whose clock is apart
from those of the others by so many seconds at most, either way. Or it names the protection that is taken out of a
store, to show that the tests notice, and for how many seconds those who have read that there are places left wait
before they write, so that others read meanwhile, however busy the machine is. Nothing of this is in the package, nor
any switch that would do it.
"""

import os
import random
import time
from collections.abc import Callable, Iterable
from ctypes import c_bool
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from starlette.types import ASGIApp

from openbooking.booking.model.policy import Policy
from openbooking.booking.model.situation import Needs, Situation
from openbooking.booking.rules.capacity import spaces_left
from openbooking.booking.store import FeedWriter
from openbooking.clock import Clock, SystemClock
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.openactive.ids import Identifiers
from openbooking.serving.listening import listen_for_each
from openbooking.serving.logs import configure_logs
from openbooking.serving.processes import compare_with_database, run_workers
from openbooking.serving.server import log_ready
from openbooking.settings import Settings, load_settings
from openbooking.store.dialects import Statement
from openbooking.store.exchange import Exchange, Query
from openbooking.store.loading import load
from openbooking.store.postgres import PostgresStore
from openbooking.store.sqlite import SqliteDatabase, SqliteStore, carry_out
from openbooking.system import open_identity_store, open_store
from openbooking.web.app import create_app

FAULT = "OPENBOOKING_FAULT"
SHARE = random.uniform(-1, 1)  # noqa: S311 - any will do
SEQUENCE = "CREATE SEQUENCE numbers START 4000000000000"

_PAUSE = Statement("SELECT pg_sleep($1)", ("seconds",), writes=False)
_NEXT_NUMBERS = Statement("SELECT nextval('numbers') FROM generate_series(1, $1)", ("count",), writes=False)

T = TypeVar("T")


class UnlockedPostgresStore(PostgresStore):
    """Reads without locking."""

    pause_seconds = 0.0

    def _load_to_write(self, needs: Needs) -> Exchange[Situation]:
        situation = yield from load(self._sql, needs, self._policy, self._clock())
        if _places_are_left(situation):
            yield Query(_PAUSE, {"seconds": self.pause_seconds})
        return situation


class HastyPostgresStore(PostgresStore):
    """Takes change numbers before it commits."""

    def _numbers(self, count: int, now: datetime) -> Exchange[Iterable[int | None]]:
        del now
        rows = yield Query(_NEXT_NUMBERS, {"count": count})
        return [number for (number,) in rows]


class UnlockedSqliteStore(SqliteStore):
    """Reads and writes without a transaction."""

    pause_seconds = 0.0

    def __init__(self, path: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> None:
        super().__init__(path, policy=policy, writer=writer, clock=clock)
        self._database = UnlockedSqliteDatabase(path)

    def _load_to_write(self, needs: Needs) -> Exchange[Situation]:
        situation = yield from super()._load_to_write(needs)
        if _places_are_left(situation):
            time.sleep(self.pause_seconds)
        return situation


class UnlockedSqliteDatabase(SqliteDatabase):
    """Commits every statement by itself."""

    async def write(
        self,
        make: Callable[[], Exchange[T]],
        *,
        brief: bool = False,
        until: float | None = None,
        lock_seconds: float | None = None,
    ) -> T:
        del brief, until, lock_seconds
        return await self._in_writer_thread(lambda: carry_out(self._connection_of_thread(), make()))


def _places_are_left(situation: Situation) -> bool:
    return any(
        spaces_left(opportunity, situation.spaces[path])
        for path, opportunity in situation.opportunities.items()
        if path in situation.spaces
    )


FAULTS: dict[str, type[UnlockedPostgresStore | UnlockedSqliteStore]] = {
    "unlocked-postgres": UnlockedPostgresStore,
    "unlocked-sqlite": UnlockedSqliteStore,
}


def turn_with(clock: Path, ahead: float = 0) -> None:
    """From now on the wall clock of this process is turned, beneath everything that reads it."""
    sound = time.time
    time.time = lambda: sound() + ahead + float(clock.read_text())


def turn_clock(clock: Path, seconds: float) -> None:
    """Set how far it is ahead, while others look at it."""
    made = clock.with_suffix(".new")
    made.write_text(str(seconds))
    made.replace(clock)


def make_app(settings: Settings, fault: str, clock: SystemClock, draining: c_bool) -> ASGIApp:
    del draining
    configure_logs()
    name, *values = fault.split()
    identity = open_identity_store(settings)
    if name == "clock":
        place, apart = Path(values[0]), float(values[1])
        turn_with(place, SHARE * apart)
        clock = SystemClock() if apart else clock
        return create_app(settings, clock, open_store(settings, clock), identity)
    writer = JsonLdFeedWriter(Writer(Identifiers(settings.base_uri)))
    where: Any = Path(settings.database) if "sqlite" in name else settings.database
    store = FAULTS[name](where, policy=settings.policy, writer=writer, clock=clock)
    store.pause_seconds = float(values[0])
    return create_app(settings, clock, store, identity)


def main() -> None:
    configure_logs()
    fault = os.environ.pop(FAULT)
    if fault.startswith("clock"):
        turn_with(Path(fault.split()[1]))
    listeners, settings = listen_for_each(load_settings(port=0))
    clock = SystemClock()
    compare_with_database(settings, clock)
    run_workers(settings, partial(make_app, settings, fault), listeners, lambda: log_ready(settings), clock)


if __name__ == "__main__":
    main()
